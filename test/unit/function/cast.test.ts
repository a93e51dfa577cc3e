import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  type Interval,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
  type Value,
} from '../../../src/column/type.ts';
import { castValue, castVector } from '../../../src/function/cast.ts';
import { intervalSpan } from '../../../src/function/datetime.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';
import { context, faultOf } from './calls.ts';

const cast = (value: Value, from: Type, to: Type): Value => castValue(value, from, to, context);
const read = (text: string, to: Type): Value => cast(text, STRING, to);
const write = (value: Value, from: Type): Value => cast(value, from, STRING);

test('text to text and back, every type', () => {
  const arbitraries: readonly [Type, fc.Arbitrary<Value>][] = [
    [BOOLEAN, fc.boolean()],
    [INT, fc.integer()],
    [LONG, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    [FLOAT, fc.float()],
    [DOUBLE, fc.double()],
    [decimal(38, 10), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
    [TIMESTAMP, fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })],
    [DATE, fc.integer({ min: -719_162, max: 2_932_896 })],
    [UUID, fc.uuid()],
    [BYTES, fc.uint8Array()],
    [STRING, fc.string({ unit: 'grapheme' })],
  ];
  for (const [type, values] of arbitraries)
    fc.assert(
      fc.property(values, value => {
        expect(read(write(value, type) as string, type)).toEqual(value);
      }),
    );
});

test('intervals come back as long as they were', () => {
  const part = fc.integer({ min: -5000, max: 5000 });
  const intervals = fc.record({ months: part, days: part, ms: fc.integer({ min: -1e11, max: 1e11 }) });
  fc.assert(
    fc.property(intervals, interval => {
      const again = read(write(interval, INTERVAL) as string, INTERVAL) as Interval;
      expect(intervalSpan(again)).toEqual(intervalSpan(interval));
    }),
  );
});

test('numbers in PostgreSQL text', () => {
  const double = (value: number, want: string) => expect(write(value, DOUBLE)).toBe(want);
  double(1e15, '1e+15');
  double(1e14, '100000000000000');
  double(Number('123456789012345678'), '1.2345678901234568e+17');
  double(123456789012345, '123456789012345');
  double(0.0001, '0.0001');
  double(0.00001, '1e-05');
  double(-1.5e-7, '-1.5e-07');
  double(1e100, '1e+100');
  double(Number.NaN, 'NaN');
  double(Number.NEGATIVE_INFINITY, '-Infinity');
  double(-0, '-0');
  double(0.1, '0.1');
  const float = (value: number, want: string) => expect(write(Math.fround(value), FLOAT)).toBe(want);
  float(1000000, '1e+06');
  float(123456, '123456');
  float(1234567, '1.234567e+06');
  float(0.1, '0.1');
  float(16777216, '1.6777216e+07');
});

