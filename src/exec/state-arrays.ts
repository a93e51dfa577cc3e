/** Arrays of one element a group or id, which grow as groups come. */
import type { Vector } from '../column/vector.ts';

/** A copy with room for `count` elements, at least twice as many as before; new ones are `fill`. */
export const grownF64 = (array: Float64Array, count: number, fill = 0): Float64Array<ArrayBuffer> => {
  const bigger = new Float64Array(Math.max(count, array.length * 2, 16));
  bigger.set(array);
  if (fill !== 0) bigger.fill(fill, array.length);
  return bigger;
};

/** A copy of twice the length. */
export const doubled = (array: Uint32Array): Uint32Array<ArrayBuffer> => {
  const bigger = new Uint32Array(array.length * 2);
  bigger.set(array);
  return bigger;
};

/** A state's or a column's numbers as doubles. @throws Error for vectors that are none. */
export const numbers = (vector: Vector): Float64Array => {
  if (vector.form === 'number') return vector.values;
  if (vector.form === 'bool' || vector.form === 'bigint') return Float64Array.from(vector.values as Uint8Array, Number);
  throw new Error(`expected numbers, got a ${vector.form} vector`);
};
