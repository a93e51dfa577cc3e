/** One column of a committed segment: from the buffers of columns.arrow to the arena's forms (block.ts). */
import { assert } from '../base/assert.ts';
import type { ZoneMap } from '../catalog/table.ts';
import { isPooled, type Type } from '../column/type.ts';
import type { Arena } from '../kernel/allocator.ts';
import { type BlockColumn, blockRows, type PhysicalForm, type Pool } from './block.ts';
import type { Resident } from './cache.ts';
import { blockCountOf, blockRowCount } from './encode.ts';
import { type BufferRef, columnsFile, type ManifestColumn } from './manifest.ts';
import type { SegmentSource } from './source.ts';

/** A pool whose addresses follow it as it comes and goes; the object stays, because caches know it by identity. */
class StoredPool implements Pool {
  offsetsAddress = 0;
  bytesAddress = 0;
  readonly count: number;
  readonly sorted: boolean;
  readonly distinct: boolean;

  constructor(count: number, isDictionary: boolean) {
    this.count = count;
    this.sorted = isDictionary;
    this.distinct = isDictionary;
  }
}

interface Loaded {
  readonly resident: Resident;
  readonly column: BlockColumn;
}

interface Layout {
  readonly form: PhysicalForm;
  readonly base: number;
}

/** Frames of reference must leave every element a signed 32-bit number. */
const frameSpanMax = 2 ** 31;
const uuidSizeBytes = 16;

/** Buffers that are converted on their way pass through here; the widest is 16 bytes a row. */
const scratch = new Uint8Array(blockRows * 16);
const scratchWords = new Int32Array(scratch.buffer);

const align64 = (size: number): number => Math.ceil(size / 64) * 64;

export class StoredColumn {
  readonly #column: ManifestColumn;
  readonly #rowCount: number;
  readonly #source: SegmentSource;
  readonly #arena: Arena;
  readonly #loaded: (Loaded | undefined)[] = [];
  /** 1: the block's buffers passed their checksums and checks once. */
  readonly #verified: Uint8Array;
  readonly #dictionary: StoredPool | null;
  #dictionaryResident: Resident | null = null;
  #dictionaryVerified = false;
  /** Of a raw column, by block; made with the block's first load. */
  readonly #rowPools: (StoredPool | undefined)[] = [];

  constructor(column: ManifestColumn, rowCount: number, source: SegmentSource) {
    this.#column = column;
    this.#rowCount = rowCount;
    this.#source = source;
    this.#arena = source.cache.arena;
    this.#verified = new Uint8Array(blockCountOf(rowCount));
    this.#dictionary = column.dictionary && new StoredPool(column.dictionary.count, true);
  }

  get name(): string {
    return this.#column.name;
  }

  get type(): Type {
    return this.#column.type;
  }

  zone(block: number): ZoneMap | null {
    return this.#column.blocks[block]?.zone ?? null;
  }