test('text that is a value', () => {
  const check = (text: string, to: Type, want: Value) => expect(read(text, to), text).toEqual(want);
  check(' 42 ', INT, 42);
  check('-9223372036854775808', LONG, -(2n ** 63n));
  check('1e3', DOUBLE, 1000);
  check('.5', DOUBLE, 0.5);
  check('-inf', DOUBLE, Number.NEGATIVE_INFINITY);
  check('0.1', FLOAT, Math.fround(0.1));
  check('12.345', decimal(5, 2), 1235n);
  check('-12.345', decimal(5, 2), -1235n);
  check('1.2e2', decimal(5, 2), 12000n);
  for (const text of ['t', 'tRu', 'TRUE', 'y', 'yes', 'on', '1', ' true ']) check(text, BOOLEAN, true);
  for (const text of ['f', 'false', 'n', 'no', 'of', 'off', '0']) check(text, BOOLEAN, false);
  check('2024-01-02', TIMESTAMP, Date.UTC(2024, 0, 2));
  check('2024-01-02 03:04:05.678', TIMESTAMP, Date.UTC(2024, 0, 2, 3, 4, 5, 678));
  check('2024-01-02T03:04:05Z', TIMESTAMP, Date.UTC(2024, 0, 2, 3, 4, 5));
  check('2024-01-02 03:04:05+05:30', TIMESTAMP, Date.UTC(2024, 0, 1, 21, 34, 5));
  check('2024-01-02 03:04:05-08', TIMESTAMP, Date.UTC(2024, 0, 2, 11, 4, 5));
  check('now', TIMESTAMP, context.nowMs);
  check('today', DATE, Math.floor(context.nowMs / 86_400_000));
  check('2024-01-02 13:00', DATE, Date.UTC(2024, 0, 2) / 86_400_000);
  check('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', UUID, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
  check('\\xDEad', BYTES, Uint8Array.of(0xde, 0xad));
  check('a\\\\b\\001', BYTES, Uint8Array.of(0x61, 0x5c, 0x62, 1));
  check('{"a": 1}', JSON_TYPE, '{"a": 1}');
});

test('text that is none', () => {
  const check = (text: string, to: Type, message: string, code = 'INVALID_LITERAL') =>
    expect(faultOf(() => read(text, to))).toEqual({ code, message });
  check('x', LONG, 'invalid input syntax for type LONG: "x"');
  check('', INT, 'invalid input syntax for type INT: ""');
  check('1.0', INT, 'invalid input syntax for type INT: "1.0"');
  check('0x10', DOUBLE, 'invalid input syntax for type DOUBLE: "0x10"');
  check('o', BOOLEAN, 'invalid input syntax for type BOOLEAN: "o"');
  check('2024-02-30', DATE, 'invalid input syntax for type DATE: "2024-02-30"');
  check('1 day', TIMESTAMP, 'invalid input syntax for type TIMESTAMP: "1 day"');
  check('{', JSON_TYPE, 'invalid input syntax for type JSON: "{"');
  check('\\xabc', BYTES, 'invalid input syntax for type BYTES: "\\xabc"');
  check('99999999999', INT, 'value "99999999999" is out of range for type INT', 'NUMERIC_OVERFLOW');
  check('1e400', DOUBLE, 'value "1e400" is out of range for type DOUBLE', 'NUMERIC_OVERFLOW');
  check('1e-400', DOUBLE, 'value "1e-400" is out of range for type DOUBLE', 'NUMERIC_OVERFLOW');
  check('1e39', FLOAT, 'value "1e39" is out of range for type FLOAT', 'NUMERIC_OVERFLOW');
  check('1000', decimal(5, 2), 'numeric field overflow', 'NUMERIC_OVERFLOW');
  check('9'.repeat(500), LONG, `invalid input syntax for type LONG: "${'9'.repeat(100)}…"`);
});

test('numbers to numbers', () => {
  const check = (value: Value, from: Type, to: Type, want: Value) =>
    expect(cast(value, from, to), `${String(value)} to ${to.name}`).toEqual(want);
  check(2.5, DOUBLE, INT, 2);
  check(3.5, DOUBLE, INT, 4);
  check(-2.5, DOUBLE, LONG, -2n);
  check(25n, decimal(5, 1), INT, 3);
  check(-25n, decimal(5, 1), LONG, -3n);
  check(7, INT, LONG, 7n);
  check(2n ** 62n, LONG, DOUBLE, 2 ** 62);
  check(9007199254740993n, LONG, decimal(38, 2), 900719925474099300n);
  check(0.1, DOUBLE, decimal(10, 3), 100n);
  check(Math.fround(0.1), FLOAT, decimal(20, 10), 1000000000n);
  check(Number('123456789012345678'), DOUBLE, decimal(38, 0), 123456789012346000n);
  check(12345n, decimal(10, 3), decimal(6, 1), 123n);
  check(12355n, decimal(10, 3), decimal(6, 2), 1236n);
  check(1n, decimal(38, 38), DOUBLE, 1e-38);
  check(0.1, DOUBLE, FLOAT, Math.fround(0.1));
  check(true, BOOLEAN, INT, 1);
  check(5, INT, BOOLEAN, true);
  check(1500n, LONG, TIMESTAMP, 1500);
  check(1500, TIMESTAMP, LONG, 1500n);
  check(-1, TIMESTAMP, DATE, -1);
  check(2, DATE, TIMESTAMP, 172_800_000);
  const fails = (value: Value, from: Type, to: Type, message: string) =>
    expect(faultOf(() => cast(value, from, to)).message).toBe(message);
  fails(3_000_000_000n, LONG, INT, 'integer out of range');
  fails(2 ** 63, DOUBLE, LONG, 'bigint out of range');
  fails(Number.NaN, DOUBLE, INT, 'integer out of range');
  fails(1e300, DOUBLE, FLOAT, 'value out of range: overflow');
  fails(1000, INT, decimal(5, 2), 'numeric field overflow');
  fails(Number.NaN, DOUBLE, decimal(5, 2), 'cannot convert NaN to DECIMAL(5,2)');
  fails(2n ** 62n, LONG, TIMESTAMP, 'timestamp out of range');
  fails(true, BOOLEAN, LONG, 'cannot cast type BOOLEAN to LONG');
});

test('a DECIMAL becomes the nearest DOUBLE', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 30 }), (value, scale) => {
      expect(cast(value, decimal(38, scale), DOUBLE)).toBe(Number(`${value}e-${scale}`));
    }),
  );
});

test('NULL stays NULL, and what lies under it never fails', () => {
  const vector = { form: 'number', length: 2, nulls: Uint8Array.of(1, 0), values: Float64Array.of(1e300, 7) } as const;
  for (const to of [INT, LONG, FLOAT, decimal(5, 2), STRING]) {
    const result = castVector(vector, DOUBLE, to, 2, context);
    expect(vectorValue(result, to, 0)).toBe(null);
    expect(vectorValue(result, to, 1)).not.toBe(null);
  }
  expect(vectorValue(castVector(vectorOf(STRING, [null]), STRING, INT, 1, context), INT, 0)).toBe(null);
  expect(cast(null, STRING, INT)).toBe(null);
});
