/** The pages of one column chunk, one after another. */
import { hasDistinctEntries } from '../../../column/take.ts';
import { Malformed } from '../../malformed.ts';
import { HybridReader } from './bits.ts';
import type { Decompress } from './codec.ts';
import { decodeValues, encodings } from './decode-values.ts';
import type { ParquetLeaf } from './schema.ts';
import { ThriftReader, type ThriftStruct } from './thrift.ts';
import type { Values } from './values.ts';

/** Of one page, decompressed; writers make pages of a megabyte, some one of a whole chunk. */
const pageSizeMax = 1 << 28;

/** Entries of one page: runs of NULLs take no bytes. */
const pageEntriesMax = 1 << 24;

/** What codes name, converted already. */
export interface Dictionary {
  readonly values: Values;
  /** No byte string twice. */
  readonly isDistinct: boolean;
}

export interface Page {
  readonly entryCount: number;
  /** By entry; null: all are there. */
  readonly definitions: Uint8Array | null;
  /** By entry; null: each is a row's first. */
  readonly repetitions: Uint8Array | null;
  /** One of the two, densely; `values` converted. */
  readonly values: Values | null;
  readonly codes: HybridReader | null;
}

const pageTypes = { data: 0, dictionary: 2, dataV2: 3 } as const;

const bitsFor = (levels: number): number => 32 - Math.clz32(levels);

export class PageReader {
  dictionary: Dictionary | null = null;
  readonly #bytes: Uint8Array;
  readonly #leaf: ParquetLeaf;
  readonly #decompress: Decompress;
  #at = 0;

  /** @param bytes The whole chunk. */
  constructor(bytes: Uint8Array, leaf: ParquetLeaf, decompress: Decompress) {
    this.#bytes = bytes;
    this.#leaf = leaf;
    this.#decompress = decompress;
  }

  /** Of the chunk, that were read. */
  get readBytes(): number {
    return this.#at;
  }

  /** null at the end. @throws Malformed */
  next(): Page | null {
    while (this.#at < this.#bytes.length) {
      const reader = new ThriftReader(this.#bytes, this.#at);
      const header = reader.struct();
      const sizeBytes = header.count(2);
      const from = reader.at;
      const to = from + header.count(3);
      if (to > this.#bytes.length) throw new Malformed('a page that leaves its chunk');
      if (sizeBytes > pageSizeMax) throw new Malformed(`a page of ${sizeBytes} bytes; the limit is ${pageSizeMax}`);
      this.#at = to;
      const content = this.#bytes.subarray(from, to);
      switch (header.count(1)) {
        case pageTypes.dictionary:
          this.#readDictionary(header.struct(7), this.#decompress(content, sizeBytes));
          break;
        case pageTypes.data:
          return this.#page(header.struct(5), this.#decompress(content, sizeBytes));
        case pageTypes.dataV2:
          return this.#pageV2(header.struct(8), content, sizeBytes);
      }
    }
    return null;
  }

  #readDictionary(header: ThriftStruct, bytes: Uint8Array): void {
    if (this.dictionary !== null) throw new Malformed('a second dictionary');
    const count = countOf(header);
    const physical = decodeValues(encodings.plain, this.#leaf, bytes, count, pageSizeMax);
    const values = this.#leaf.conversion.convert(physical);
    this.dictionary = { values, isDistinct: values.form === 'fixed' || hasDistinctEntries(values) };
  }

  #page(header: ThriftStruct, bytes: Uint8Array): Page {
    const { maxDefinition, maxRepetition } = this.#leaf;
    const entryCount = countOf(header);
    let at = 0;
    const levels = (max: number, encoding: number, mayBeNull: boolean): Uint8Array | null => {
      if (max === 0) return null;
      if (encoding !== encodings.rle) throw new Malformed(`levels of the encoding ${encoding}`);
      const size = bytes.length - at < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
      if (size < 0 || size > bytes.length - at - 4) throw new Malformed('a page that ends in its levels');
      const from = at + 4;
      at = from + size;
      return levelsOf(bytes, from, at, max, entryCount, mayBeNull);
    };
    const repetitions = levels(maxRepetition, header.count(4), false);
    const definitions = levels(maxDefinition, header.count(3), true);
    return this.#withValues(header.count(2), bytes.subarray(at), { entryCount, definitions, repetitions });
  }

  /** Levels are not compressed here. */
  #pageV2(header: ThriftStruct, content: Uint8Array, sizeBytes: number): Page {
    const { maxDefinition, maxRepetition } = this.#leaf;
    const entryCount = countOf(header);
    const definitionsAt = header.count(6);
    const valuesAt = definitionsAt + header.count(5);
    if (valuesAt > content.length || valuesAt > sizeBytes) throw new Malformed('a page that ends in its levels');
    const repetitions =
      maxRepetition === 0 ? null : levelsOf(content, 0, definitionsAt, maxRepetition, entryCount, false);
    const definitions =
      maxDefinition === 0 ? null : levelsOf(content, definitionsAt, valuesAt, maxDefinition, entryCount, true);
    const rest = content.subarray(valuesAt);
    const bytes = header.boolean(7, true) ? this.#decompress(rest, sizeBytes - valuesAt) : rest;
    return this.#withValues(header.count(4), bytes, { entryCount, definitions, repetitions });
  }

  #withValues(encoding: number, bytes: Uint8Array, page: Omit<Page, 'values' | 'codes'>): Page {
    if (encoding === encodings.dictionary || encoding === encodings.plainDictionary) {
      if (this.dictionary === null) throw new Malformed('codes without a dictionary');
      const width = bytes[0] ?? 0;
      return { ...page, values: null, codes: new HybridReader(bytes, 1, bytes.length, width) };
    }
    const physical = decodeValues(encoding, this.#leaf, bytes, presentIn(page, this.#leaf), pageSizeMax);
    return { ...page, values: this.#leaf.conversion.convert(physical), codes: null };
  }
}

function countOf(header: ThriftStruct): number {
  const count = header.count(1);
  if (count > pageEntriesMax) throw new Malformed(`a page of ${count} values; the limit is ${pageEntriesMax}`);
  return count;
}

function presentIn(
  { entryCount, definitions }: Omit<Page, 'values' | 'codes'>,
  { maxDefinition }: ParquetLeaf,
): number {
  if (definitions === null) return entryCount;
  let count = 0;
  for (let entry = 0; entry < entryCount; entry++) count += +(definitions[entry] === maxDefinition);
  return count;
}

/** null where all are `max`, and `mayBeNull`. */
function levelsOf(
  bytes: Uint8Array,
  from: number,
  to: number,
  max: number,
  count: number,
  mayBeNull: boolean,
): Uint8Array | null {
  if (max > 255) throw new Malformed(`levels up to ${max}`);
  if (count === 0) return new Uint8Array(0);
  const reader = new HybridReader(bytes, from, to, bitsFor(max));
  if (mayBeNull && reader.takeRun(count, max)) return null;
  return reader.bytes(count);
}
