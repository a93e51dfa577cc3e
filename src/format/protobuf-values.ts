/** Protobuf's fields → columns and JSON. */
import protobuf from 'protobufjs';
import { formatTimestampIso, timestampMsMax } from '../column/text.ts';
import {
  BOOLEAN,
  BYTES,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
} from '../column/type.ts';
import type { JsonText } from './json-text.ts';
import type { Reason, Sink } from './sink.ts';

/** How values of one kind, as the package decodes them, are taken. */
export interface ValueKind {
  /** For a column that is made for them. */
  readonly type: Type;
  put(value: unknown, sink: Sink, row: number): Reason;
  json(value: unknown, text: JsonText): void;
}

/** 64 bits as the package has them. */
interface Halves {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

const isSafe = ({ high, unsigned }: Halves): boolean => high < 0x20_0000 && high >= (unsigned ? 0 : -0x20_0000);
const safeOf = ({ low, high }: Halves): number => high * 4_294_967_296 + (low >>> 0);
const bigOf = ({ low, high, unsigned }: Halves): bigint =>
  (BigInt(unsigned ? high >>> 0 : high) << 32n) | BigInt(low >>> 0);

const integers = (type: Type): ValueKind => ({
  type,
  put: (value, sink, row) => sink.integer(value as number, row),
  json: (value, text) => text.raw(String(value)),
});

const longs = (type: Type): ValueKind => ({
  type,
  put: (value, sink, row) =>
    isSafe(value as Halves) ? sink.integer(safeOf(value as Halves), row) : sink.long(bigOf(value as Halves), row),
  json: (value, text) => text.raw(String(bigOf(value as Halves))),
});

const int = integers(INT);
const uint = integers(LONG);
const long = longs(LONG);
const ulong = longs(decimal(20, 0));

const scalars: Readonly<Record<string, ValueKind | undefined>> = {
  ...{ int32: int, sint32: int, sfixed32: int, uint32: uint, fixed32: uint },
  ...{ int64: long, sint64: long, sfixed64: long, uint64: ulong, fixed64: ulong },
  bool: {
    type: BOOLEAN,
    put: (value, sink, row) => sink.boolean(value as boolean, row),
    json: (value, text) => text.raw(String(value)),
  },
  float: {
    type: FLOAT,
    put: (value, sink, row) => sink.float(value as number, row),
    json: (value, text) => text.float(value as number),
  },
  double: {
    type: DOUBLE,
    put: (value, sink, row) => sink.double(value as number, row),
    json: (value, text) => text.double(value as number),
  },
  string: {
    type: STRING,
    put: (value, sink, row) => sink.string(value as string, row),
    json: (value, text) => text.string(value as string),
  },
  bytes: {
    type: BYTES,
    put: (value, sink, row) => sink.binary(value as Uint8Array, 0, (value as Uint8Array).length, row),
    json: (value, text) => text.base64(value as Uint8Array, 0, (value as Uint8Array).length),
  },
};

/** By its name; a number that the schema does not know stays one. */
const enums = (type: protobuf.Enum): ValueKind => {
  const nameOf = (value: unknown): string => type.valuesById[value as number] ?? String(value);
  return {
    type: STRING,
    put: (value, sink, row) => sink.string(nameOf(value), row),
    json: (value, text) => text.string(nameOf(value)),
  };
};

/** `seconds` and `nanos`: of google.protobuf.Timestamp and Duration, which leave out what is zero. */
interface Instant {
  readonly seconds: Halves | number;
  readonly nanos: number;
}

const secondsOf = ({ seconds }: Instant): number => (typeof seconds === 'number' ? seconds : safeOf(seconds));

const timestamps: ValueKind = {
  type: TIMESTAMP,
  put: (value, sink, row) => sink.timestamp(msOf(value as Instant), row),
  json: (value, text) => {
    const ms = msOf(value as Instant);
    text.raw(Math.abs(ms) > timestampMsMax ? String(ms) : `"${formatTimestampIso(ms)}"`);
  },
};

const msOf = (instant: Instant): number => secondsOf(instant) * 1000 + Math.floor(instant.nanos / 1e6);

/** `1.5s`, as in Protobuf's JSON. */
const durationText = (duration: Instant): string => {
  const seconds = secondsOf(duration);
  const sign = seconds < 0 || duration.nanos < 0 ? '-' : '';
  const fraction = String(Math.abs(duration.nanos)).padStart(9, '0').replace(/0+$/, '');
  return `${sign}${Math.abs(seconds)}${fraction === '' ? '' : `.${fraction}`}s`;
};

const durations: ValueKind = {
  type: STRING,
  put: (value, sink, row) => sink.string(durationText(value as Instant), row),
  json: (value, text) => text.string(durationText(value as Instant)),
};

const nested = (kind: string, json: ValueKind['json']): ValueKind => ({
  type: JSON_TYPE,
  put: (_value, sink) => `${kind} where ${sink.type.name} is expected (declare the column JSON to keep it)`,
  json,
});

/** A field of a message: its value, or what its absence means. */
export interface ProtobufField {
  readonly name: string;
  readonly kind: ValueKind;
  /** undefined: an absent value is NULL. */
  readonly absent: unknown;
}

const zeroOf = (field: protobuf.Field): unknown => (field.type === 'bytes' ? new Uint8Array(0) : field.typeDefault);

const wrapperNames = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];
const wrappers = new Set(wrapperNames.map(name => `.google.protobuf.${name}Value`));

