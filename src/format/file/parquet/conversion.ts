/** What Parquet's logical types make of the values that are stored. */
import { isUtf8 } from 'node:buffer';
import { halfToNumber } from '../../../column/arrow-columns.ts';
import { decimalWords, intervalWords } from '../../../column/builder.ts';
import type { FixedValues } from '../../../column/column.ts';
import { formatTimeOfDay } from '../../../column/text.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
} from '../../../column/type.ts';
import { Malformed } from '../../malformed.ts';
import type { PhysicalType } from './schema.ts';
import type { ThriftStruct } from './thrift.ts';
import { fixed, poolOf, poolOfTexts, type Values } from './values.ts';

export interface Conversion {
  /** Of the columns that come of it. */
  readonly type: Type;
  /** For a table that is made for such values, where that is another. */
  readonly proposed: Type;
  /** Physical values as the type has them. @throws Malformed */
  readonly convert: (values: Values) => Values;
}

const as = (type: Type, convert: (values: Values) => Values, proposed = type): Conversion => ({
  ...{ type, proposed, convert },
});
const same = (values: Values): Values => values;

/** Of `ConvertedType`, which older writers use alone. */
const converted = {
  ...{ utf8: 0, enum: 4, decimal: 5, date: 6, timeMillis: 7, timeMicros: 8, timestampMillis: 9, timestampMicros: 10 },
  ...{ uint8: 11, uint16: 12, uint32: 13, uint64: 14, json: 19, bson: 20, interval: 21 },
} as const;

/** Of the union `LogicalType`. */
const logical = {
  ...{ string: 1, enum: 4, decimal: 5, date: 6, time: 7, timestamp: 8, integer: 10, json: 12, bson: 13, uuid: 14 },
  ...{ float16: 15 },
} as const;

/** How many of the unit that a TIME or TIMESTAMP counts are in a millisecond. */
function perMs(type: ThriftStruct): number {
  const unit = type.struct(2);
  return unit.has(1) ? 1 : unit.has(2) ? 1e3 : 1e6;
}

/** A type that does not fit what is stored counts for nothing. @throws Malformed */
export function conversionOf(element: ThriftStruct, physical: PhysicalType, width: number): Conversion {
  const type = element.structOrNull(10);
  const kind = element.has(6) ? element.count(6) : -1;
  const is = (name: keyof typeof logical & keyof typeof converted): boolean =>
    type?.has(logical[name]) === true || kind === converted[name];
  const decimalType = type?.structOrNull(logical.decimal) ?? null;
  if (decimalType !== null || kind === converted.decimal) {
    const precision = decimalType ? decimalType.count(2) : element.count(8);
    const scale = decimalType ? decimalType.count(1) : element.count(7, 0);
    if (precision >= 1 && precision <= 38 && scale <= precision && physical !== 'FLOAT' && physical !== 'DOUBLE')
      return as(decimal(precision, scale), decimalConverter(physical, width));
  }
  switch (physical) {
    case 'BOOLEAN':
      return as(BOOLEAN, same);
    case 'INT32':
      if (is('date')) return as(DATE, same);
      if (type?.has(logical.time) || kind === converted.timeMillis) return as(STRING, timesOfDay(1));
      return isUnsigned(type, kind, 32) ? as(LONG, unsigned32) : as(INT, same);
    case 'INT64':
      return int64(type, kind);
    case 'INT96':
      return as(TIMESTAMP, julianTimes);
    case 'FLOAT':
      return as(FLOAT, same);
    case 'DOUBLE':
      return as(DOUBLE, same);
    case 'BYTE_ARRAY':
      if (type?.has(logical.string) || kind === converted.utf8 || is('enum')) return as(STRING, text);
      return is('json') ? as(STRING, text, JSON_TYPE) : as(BYTES, same);
    default:
      if (type?.has(logical.uuid) && width === 16) return as(UUID, pooled(16));
      if (type?.has(logical.float16) && width === 2) return as(FLOAT, halves);
      if (kind === converted.interval && width === 12) return as(INTERVAL, intervals);
      if (width === 0) throw new Malformed('a column of byte strings without bytes');
      return as(BYTES, pooled(width));
  }
}

function int64(type: ThriftStruct | null, kind: number): Conversion {
  const timestamp = type?.structOrNull(logical.timestamp) ?? null;
  if (timestamp !== null) return as(TIMESTAMP, milliseconds(perMs(timestamp)));
  if (kind === converted.timestampMillis) return as(TIMESTAMP, same);
  if (kind === converted.timestampMicros) return as(TIMESTAMP, milliseconds(1e3));
  const time = type?.structOrNull(logical.time) ?? null;
  if (time !== null || kind === converted.timeMicros) return as(STRING, timesOfDay(time ? perMs(time) : 1e3));
  return isUnsigned(type, kind, 64) ? as(decimal(20, 0), unsigned64) : as(LONG, same);
}

/** Of that many bits: narrower ones fit. */
function isUnsigned(type: ThriftStruct | null, kind: number, bits: 32 | 64): boolean {
  const integer = type?.structOrNull(logical.integer) ?? null;
  if (integer === null) return kind === (bits === 32 ? converted.uint32 : converted.uint64);
  return integer.count(1) === bits && !integer.boolean(2, true);
}

const valuesOf = (values: Values): FixedValues => {
  if (values.form !== 'fixed') throw new Malformed('byte strings where numbers are expected');
  return values.values;
};

