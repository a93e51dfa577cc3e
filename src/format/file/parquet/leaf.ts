/** One column chunk's values, so many rows at a time. */
import { ColumnBuilder } from '../../../column/builder.ts';
import type { Column, FixedValues } from '../../../column/column.ts';
import { settleDictionary } from '../../../column/take.ts';
import { Malformed } from '../../malformed.ts';
import { areCodesWithin, gatherFixed, spreadFixed } from './gather.ts';
import type { Page, PageReader } from './pages.ts';
import type { ParquetLeaf } from './schema.ts';
import type { PoolValues, Values } from './values.ts';

/** Byte strings of one batch of one column: a dictionary's entry can be named again and again. */
const batchSizeMax = 1 << 28;

/** Entries of one batch of one column: a row may have any number. */
const batchEntriesMax = 1 << 24;

/** Entries of a leaf inside lists. */
export interface LeafEntries {
  readonly count: number;
  readonly definitions: Uint8Array;
  readonly repetitions: Uint8Array;
  /** A row for each entry that is there. */
  readonly values: Column;
}

export class LeafReader {
  readonly leaf: ParquetLeaf;
  readonly #pages: PageReader;
  #page: Page | null = null;
  /** Entries of the page, and values, that were taken. */
  #entry = 0;
  #value = 0;

  constructor(leaf: ParquetLeaf, pages: PageReader) {
    this.leaf = leaf;
    this.#pages = pages;
  }

  get readBytes(): number {
    return this.#pages.readBytes;
  }

