/**
 * Hashes for tables inside one process: quick, well mixed, not for hostile collisions across a network.
 * Finaliser: MurmurHash3 (Austin Appleby, public domain).
 */
function mixHash(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** One step of MurmurHash3's body. */
function murmurStep(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e_2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b87_3593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe654_6b64) | 0;
}

/** MurmurHash3_x86_32 of `bytes[start .. end)`: a hash that may be written to disk, since its name says what it is. */
export function murmurBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let index = start;
  for (; index + 4 <= end; index += 4)
    hash = murmurStep(
      hash,
      bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24),
    );
  if (index < end) {
    let tail = 0;
    for (let shift = 0; index < end; index++, shift += 8) tail |= bytes[index]! << shift;
    const scrambled = Math.imul(tail, 0xcc9e_2d51);
    hash ^= Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b87_3593);
  }
  return mixHash(hash ^ (end - start));
}

/** The same of the bytes of `words[at .. at + count)`, little-endian. */
export function murmurWords(words: Uint32Array, at: number, count: number, seed: number): number {
  let hash = seed | 0;
  for (let index = at; index < at + count; index++) hash = murmurStep(hash, words[index]!);
  return mixHash(hash ^ (4 * count));
}

export const hashPair = (first: number, second: number): number => mixHash(Math.imul(first, 0x9e37_79b1) ^ second);

/** Of `bytes[start .. end)`, four at a time. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = (end - start) ^ 0x9747_b28c;
  let index = start;
  for (; index + 4 <= end; index += 4) {
    let word = bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24);
    word = Math.imul(word, 0xcc9e_2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b87_3593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64;
  }
  let tail = 0;
  for (let shift = 0; index < end; index++, shift += 8) tail |= bytes[index]! << shift;
  return mixHash(hash ^ Math.imul(tail, 0xcc9e_2d51));
}

export function equalBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): boolean {
  if (leftEnd - leftStart !== rightEnd - rightStart) return false;
  for (let from = leftStart, to = rightStart; from < leftEnd; from++, to++) if (left[from] !== right[to]) return false;
  return true;
}

/** Byte order, shorter first: the order of UTF-8 strings by code point. Negative, 0 or positive. */
export function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const size = Math.min(leftEnd - leftStart, rightEnd - rightStart);
  for (let index = 0; index < size; index++) {
    const difference = left[leftStart + index]! - right[rightStart + index]!;
    if (difference !== 0) return difference;
  }
  return leftEnd - leftStart - (rightEnd - rightStart);
}