const wordsOf = (values: Values): Int32Array => {
  const array = valuesOf(values);
  return new Int32Array(array.buffer, array.byteOffset, array.byteLength >> 2);
};

function text(values: Values): Values {
  if (values.form !== 'pool') throw new Malformed('numbers where text is expected');
  const { offsets, bytes, count } = values;
  if (!isUtf8(bytes)) throw new Malformed('text that is not valid UTF-8');
  // The pieces of one character, split over two values, pass as UTF-8 in the whole.
  for (let index = 1; index < count; index++)
    if ((bytes[offsets[index]!]! & 0xc0) === 0x80) throw new Malformed('text that is not valid UTF-8');
  return values;
}

const pooled = (width: number) => (values: Values) => poolOf(valuesOf(values) as Uint8Array, width);

function unsigned32(values: Values): Values {
  const source = valuesOf(values);
  const words = new Int32Array(source.length * 2);
  for (let index = 0; index < source.length; index++) words[index * 2] = source[index] as number;
  return fixed(new BigInt64Array(words.buffer));
}

function unsigned64(values: Values): Values {
  const source = wordsOf(values);
  const words = new Int32Array(source.length * 2);
  for (let index = 0; index < source.length; index += 2) {
    words[index * 2] = source[index]!;
    words[index * 2 + 1] = source[index + 1]!;
  }
  return fixed(new BigInt64Array(words.buffer), 2);
}

/** Cut, also before 1970, without a bigint: the upper half is divided first, and what is left of it fits a double. */
function milliseconds(per: number): (values: Values) => Values {
  if (per === 1) return same;
  return values => {
    const source = wordsOf(values);
    const words = new Int32Array(source.length);
    for (let index = 0; index < source.length; index += 2) {
      const high = source[index + 1]!;
      const quotient = Math.floor(high / per);
      const low = Math.floor(((high - quotient * per) * 4_294_967_296 + (source[index]! >>> 0)) / per);
      const ms = quotient * 4_294_967_296 + low;
      words[index] = ms;
      words[index + 1] = Math.floor(ms / 4_294_967_296);
    }
    return fixed(new BigInt64Array(words.buffer));
  };
}

const julianDayOf1970 = 2_440_588;

/** Of Impala and old Spark: nanoseconds of the day, then the Julian day. */
function julianTimes(values: Values): Values {
  const bytes = valuesOf(values) as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / 12);
  const times = new BigInt64Array(count);
  for (let index = 0; index < count; index++) {
    const day = view.getInt32(index * 12 + 8, true) - julianDayOf1970;
    times[index] = BigInt(day) * 86_400_000n + view.getBigInt64(index * 12, true) / 1_000_000n;
  }
  return fixed(times);
}

const timesOfDay =
  (per: number) =>
  (values: Values): Values => {
    const perSecond = per * 1000;
    const texts = Array.from(valuesOf(values) as Iterable<number | bigint>, (value): string => {
      const count = Number(value);
      if (!(count >= 0 && count <= 86_400 * perSecond)) throw new Malformed('a time of day beyond the day');
      const seconds = Math.floor(count / perSecond);
      return formatTimeOfDay(seconds, count - seconds * perSecond, Math.round(Math.log10(perSecond)));
    });
    return poolOfTexts(texts);
  };

function halves(values: Values): Values {
  const bytes = valuesOf(values) as Uint8Array;
  const count = bytes.length >> 1;
  return fixed(
    Float32Array.from({ length: count }, (_, at) => halfToNumber(bytes[at * 2]! | (bytes[at * 2 + 1]! << 8))),
  );
}

function intervals(values: Values): Values {
  const bytes = valuesOf(values) as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / 12);
  const words = new BigInt64Array(count * 2);
  for (let index = 0; index < count; index++) {
    const [months, days, ms] = [0, 4, 8].map(at => view.getUint32(index * 12 + at, true)) as [number, number, number];
    words.set(intervalWords({ months: months | 0, days: days | 0, ms }), index * 2);
  }
  return fixed(words, 2);
}

/** Bytes of a DECIMAL as a big-endian integer: 38 digits take 16; writers pad. */
const decimalSizeMax = 64;

function decimalConverter(physical: PhysicalType, width: number): (values: Values) => Values {
  if (physical === 'INT32' || physical === 'INT64')
    return values => {
      const source = valuesOf(values);
      const words = new BigInt64Array(source.length * 2);
      for (let index = 0; index < source.length; index++) {
        const value = BigInt(source[index]!);
        words[index * 2] = value;
        words[index * 2 + 1] = value >> 63n;
      }
      return fixed(words, 2);
    };
  return values => {
    const pool = values.form === 'pool' ? values : poolOf(values.values as Uint8Array, width);
    const words = new BigInt64Array(pool.count * 2);
    for (let index = 0; index < pool.count; index++) {
      const from = pool.offsets[index]!;
      const to = pool.offsets[index + 1]!;
      if (to - from > decimalSizeMax) throw new Malformed(`a decimal of ${to - from} bytes`);
      let unscaled = 0n;
      for (let at = from; at < to; at++) unscaled = (unscaled << 8n) | BigInt(pool.bytes[at]!);
      words.set(decimalWords(BigInt.asIntN((to - from) * 8, unscaled)), index * 2);
    }
    return fixed(words, 2);
  };
}
