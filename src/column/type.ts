/**
 * Column types. PostgreSQL decides their meaning; see DESIGN in ARCHITECTURE.md.
 *
 * | name      | value in JavaScript (`Value`)                 | in a fixed column                           |
 * | --------- | --------------------------------------------- | ------------------------------------------- |
 * | BOOLEAN   | boolean                                       | Uint8Array, 0 or 1 a row                    |
 * | INT       | number                                        | Int32Array                                  |
 * | LONG      | bigint                                        | BigInt64Array                               |
 * | FLOAT     | number                                        | Float32Array                                |
 * | DOUBLE    | number                                        | Float64Array                                |
 * | DECIMAL   | bigint: the unscaled value (12.30 at s=2: 1230n) | BigInt64Array, two a row: low, high      |
 * | TIMESTAMP | number: milliseconds since 1970 UTC, integral | BigInt64Array                               |
 * | DATE      | number: days since 1970                       | Int32Array                                  |
 * | INTERVAL  | Interval                                      | BigInt64Array, two a row: months·2^32+days, ms |
 * | STRING    | string                                        | – (raw or dictionary), UTF-8                |
 * | JSON      | string: the JSON text                         | –                                           |
 * | UUID      | string: canonical lower-case 8-4-4-4-12       | – (raw or dictionary), 16 bytes each        |
 * | BYTES     | Uint8Array                                    | –                                           |
 */
export type TypeName = (typeof typeNames)[number];

export const typeNames = [
  'BOOLEAN',
  'INT',
  'LONG',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'TIMESTAMP',
  'DATE',
  'INTERVAL',
  'STRING',
  'UUID',
  'JSON',
  'BYTES',
] as const;

export interface Type {
  readonly name: TypeName;
  /** DECIMAL only: total digits, 1 to 38, and digits after the point, 0 to precision. */
  readonly precision?: number;
  readonly scale?: number;
}

/** Months and days stay apart from milliseconds, as in PostgreSQL: a month has no fixed length. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly ms: number;
}

export type Value = null | boolean | number | bigint | string | Uint8Array | Interval;

export const BOOLEAN: Type = { name: 'BOOLEAN' };
export const INT: Type = { name: 'INT' };
export const LONG: Type = { name: 'LONG' };
export const FLOAT: Type = { name: 'FLOAT' };
export const DOUBLE: Type = { name: 'DOUBLE' };
export const TIMESTAMP: Type = { name: 'TIMESTAMP' };
export const DATE: Type = { name: 'DATE' };
export const INTERVAL: Type = { name: 'INTERVAL' };
export const STRING: Type = { name: 'STRING' };
export const UUID: Type = { name: 'UUID' };
export const JSON_TYPE: Type = { name: 'JSON' };
export const BYTES: Type = { name: 'BYTES' };
export const decimal = (precision: number, scale: number): Type => ({ name: 'DECIMAL', precision, scale });

/** Types whose values are byte strings of varying length: they live in pools, not in fixed columns. */
export const isPooled = (type: Type): boolean =>
  type.name === 'STRING' || type.name === 'JSON' || type.name === 'BYTES' || type.name === 'UUID';

export const isNumeric = (type: Type): boolean =>
  type.name === 'INT' ||
  type.name === 'LONG' ||
  type.name === 'FLOAT' ||
  type.name === 'DOUBLE' ||
  type.name === 'DECIMAL';

/** `DECIMAL(12,2)`, `LONG`: as DDL spells it and every API shows it. */
export const typeText = (type: Type): string =>
  type.name === 'DECIMAL' ? `DECIMAL(${type.precision},${type.scale})` : type.name;

export const sameType = (a: Type, b: Type): boolean =>
  a.name === b.name && a.precision === b.precision && a.scale === b.scale;
