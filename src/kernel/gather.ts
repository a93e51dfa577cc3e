/**
 * From a block's column to dense values. `view[at]` is row 0 of the block; `rows` lists the rows wanted (null: the
 * `count` rows from `first` on); results go to `out[0 .. count)`. One loop per element width, as in `select`.
 */

export function gatherI32(
  i32: Int32Array,
  at: number,
  base: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Float64Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = base + i32[at + rows[index]!]!;
  else for (let index = 0, from = at + first; index < count; index++) out[index] = base + i32[from + index]!;
}

/** 64-bit integers as doubles; returns false when one does not fit ±2^53 (then `out` is of no use). `at` counts 32-bit words. */
export function gatherI64(
  i32: Int32Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Float64Array,
): boolean {
  let outside = 0;
  for (let index = 0; index < count; index++) {
    const element = at + 2 * (rows ? rows[index]! : first + index);
    const high = i32[element + 1]!;
    // high in [-2^21, 2^21) keeps the value exact, but for -2^53 itself, which a double holds too.
    outside |= (high + 0x20_0000) & ~0x3f_ffff;
    out[index] = high * 4_294_967_296 + (i32[element]! >>> 0);
  }
  return outside === 0;
}

export function gatherF32(
  f32: Float32Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Float64Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = f32[at + rows[index]!]!;
  else for (let index = 0; index < count; index++) out[index] = f32[at + first + index]!;
}

export function gatherF64(
  f64: Float64Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Float64Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = f64[at + rows[index]!]!;
  else for (let index = 0; index < count; index++) out[index] = f64[at + first + index]!;
}

export function gatherCodes8(
  u8: Uint8Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Uint32Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = u8[at + rows[index]!]!;
  else for (let index = 0, from = at + first; index < count; index++) out[index] = u8[from + index]!;
}

export function gatherCodes16(
  u16: Uint16Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Uint32Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = u16[at + rows[index]!]!;
  else for (let index = 0, from = at + first; index < count; index++) out[index] = u16[from + index]!;
}

export function gatherCodes32(
  u32: Uint32Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Uint32Array,
): void {
  if (rows) for (let index = 0; index < count; index++) out[index] = u32[at + rows[index]!]!;
  else for (let index = 0, from = at + first; index < count; index++) out[index] = u32[from + index]!;
}

/**
 * One byte a row, 1 = NULL, from a validity bitmap whose byte 0 is `u8[at]`; returns whether any row is NULL.
 *
 * A run of rows is read a byte of the bitmap at a time, and only bytes with a NULL in them are looked into: a bit test a
 * row cost as much as summing the column.
 */
export function gatherNulls(
  u8: Uint8Array,
  at: number,
  rows: Uint32Array | null,
  first: number,
  count: number,
  out: Uint8Array,
): boolean {
  if (!rows && (first & 7) === 0) return spreadNulls(u8, at + (first >> 3), count, out);
  let any = 0;
  for (let index = 0; index < count; index++) {
    const row = rows ? rows[index]! : first + index;
    const missing = ~(u8[at + (row >> 3)]! >> (row & 7)) & 1;
    any |= missing;
    out[index] = missing;
  }
  return any !== 0;
}

function spreadNulls(u8: Uint8Array, at: number, count: number, out: Uint8Array): boolean {
  const wholeBytes = count >> 3;
  let any = 0;
  out.fill(0, 0, count);
  for (let byte = 0; byte < wholeBytes; byte++) {
    let missing = ~u8[at + byte]! & 0xff;
    any |= missing;
    for (; missing !== 0; missing &= missing - 1) out[(byte << 3) + 31 - Math.clz32(missing & -missing)] = 1;
  }
  for (let row = wholeBytes << 3; row < count; row++) {
    const missing = ~(u8[at + (row >> 3)]! >> (row & 7)) & 1;
    any |= missing;
    out[row] = missing;
  }
  return any !== 0;
}
