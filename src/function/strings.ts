/** Pools of byte strings: reading and building entries, their order, functions over them once per distinct entry. */
import { fault } from '../base/fault.ts';
import type { Nulls, StringPool, StringVector } from '../column/vector.ts';
import { compareBytes } from '../kernel/hash.ts';

/** Bytes that one vector's strings may take: what 16,384 rows of 16 KiB need; beyond it a query fails, not the process. */
export const poolSizeBytesMax = 256 * 1024 * 1024;

const poolOverflow = () =>
  fault('LIMIT_EXCEEDED', `strings of one step exceed ${poolSizeBytesMax} bytes`, {
    hint: 'shorten what repeat, lpad, rpad, replace or concat make',
  });

/** Below this, decoding by hand beats the call into the runtime. */
const handDecodedBytesMax = 24;

const utf8Slice = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');

/** UTF-8 text of `bytes[start, end)`; what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > handDecodedBytesMax) return utf8Slice(bytes, start, end);
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 0x7f) return utf8Slice(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

export const entryStart = (pool: StringPool, id: number): number =>
  pool.bytesBase + pool.offsets[pool.offsetsBase + id]!;
export const entryEnd = (pool: StringPool, id: number): number =>
  pool.bytesBase + pool.offsets[pool.offsetsBase + id + 1]!;

/** A view, not a copy. */
export const entryBytes = (pool: StringPool, id: number): Uint8Array =>
  pool.bytes.subarray(entryStart(pool, id), entryEnd(pool, id));
export const entryText = (pool: StringPool, id: number): string =>
  decodeText(pool.bytes, entryStart(pool, id), entryEnd(pool, id));

/** Negative, 0 or positive, by unsigned bytes, which for UTF-8 is the order of code points. */
export const compareEntries = (poolA: StringPool, a: number, poolB: StringPool, b: number): number =>
  compareBytes(
    poolA.bytes,
    entryStart(poolA, a),
    entryEnd(poolA, a),
    poolB.bytes,
    entryStart(poolB, b),
    entryEnd(poolB, b),
  );

const encoder = new TextEncoder();

/** Collects entries into a pool. Amortised O(bytes). @throws {FaultError} LIMIT_EXCEEDED above `poolSizeBytesMax`. */
export class PoolBuilder {
  #bytes = new Uint8Array(256);
  #offsets = new Uint32Array(17);
  #count = 0;
  #sizeBytes = 0;
  #openBytes = 0;

  #reserve(sizeBytes: number): void {
    const needed = this.#sizeBytes + sizeBytes;
    if (needed > poolSizeBytesMax * 3) throw poolOverflow();
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (this.#count + 1 === this.#offsets.length) {
      const grown = new Uint32Array(this.#offsets.length * 2);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
  }

  #close(sizeBytes: number): number {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > poolSizeBytesMax) throw poolOverflow();
    this.#offsets[++this.#count] = this.#sizeBytes;
    return this.#count - 1;
  }

  /** The entry's id. */
  addText(text: string): number {
    const length = text.length;
    this.#reserve(length * 3);
    const bytes = this.#bytes;
    const base = this.#sizeBytes;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f || at === handDecodedBytesMax)
        return this.#close(encoder.encodeInto(text, bytes.subarray(base)).written);
      bytes[base + at] = code;
    }
    return this.#close(length);
  }

  addBytes(source: Uint8Array, start = 0, end = source.length): number {
    this.append(source, start, end);
    return this.endEntry();
  }

  /** Puts bytes behind those appended since the last entry; `endEntry` makes them one. */
  append(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    const base = this.#sizeBytes + this.#openBytes;
    this.#reserve(this.#openBytes + size);
    this.#openBytes += size;
    if (size > handDecodedBytesMax) this.#bytes.set(source.subarray(start, end), base);
    else for (let at = 0; at < size; at++) this.#bytes[base + at] = source[start + at]!;
  }

  endEntry(): number {
    const sizeBytes = this.#openBytes;
    this.#openBytes = 0;
    this.#reserve(0);
    return this.#close(sizeBytes);
  }

  get count(): number {
    return this.#count;
  }

  /** The builder may not be used after it. */
  finish(distinct = this.#count < 2): StringPool {
    return {
      bytes: this.#bytes.subarray(0, this.#sizeBytes),
      bytesBase: 0,
      offsets: this.#offsets,
      offsetsBase: 0,
      count: this.#count,
      sorted: this.#count < 2,
      distinct,
      key: {},
    };
  }
}

/** One entry a text, in order. `distinct` is the caller's promise. */
export function buildPool(texts: readonly string[], distinct = false): StringPool {
  const builder = new PoolBuilder();
  for (const text of texts) builder.addText(text);
  return builder.finish(distinct || texts.length < 2);
}

/** A memo by entry is worth its memory while the pool is not far larger than the rows. */
const memoEntriesPerRow = 8;

/**
 * Calls `visit` for present rows, `compute` before it for each entry that was not seen in this call: for
 * every row where a memo would not pay. What `compute` returns (an integer ≥ 0) is handed to `visit`.
 */
export function forEachEntry(
  vector: StringVector,
  nulls: Nulls,
  length: number,
  compute: (id: number) => number,
  visit: (row: number, result: number) => void,
): void {
  const { ids, pool } = vector;
  if (pool.count > length * memoEntriesPerRow + 256) {
    for (let row = 0; row < length; row++) if (nulls === null || nulls[row] === 0) visit(row, compute(ids[row]!));
    return;
  }
  const memo = new Int32Array(pool.count).fill(-1);
  for (let row = 0; row < length; row++) {
    if (nulls !== null && nulls[row] !== 0) continue;
    const id = ids[row]!;
    let result = memo[id]!;
    if (result < 0) {
      result = compute(id);
      memo[id] = result;
    }
    visit(row, result);
  }
}