/** Kinds of the types of one schema; those of messages are made when they are first asked for, as they may be recursive. */
export class ProtobufKinds {
  readonly #kinds = new Map<protobuf.Type, ValueKind>();
  readonly #fields = new Map<protobuf.Type, readonly ProtobufField[]>();

  fieldsOf(type: protobuf.Type): readonly ProtobufField[] {
    const known = this.#fields.get(type);
    if (known) return known;
    const fields = type.fieldsArray.map(field => this.#field(field.resolve()));
    this.#fields.set(type, fields);
    return fields;
  }

  #field(field: protobuf.Field): ProtobufField {
    const { name } = field;
    const one = this.#one(field);
    if (field instanceof protobuf.MapField) {
      const numbered = field.keyType !== 'string' && field.keyType !== 'bool';
      return { name, kind: nested('a map', (value, text) => writeMap(value, one, numbered, text)), absent: {} };
    }
    if (field.repeated)
      return { name, kind: nested('a list', (value, text) => writeList(value, one, text)), absent: [] };
    return { name, kind: one, absent: field.hasPresence ? undefined : zeroOf(field) };
  }

  #one(field: protobuf.Field): ValueKind {
    const { resolvedType } = field;
    if (resolvedType instanceof protobuf.Enum) return enums(resolvedType);
    return resolvedType === null ? scalars[field.type]! : this.#message(resolvedType);
  }

  #message(type: protobuf.Type): ValueKind {
    const known = this.#kinds.get(type);
    if (known) return known;
    const kind = this.#make(type);
    this.#kinds.set(type, kind);
    return kind;
  }

  #make(type: protobuf.Type): ValueKind {
    const { fullName } = type;
    if (fullName === '.google.protobuf.Timestamp') return timestamps;
    if (fullName === '.google.protobuf.Duration') return durations;
    if (wrappers.has(fullName)) {
      const { kind } = this.fieldsOf(type)[0]!;
      const inner = (value: unknown): unknown => (value as { value: unknown }).value;
      return {
        type: kind.type,
        put: (value, sink, row) => kind.put(inner(value), sink, row),
        json: (value, text) => kind.json(inner(value), text),
      };
    }
    return nested('a message', (value, text) => this.write(type, value as object, text));
  }

  /** A message as a JSON object; fields without a value are left out, but for those whose absence is a value. */
  write(type: protobuf.Type, message: object, text: JsonText): void {
    let mark = '{';
    for (const { name, kind, absent } of this.fieldsOf(type)) {
      const value = Object.hasOwn(message, name) ? message[name as keyof typeof message] : absent;
      if (value === undefined || value === null) continue;
      text.raw(`${mark}"${name}":`);
      kind.json(value, text);
      mark = ',';
    }
    text.raw(mark === '{' ? '{}' : '}');
  }
}

function writeList(list: unknown, kind: ValueKind, text: JsonText): void {
  let mark = '[';
  for (const value of list as unknown[]) {
    text.raw(mark);
    kind.json(value, text);
    mark = ',';
  }
  text.raw(mark === '[' ? '[]' : ']');
}

/** The package keeps keys of 64 bits as eight characters. */
const hashSize = 8;

function writeMap(map: unknown, kind: ValueKind, numbered: boolean, text: JsonText): void {
  let mark = '{';
  for (const [key, value] of Object.entries(map as object)) {
    text.raw(mark);
    text.string(numbered && key.length === hashSize && !/^-?\d+$/.test(key) ? longKey(key) : key);
    text.raw(':');
    kind.json(value, text);
    mark = ',';
  }
  text.raw(mark === '{' ? '{}' : '}');
}

const longKey = (hash: string): string => String(protobuf.util.longFromHash(hash));