  /** The next rows of a leaf that is in no list. @throws Malformed where there are fewer */
  read(rowCount: number): Column {
    const values = new Gathered(this.leaf, rowCount, this.#pages);
    const { maxDefinition } = this.leaf;
    let validity: Uint8Array | null = null;
    for (let row = 0; row < rowCount; ) {
      const page = this.#current();
      const count = Math.min(rowCount - row, page.entryCount - this.#entry);
      let present = count;
      if (page.definitions !== null) {
        validity ??= new Uint8Array((rowCount + 7) >> 3).fill(0xff);
        for (let index = 0; index < count; index++) {
          if (page.definitions[this.#entry + index] === maxDefinition) continue;
          validity[(row + index) >> 3]! &= ~(1 << ((row + index) & 7));
          present--;
        }
      }
      this.#take(values, page, count, present);
      row += count;
    }
    return values.build(rowCount, validity);
  }

  /** The next rows of a leaf inside of lists. */
  readEntries(rowCount: number): LeafEntries {
    const definitions: Uint8Array[] = [];
    const repetitions: Uint8Array[] = [];
    const values = new Gathered(this.leaf, rowCount, this.#pages);
    let count = 0;
    let rows = 0;
    for (;;) {
      // The next page's first entry may go on with the last row.
      const page = rows < rowCount ? this.#current() : this.#currentOrNull();
      if (page === null) break;
      const from = this.#entry;
      let to = from;
      for (; to < page.entryCount; to++) {
        if (page.repetitions !== null && page.repetitions[to] !== 0) continue;
        if (rows === rowCount) break;
        rows++;
      }
      const isEnd = to < page.entryCount;
      count += to - from;
      if (count > batchEntriesMax) throw new Malformed(`lists of more than ${batchEntriesMax} values in a few rows`);
      const { maxDefinition } = this.leaf;
      const levels = page.definitions?.subarray(from, to) ?? new Uint8Array(to - from).fill(maxDefinition);
      definitions.push(levels);
      repetitions.push(page.repetitions?.subarray(from, to) ?? new Uint8Array(to - from));
      let present = 0;
      for (const level of levels) present += +(level === maxDefinition);
      this.#take(values, page, to - from, present);
      if (isEnd) break;
    }
    return {
      count,
      definitions: Buffer.concat(definitions),
      repetitions: Buffer.concat(repetitions),
      values: values.build(values.count, null),
    };
  }

  #take(values: Gathered, page: Page, entryCount: number, valueCount: number): void {
    values.add(page, this.#value, valueCount);
    this.#entry += entryCount;
    this.#value += valueCount;
  }

  #current(): Page {
    const page = this.#currentOrNull();
    if (page === null) throw new Malformed('fewer values than rows');
    return page;
  }

  #currentOrNull(): Page | null {
    while (this.#page === null || this.#entry === this.#page.entryCount) {
      this.#page = this.#pages.next();
      if (this.#page === null) return null;
      this.#entry = 0;
      this.#value = 0;
    }
    return this.#page;
  }
}

/** Values of several pages, densely, in the form that they come in while all come so. */
class Gathered {
  count = 0;
  readonly #leaf: ParquetLeaf;
  readonly #pages: PageReader;
  #fixed: FixedValues | null = null;
  #per = 1;
  #codes: Uint32Array;
  /** Byte strings: codes of the chunk's dictionary until a page comes without; then these. */
  #builder: ColumnBuilder | null = null;

  constructor(leaf: ParquetLeaf, capacity: number, pages: PageReader) {
    this.#leaf = leaf;
    this.#pages = pages;
    this.#codes = new Uint32Array(capacity);
  }

  /** Values [from, from + count) of the page; of one with codes the next ones. */
  add(page: Page, from: number, count: number): void {
    if (count === 0) return;
    this.#reserve(this.count + count);
    if (page.codes !== null) {
      const dictionary = this.#pages.dictionary!;
      const { values } = dictionary;
      const to = this.count + count;
      page.codes.read(this.#codes, this.count, to);
      if (!areCodesWithin(this.#codes, this.count, to, values.count))
        throw new Malformed('a code that its dictionary does not have');
      if (values.form === 'fixed') {
        this.#fixed ??= this.#fixedOf(values.values, values.per);
        gatherFixed(values.values, values.per, this.#codes, this.#fixed, this.count, to);
      } else if (this.#builder !== null) this.#spell(this.#builder, values, this.count, to);
    } else {
      const values = page.values!;
      if (from + count > values.count) throw new Malformed('a page with fewer values than it says');
      if (values.form === 'fixed') this.#copyFixed(values, from, count);
      else this.#copyPool(values, from, count);
    }
    this.count += count;
  }

  #reserve(count: number): void {
    if (count <= this.#codes.length) return;
    const codes = new Uint32Array(Math.max(count, this.#codes.length * 2));
    codes.set(this.#codes);
    this.#codes = codes;
    if (this.#fixed === null) return;
    const values = this.#fixedOf(this.#fixed, this.#per);
    (values as Uint8Array).set(this.#fixed as Uint8Array);
    this.#fixed = values;
  }

  #fixedOf(like: FixedValues, per: number): FixedValues {
    const Values = like.constructor as new (length: number) => FixedValues;
    this.#per = per;
    // A Buffer is a Uint8Array, too, but not to be had so.
    return like instanceof Uint8Array ? new Uint8Array(this.#codes.length * per) : new Values(this.#codes.length * per);
  }

  #copyFixed({ values, per }: Extract<Values, { form: 'fixed' }>, from: number, count: number): void {
    this.#fixed ??= this.#fixedOf(values, per);
    (this.#fixed as Uint8Array).set(values.subarray(from * per, (from + count) * per) as Uint8Array, this.count * per);
  }

  #copyPool(pool: PoolValues, from: number, count: number): void {
    if (this.#builder === null) {
      this.#builder = new ColumnBuilder(this.#leaf.conversion.type, this.#codes.length);
      const before = this.#pages.dictionary?.values;
      if (this.count > 0 && before?.form === 'pool') this.#spell(this.#builder, before, 0, this.count);
    }
    for (let index = from; index < from + count; index++)
      this.#append(this.#builder, pool, pool.offsets[index]!, pool.offsets[index + 1]!);
  }

  #spell(builder: ColumnBuilder, pool: PoolValues, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const code = this.#codes[index]!;
      this.#append(builder, pool, pool.offsets[code]!, pool.offsets[code + 1]!);
    }
  }

  #append(builder: ColumnBuilder, { bytes }: PoolValues, from: number, to: number): void {
    if (builder.sizeBytes + to - from > batchSizeMax)
      throw new Malformed(`more than ${batchSizeMax} bytes of text in a few rows`);
    builder.appendBytes(bytes, from, to);
  }

  /** A row for each value, or for each bit of `validity`. */
  build(length: number, validity: Uint8Array | null): Column {
    const { type } = this.#leaf.conversion;
    const nulls = this.count === length ? null : validity;
    if (this.#fixed !== null) {
      const per = this.#per;
      const dense = this.#fixed.subarray(0, this.count * per) as FixedValues;
      return {
        form: 'fixed',
        type,
        length,
        validity: nulls,
        values: nulls === null ? dense : spreadFixed(dense, per, nulls, length),
      };
    }
    if (this.#builder !== null) {
      const column = this.#builder.build() as Column & { form: 'raw' };
      return nulls === null
        ? column
        : { ...column, length, validity: nulls, offsets: spreadOffsets(column.offsets, nulls, length) };
    }
    const pool = this.#pages.dictionary?.values;
    if (this.count === 0 || pool?.form !== 'pool') return allNull(type, length);
    const codes = nulls === null ? this.#codes.subarray(0, length) : spreadCodes(this.#codes, nulls, length);
    const { offsets, bytes } = pool;
    return settleDictionary(
      { form: 'dictionary', type, length, validity: nulls, codes, offsets, bytes },
      this.#pages.dictionary!.isDistinct,
    );
  }
}

const allNull = (type: ParquetLeaf['conversion']['type'], length: number): Column => {
  const builder = new ColumnBuilder(type, length);
  for (let row = 0; row < length; row++) builder.appendNull();
  return builder.build();
};

function spreadCodes(dense: Uint32Array, validity: Uint8Array, length: number): Uint32Array {
  const codes = new Uint32Array(length);
  let next = 0;
  for (let row = 0; row < length; row++)
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) codes[row] = dense[next++]!;
  return codes;
}

function spreadOffsets(dense: Uint32Array, validity: Uint8Array, length: number): Uint32Array {
  const offsets = new Uint32Array(length + 1);
  let next = 0;
  for (let row = 0; row < length; row++) {
    if ((validity[row >> 3]! & (1 << (row & 7))) !== 0) next++;
    offsets[row + 1] = dense[next]!;
  }
  return offsets;
}
