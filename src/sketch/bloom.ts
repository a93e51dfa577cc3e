/**
 * Split-block Bloom filters, as Parquet specifies them (https://parquet.apache.org/docs/file-format/bloomfilter/; Putze,
 * Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007): one half of a value's hash chooses a block of
 * 256 bits, the other one bit in each of its eight words.
 */

/** 32-bit words of a block. */
export const blockWordCount = 8;
/** Parquet's table: so many bits for each value make one look-up in a hundred find what was never added. */
const bitsPerValue = 10.5;
/** A filter of 64 MB: 50 million values. More of them make it err more often. */
export const blockCountMax = 2 ** 21;

const salts = Uint32Array.of(
  ...[0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31],
);

export const blockCountFor = (distinctCount: number): number =>
  Math.min(blockCountMax, Math.max(1, Math.ceil((distinctCount * bitsPerValue) / (32 * blockWordCount))));

/** Which of the filter's blocks: ⌊high · blockCount / 2^32⌋, exact because blocks are at most 2^21. */
export const blockOf = (high: number, blockCount: number): number => Math.floor((high * blockCount) / 0x1_0000_0000);

/** @param at First word of the block. */
export function addToBlock(words: Uint32Array, at: number, low: number): void {
  for (let word = 0; word < blockWordCount; word++) words[at + word]! |= 1 << (Math.imul(low, salts[word]!) >>> 27);
}

export function blockHolds(words: Uint32Array, at: number, low: number): boolean {
  for (let word = 0; word < blockWordCount; word++)
    if (((words[at + word]! >>> (Math.imul(low, salts[word]!) >>> 27)) & 1) === 0) return false;
  return true;
}
