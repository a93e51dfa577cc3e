/**
 * Plain data as bytes: what structured clone carries of the values that calls use. Null, undefined, booleans, numbers,
 * bigints, strings, arrays, objects by their own keys, ArrayBuffers and typed arrays. `docs/wire.md` specifies the bytes.
 *
 * Of our own, because what comes in may be hostile: V8's deserializer is not made for that, JSON knows half of these
 * values, and the libraries for MessagePack and CBOR neither leave the content of byte arrays in place nor keep
 * undefined, -0 and typed arrays apart. Unlike a structured clone, a value that is there twice arrives as two.
 */
export const tags = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  int: 4,
  double: 5,
  bigint64: 6,
  positiveBigint: 7,
  negativeBigint: 8,
  ascii: 9,
  utf8: 10,
  utf16: 11,
  array: 12,
  newShape: 13,
  knownShape: 14,
  bytes: 15,
} as const;

/** By their number in the format; views know the size of their elements. */
export const byteKinds = [
  ArrayBuffer,
  ...[Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array],
  ...[Float32Array, Float64Array, BigUint64Array, BigInt64Array],
] as const;

/** Three times the deepest plan (an expression of 400 levels, two objects each), and well within the stack. */
export const structuredDepthMax = 1_500;
