/** Values out of pages, densely: NULLs have none. */
import type { FixedValues } from '../../../column/column.ts';

/** `per` elements a value; or byte strings one after another. */
export type Values =
  | { readonly form: 'fixed'; readonly values: FixedValues; readonly per: number; readonly count: number }
  | { readonly form: 'pool'; readonly offsets: Uint32Array; readonly bytes: Uint8Array; readonly count: number };

export type PoolValues = Extract<Values, { form: 'pool' }>;

export const fixed = (values: FixedValues, per = 1): Values => ({
  ...{ form: 'fixed', values, per },
  count: values.length / per,
});

/** Each of `size` bytes. */
export function poolOf(bytes: Uint8Array, size: number): PoolValues {
  const count = size === 0 ? 0 : Math.floor(bytes.length / size);
  return { form: 'pool', offsets: Uint32Array.from({ length: count + 1 }, (_, index) => index * size), bytes, count };
}

const encoder = new TextEncoder();

export function poolOfTexts(texts: readonly string[]): PoolValues {
  const parts = texts.map(text => encoder.encode(text));
  const offsets = new Uint32Array(parts.length + 1);
  parts.forEach((part, index) => {
    offsets[index + 1] = offsets[index]! + part.length;
  });
  return { form: 'pool', offsets, bytes: new Uint8Array(Buffer.concat(parts)), count: parts.length };
}
