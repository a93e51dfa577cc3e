/** Loops over the values of a dictionary: one for each size, so that each stays fast. */
import type { FixedValues } from '../../../column/column.ts';

/** Whether each of codes[from..to) names one of `count` entries. */
export function areCodesWithin(codes: Uint32Array, from: number, to: number, count: number): boolean {
  let largest = 0;
  for (let index = from; index < to; index++) if (codes[index]! > largest) largest = codes[index]!;
  return from === to || largest < count;
}

/** into[index] = entries[codes[index]] for index in [from, to), of `per` elements each. */
export function gatherFixed(
  entries: FixedValues,
  per: number,
  codes: Uint32Array,
  into: FixedValues,
  from: number,
  to: number,
): void {
  if (entries instanceof BigInt64Array) {
    // As halves of 64 bits: no bigint is made.
    const source = new Int32Array(entries.buffer, entries.byteOffset, entries.length * 2);
    const target = new Int32Array(into.buffer, into.byteOffset, into.length * 2);
    if (per === 1) gatherPairs(source, codes, target, from, to);
    else gatherRuns(source, per * 2, codes, target, from, to);
  } else gatherRuns(entries as Int32Array, per, codes, into as Int32Array, from, to);
}

function gatherPairs(source: Int32Array, codes: Uint32Array, target: Int32Array, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const code = codes[index]! << 1;
    target[index << 1] = source[code]!;
    target[(index << 1) + 1] = source[code + 1]!;
  }
}

function gatherRuns(
  source: Int32Array,
  per: number,
  codes: Uint32Array,
  target: Int32Array,
  from: number,
  to: number,
): void {
  for (let index = from; index < to; index++)
    for (let element = 0; element < per; element++)
      target[index * per + element] = source[codes[index]! * per + element]!;
}

/** Dense values to the rows whose bits in `validity` are set. */
export function spreadFixed(dense: FixedValues, per: number, validity: Uint8Array, length: number): FixedValues {
  const rows = new Uint32Array(length);
  let next = 0;
  for (let row = 0; row < length; row++) {
    rows[row] = next;
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) next++;
  }
  // What is behind the last value stands under NULLs only.
  const Values = dense.constructor as new (length: number) => FixedValues;
  const values = new Values(length * per);
  const whole = new Values((next + 1) * per);
  (whole as Uint8Array).set(dense.subarray(0, next * per) as Uint8Array);
  gatherFixed(whole, per, rows, values, 0, length);
  return values;
}
