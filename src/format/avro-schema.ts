/**
 * Avro schemas → readers. The package `avsc` parses a schema: names, namespaces, what is well formed. Values are not read
 * by it but by readers that put them into columns without an object a message; and it counts on good bytes, where a few
 * bad ones may claim an array of billions of nulls.
 */
import avro, { type Type as AvroType, type types as avroTypes } from 'avsc';
import type { RegisteredSchema } from '../catalog/schema-source.ts';
import { ArrayReader, MapReader, RecordReader, UnionReader } from './avro-parts.ts';
import {
  type AvroReader,
  BooleanReader,
  BytesReader,
  DecimalReader,
  DoubleReader,
  EnumReader,
  FixedUuidReader,
  FloatReader,
  LongReader,
  NullReader,
  StringReader,
  UuidReader,
} from './avro-readers.ts';
import { DateReader, TimeReader, TimestampReader } from './avro-times.ts';

interface LogicalAttributes {
  readonly logicalType: string;
  readonly precision?: unknown;
  readonly scale?: unknown;
}

/** Keeps what the schema says of a logical type. Values never pass through it. */
class NotedLogicalType extends avro.types.LogicalType {
  readonly attributes: LogicalAttributes;

  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options as never);
    this.attributes = schema as unknown as LogicalAttributes;
  }

  protected override _fromValue(value: unknown): unknown {
    return value;
  }

  protected override _toValue(value: unknown): unknown {
    return value;
  }
}

const logicalTypes = Object.fromEntries(
  [
    ...['timestamp-millis', 'timestamp-micros', 'timestamp-nanos', 'date', 'time-millis', 'time-micros', 'decimal'],
    ...['local-timestamp-millis', 'local-timestamp-micros', 'local-timestamp-nanos', 'uuid'],
  ].map(name => [name, NotedLogicalType]),
);

/** @throws Error where the text is no Avro schema */
export function compileAvro(schema: RegisteredSchema): AvroReader {
  if (schema.type !== 'AVRO') throw new Error(`it is of the type ${schema.type}, not AVRO`);
  const registry: Record<string, AvroType> = {};
  const parse = (text: string): AvroType =>
    avro.Type.forSchema(JSON.parse(text), { registry, logicalTypes, wrapUnions: true });
  for (const { text } of schema.references) parse(text);
  return new Compiler().reader(parse(schema.text));
}

class Compiler {
  /** Of types with parts, made before their parts. */
  readonly #made = new Map<AvroType, AvroReader>();

  reader(type: AvroType): AvroReader {
    const made = this.#made.get(type);
    if (made) return made;
    switch (type.typeName) {
      case 'null':
        return new NullReader();
      case 'boolean':
        return new BooleanReader();
      case 'int':
        return new LongReader(true);
      case 'long':
        return new LongReader(false);
      case 'float':
        return new FloatReader();
      case 'double':
        return new DoubleReader();
      case 'bytes':
        return new BytesReader(-1);
      case 'string':
        return new StringReader();
      case 'fixed':
        return new BytesReader((type as avroTypes.FixedType).size);
      case 'enum':
        return new EnumReader((type as avroTypes.EnumType).symbols);
      case 'array':
        return new ArrayReader(this.reader((type as avroTypes.ArrayType).itemsType));
      case 'map':
        return new MapReader(this.reader((type as avroTypes.MapType).valuesType));
      case 'record':
      case 'error':
        return this.#record(type as avroTypes.RecordType);
      case 'union:wrapped':
      case 'union:unwrapped':
        return this.#union(type as avroTypes.WrappedUnionType);
      default:
        return this.#logical(type as NotedLogicalType);
    }
  }

  #record(type: avroTypes.RecordType): AvroReader {
    const record = new RecordReader();
    this.#made.set(type, record);
    record.fields = type.fields.map(({ name, type: of }) => ({ name, reader: this.reader(of) }));
    return record;
  }

  #union(type: avroTypes.WrappedUnionType): AvroReader {
    const union = new UnionReader();
    this.#made.set(type, union);
    union.branches = type.types.map(of => this.reader(of));
    return union;
  }

  /** A logical type on a type that it does not explain is none, as the specification has it. */
  #logical(type: NotedLogicalType): AvroReader {
    const { logicalType, precision, scale } = type.attributes;
    const under = type.underlyingType;
    const plain = this.reader(under);
    const size = under.typeName === 'fixed' ? (under as avroTypes.FixedType).size : -1;
    const of = (...names: string[]): boolean => names.includes(under.typeName);
    switch (logicalType) {
      case 'timestamp-millis':
      case 'local-timestamp-millis':
        return of('long') ? new TimestampReader(1) : plain;
      case 'timestamp-micros':
      case 'local-timestamp-micros':
        return of('long') ? new TimestampReader(1e3) : plain;
      case 'timestamp-nanos':
      case 'local-timestamp-nanos':
        return of('long') ? new TimestampReader(1e6) : plain;
      case 'date':
        return of('int') ? new DateReader() : plain;
      case 'time-millis':
        return of('int') ? new TimeReader(1e3) : plain;
      case 'time-micros':
        return of('long') ? new TimeReader(1e6) : plain;
      case 'uuid':
        return of('string') ? new UuidReader() : size === 16 ? new FixedUuidReader() : plain;
      case 'decimal':
        return of('bytes', 'fixed') && isDigits(precision) && precision > 0 && isDigits(scale ?? 0)
          ? new DecimalReader(size, precision, (scale ?? 0) as number)
          : plain;
      default:
        return plain;
    }
  }
}

/** More digits than any decimal has are a mistake. */
const decimalDigitsMax = 1000;

const isDigits = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= decimalDigitsMax;