  /** What `bring` would read of the block: 0 where it is in the arena. A dictionary, which is read once, is not counted. */
  readSizeBytes(block: number): number {
    const known = this.#loaded[block];
    if (known && known.resident.address !== 0) return 0;
    return this.#column.blocks[block]!.buffers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /**
   * The block's column in the arena, read now if it is not there, and kept for this turn; null where there is no room.
   * @throws FaultError CORRUPT_SEGMENT
   */
  bring(block: number): BlockColumn | null {
    if (!this.#bringDictionary()) return null;
    const known = this.#loaded[block];
    if (known && known.resident.address !== 0) {
      this.#source.cache.touch(known.resident);
      return known.column;
    }
    const loaded = isPooled(this.#column.type) && !this.#dictionary ? this.#loadRows(block) : this.#loadValues(block);
    if (!loaded) return null;
    this.#loaded[block] = loaded;
    this.#verified[block] = 1;
    return loaded.column;
  }

  release(): void {
    for (const loaded of this.#loaded) if (loaded) this.#source.cache.release(loaded.resident);
    if (this.#dictionaryResident) this.#source.cache.release(this.#dictionaryResident);
  }

  /** Allocates, fills; gives the allocation back if filling it throws. */
  #fill(sizeBytes: number, fill: (address: number) => void): Resident | null {
    const resident = this.#source.cache.allocate(sizeBytes);
    if (!resident) return null;
    try {
      fill(resident.address);
    } catch (error) {
      this.#source.cache.release(resident);
      throw error;
    }
    return resident;
  }

  #read(ref: BufferRef, into: Uint8Array, verified: boolean, what: string): void {
    this.#source.read(columnsFile, ref, into, verified, `column ${this.#column.name}, ${what}`);
  }

  #readAt(ref: BufferRef, address: number, verified: boolean, what: string): void {
    this.#read(ref, this.#arena.u8.subarray(address, address + ref.sizeBytes), verified, what);
  }

  #bringDictionary(): boolean {
    const pool = this.#dictionary;
    if (!pool) return true;
    if (this.#dictionaryResident && this.#dictionaryResident.address !== 0) {
      this.#source.cache.touch(this.#dictionaryResident);
      return true;
    }
    const verified = this.#dictionaryVerified;
    const refs = this.#column.dictionary!.buffers;
    // One offset more than entries and their end, so that entry 0 of an empty dictionary is an empty string.
    const offsetsSize = align64((pool.count + 2) * 4);
    const bytesRef = refs.at(-1)!;
    this.#dictionaryResident = this.#fill(offsetsSize + bytesRef.sizeBytes, address => {
      pool.offsetsAddress = address;
      pool.bytesAddress = address + offsetsSize;
      if (refs.length === 1) this.#makeOffsets(address, pool.count);
      else this.#readOffsets(refs[0]!, address, pool.count, bytesRef.sizeBytes, verified, 'dictionary');
      this.#arena.u32[address / 4 + pool.count + 1] = bytesRef.sizeBytes;
      this.#readAt(bytesRef, pool.bytesAddress, verified, 'dictionary');
    });
    this.#dictionaryVerified ||= this.#dictionaryResident !== null;
    return this.#dictionaryResident !== null;
  }

  /** Offsets 0, 16, 32, … of UUIDs. */
  #makeOffsets(address: number, count: number): void {
    const { u32 } = this.#arena;
    for (let entry = 0, at = address / 4; entry <= count; entry++, at++) u32[at] = entry * uuidSizeBytes;
  }

  #readOffsets(
    ref: BufferRef,
    address: number,
    count: number,
    bytesSize: number,
    verified: boolean,
    what: string,
  ): void {
    this.#readAt(ref, address, verified, what);
    if (verified) return;
    const { u32 } = this.#arena;
    const first = address / 4;
    let ascending = u32[first] === 0 && u32[first + count] === bytesSize;
    for (let at = first; at < first + count; at++) ascending &&= u32[at]! <= u32[at + 1]!;
    if (!ascending) throw this.#corrupt(what, 'has offsets outside its bytes');
  }

  #corrupt(what: string, why: string): Error {
    return this.#source.corrupt(`column ${this.#column.name}, ${what}`, why);
  }

  /** A raw column: row r is entry r of the block's own pool. Offsets, bytes, validity in one allocation. */
  #loadRows(block: number): Loaded | null {
    const { type, blocks } = this.#column;
    const rowCount = blockRowCount(this.#rowCount, block);
    const verified = this.#verified[block] === 1;
    const what = `block ${block}`;
    const refs = [...blocks[block]!.buffers];
    const validityRef = blocks[block]!.zone.nullCount > 0 ? refs.shift()! : null;
    const bytesRef = refs.at(-1)!;
    const bytesAt = align64((rowCount + 1) * 4);
    const validityAt = bytesAt + align64(bytesRef.sizeBytes);
    const pool = (this.#rowPools[block] ??= new StoredPool(rowCount, false));
    const resident = this.#fill(validityAt + (validityRef?.sizeBytes ?? 0), address => {
      pool.offsetsAddress = address;
      pool.bytesAddress = address + bytesAt;
      if (type.name === 'UUID') this.#makeOffsets(address, rowCount);
      else this.#readOffsets(refs[0]!, address, rowCount, bytesRef.sizeBytes, verified, what);
      this.#readAt(bytesRef, pool.bytesAddress, verified, what);
      if (validityRef) this.#readAt(validityRef, address + validityAt, verified, what);
    });
    if (!resident) return null;
    const validityAddress = validityRef ? resident.address + validityAt : 0;
    return {
      resident,
      column: { type, form: 'rows', address: 0, base: 0, codeSizeBytes: 0, pool, validityAddress },
    };
  }

  /** Any other column: values, then validity. */
  #loadValues(block: number): Loaded | null {
    const { type, codeSizeBytes, blocks } = this.#column;
    const { zone, buffers } = blocks[block]!;
    const rowCount = blockRowCount(this.#rowCount, block);
    const verified = this.#verified[block] === 1;
    const layout = this.#dictionary ? { form: 'codes' as const, base: 0 } : layoutOf(type, zone);
    const [validityRef, data] = zone.nullCount > 0 ? [buffers[0]!, buffers.slice(1)] : [null, buffers];
    const validityAt = align64(rowCount * elementSize(layout.form, codeSizeBytes));
    const resident = this.#fill(validityAt + (validityRef?.sizeBytes ?? 0), address => {
      this.#fillValues(data, address, layout, block, rowCount);
      if (validityRef) this.#readAt(validityRef, address + validityAt, verified, `block ${block}`);
    });
    if (!resident) return null;
    const { address } = resident;
    const validityAddress = validityRef ? address + validityAt : 0;
    return { resident, column: { type, ...layout, address, codeSizeBytes, pool: this.#dictionary, validityAddress } };
  }

  #fillValues(data: readonly BufferRef[], address: number, layout: Layout, block: number, rowCount: number): void {
    const { name } = this.#column.type;
    const verified = this.#verified[block] === 1;
    const what = `block ${block}`;
    const toScratch = (ref: BufferRef, at = 0): void =>
      this.#read(ref, scratch.subarray(at, at + ref.sizeBytes), verified, what);
    if (name === 'BOOLEAN') {
      toScratch(data[0]!);
      const { u8 } = this.#arena;
      for (let row = 0; row < rowCount; row++) u8[address + row] = (scratch[row >> 3]! >>> (row & 7)) & 1;
    } else if (name === 'INTERVAL') {
      toScratch(data[0]!);
      toScratch(data[1]!, blockRows * 4);
      toScratch(data[2]!, blockRows * 8);
      joinIntervals(this.#arena.i32, address / 4, rowCount);
    } else if (layout.form === 'i32' && (name === 'LONG' || name === 'TIMESTAMP')) {
      toScratch(data[0]!);
      narrowLongs(this.#arena.i32, address / 4, layout.base, rowCount);
    } else {
      this.#readAt(data[0]!, address, verified, what);
      if (this.#dictionary && !verified) this.#checkCodes(address, rowCount, block);
    }
  }

  /** Codes beyond the dictionary would read other columns' memory. */
  #checkCodes(address: number, rowCount: number, block: number): void {
    const { codeSizeBytes } = this.#column;
    const { u8, u16, u32 } = this.#arena;
    const codes = codeSizeBytes === 1 ? u8 : codeSizeBytes === 2 ? u16 : u32;
    const start = address / codeSizeBytes;
    let max = 0;
    for (let at = start; at < start + rowCount; at++) if (codes[at]! > max) max = codes[at]!;
    if (max >= Math.max(this.#dictionary!.count, 1))
      throw this.#corrupt(`block ${block}`, `has code ${max} beyond its dictionary`);
  }
}

function layoutOf(type: Type, zone: ZoneMap): Layout {
  switch (type.name) {
    case 'BOOLEAN':
      return { form: 'u8', base: 0 };
    case 'INT':
    case 'DATE':
      return { form: 'i32', base: 0 };
    case 'FLOAT':
      return { form: 'f32', base: 0 };
    case 'DOUBLE':
      return { form: 'f64', base: 0 };
    case 'DECIMAL':
    case 'INTERVAL':
      return { form: 'i128', base: 0 };
    default: {
      if (zone.min === null || zone.max === null) return { form: 'i64', base: 0 };
      const base = Number(zone.min);
      const max = Number(zone.max);
      const fits = Number.isSafeInteger(base) && Number.isSafeInteger(max) && max - base < frameSpanMax;
      return fits ? { form: 'i32', base } : { form: 'i64', base: 0 };
    }
  }
}

function elementSize(form: PhysicalForm, codeSizeBytes: number): number {
  switch (form) {
    case 'u8':
      return 1;
    case 'i32':
    case 'f32':
      return 4;
    case 'i64':
    case 'f64':
      return 8;
    case 'i128':
      return 16;
    default:
      assert(form === 'codes', 'rows have no elements');
      return codeSizeBytes;
  }
}

/** value - base, which is known to fit: the low words alone tell it, modulo 2^32. */
function narrowLongs(out: Int32Array, at: number, base: number, rowCount: number): void {
  const baseLow = Number(BigInt.asIntN(32, BigInt(base)));
  for (let row = 0; row < rowCount; row++) out[at + row] = (scratchWords[2 * row]! - baseLow) | 0;
}

/** Months, days and ms from their thirds of the scratch to rows of days, months, ms low, ms high (see `Type`). */
function joinIntervals(out: Int32Array, at: number, rowCount: number): void {
  const months = 0;
  const days = blockRows;
  const ms = 2 * blockRows;
  for (let row = 0; row < rowCount; row++) {
    out[at + 4 * row] = scratchWords[days + row]!;
    out[at + 4 * row + 1] = scratchWords[months + row]!;
    out[at + 4 * row + 2] = scratchWords[ms + 2 * row]!;
    out[at + 4 * row + 3] = scratchWords[ms + 2 * row + 1]!;
  }
}
