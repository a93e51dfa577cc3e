import type { FixedColumn } from './column.ts';
import type { Type } from './type.ts';

/** A column of 64-bit integers without nulls from numbers within ±2^53, without making a bigint of each. */
export function integersOf(type: Type, length: number, numberOf: (row: number) => number): FixedColumn {
  const words = new Int32Array(length * 2);
  for (let row = 0; row < length; row++) {
    const value = numberOf(row);
    words[row * 2] = value;
    words[row * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return { form: 'fixed', type, length, validity: null, values: new BigInt64Array(words.buffer) };
}

/** A column of 64-bit integers without nulls: `first`, and one more for each row. All within ±2^53. */
export function ascendingIntegers(type: Type, length: number, first: number): FixedColumn {
  const words = new Int32Array(length * 2);
  for (let row = 0, value = first; row < length; row++, value++) {
    words[row * 2] = value;
    words[row * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return { form: 'fixed', type, length, validity: null, values: new BigInt64Array(words.buffer) };
}

/** A column of 64-bit integers without nulls, all the same. */
export const equalIntegers = (type: Type, length: number, value: number): FixedColumn => ({
  ...{ form: 'fixed', type, length, validity: null },
  values: new BigInt64Array(length).fill(BigInt(value)),
});
