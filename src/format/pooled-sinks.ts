/**
 * Sinks of the pooled types: STRING, JSON, UUID, BYTES.
 *
 * A STRING column starts as a dictionary and turns raw once its values do not repeat. Finding a repeated value costs about
 * what copying it would, the frame and the log get smaller, and the consuming segment interns each distinct value once a
 * batch instead of hashing every row.
 */
import type { Column } from '../column/column.ts';
import { parseUuid } from '../column/text.ts';
import type { Type, Value } from '../column/type.ts';
import { asciiText, quoted } from './excerpt.ts';
import { isJsonText } from './scan.ts';
import { type Reason, Sink } from './sink.ts';

const encoder = new TextEncoder();
const words = { true: encoder.encode('true'), false: encoder.encode('false') };

/** Byte strings one after another. */
class Pool {
  bytes: Uint8Array;
  offsets: Uint32Array;

  constructor(entries: number, bytesPerEntry: number) {
    this.bytes = new Uint8Array(Math.max(64, entries * bytesPerEntry));
    this.offsets = new Uint32Array(entries + 1);
  }

  /** Makes bytes[from..to) entry `entry`; the entries before it stand. */
  set(entry: number, bytes: Uint8Array, from: number, to: number): void {
    const start = this.offsets[entry]!;
    const size = to - from;
    if (start + size > this.bytes.length) this.#growBytes(start, size);
    const pool = this.bytes;
    if (size < 40) for (let index = 0; index < size; index++) pool[start + index] = bytes[from + index]!;
    else pool.set(bytes.subarray(from, to), start);
    this.offsets[entry + 1] = start + size;
  }

  #growBytes(used: number, size: number): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, used + size));
    bytes.set(this.bytes.subarray(0, used));
    this.bytes = bytes;
  }

  growEntries(entries: number): void {
    const offsets = new Uint32Array(entries + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }
}

abstract class PooledSink extends Sink {
  protected pool: Pool;

  constructor(type: Type, capacity: number, bytesPerEntry = 16) {
    super(type, capacity);
    this.pool = new Pool(capacity, bytesPerEntry);
  }

  protected override growTo(capacity: number): void {
    this.pool.growEntries(capacity);
  }

  protected put(bytes: Uint8Array, from: number, to: number, row: number): null {
    this.present(row);
    this.pool.set(row, bytes, from, to);
    return null;
  }

  override null(row: number): void {
    super.null(row);
    this.pool.offsets[row + 1] = this.pool.offsets[row]!;
  }

  override number(bytes: Uint8Array, from: number, to: number, _row: number): Reason {
    return this.mismatch(bytes, from, to);
  }

  override boolean(value: boolean, _row: number): Reason {
    return `${value} where ${this.type.name} is expected`;
  }

  override build(rowCount: number): Column {
    return {
      form: 'raw',
      type: this.type,
      length: rowCount,
      validity: this.validityOf(rowCount),
      offsets: this.pool.offsets.subarray(0, rowCount + 1),
      bytes: this.pool.bytes.subarray(0, this.pool.offsets[rowCount]!),
    };
  }
}

class JsonSink extends PooledSink {
  override readonly takesJson = true;

  override json(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.put(bytes, from, to, row);
  }

  /** Only from formats without JSON's types: the text must be JSON. */
  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return isJsonText(bytes, from, to) ? this.put(bytes, from, to, row) : `${quoted(bytes, from, to)} is no JSON text`;
  }

  protected override setValue(value: Value, row: number): void {
    const bytes = encoder.encode(value as string);
    this.put(bytes, 0, bytes.length, row);
  }
}

class UuidSink extends PooledSink {
  override binary(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return to - from === 16 ? this.put(bytes, from, to, row) : `${to - from} bytes where a UUID has 16`;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const uuid = to - from > 80 ? null : parseUuid(asciiText(bytes, from, to));
    return uuid === null ? this.mismatch(bytes, from, to) : this.put(uuid, 0, 16, row);
  }

  protected override setValue(value: Value, row: number): void {
    const uuid = parseUuid(value as string);
    if (uuid !== null) this.put(uuid, 0, 16, row);
  }
}

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

class BytesSink extends PooledSink {
  override binary(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.put(bytes, from, to, row);
  }

  /** Base64 (RFC 4648), padded or not. */
  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const text = asciiText(bytes, from, to);
    if (!base64Pattern.test(text)) return `${quoted(bytes, from, to)} is not base64, which BYTES are written in`;
    const value = Buffer.from(text, 'base64');
    return this.put(value, 0, value.length, row);
  }

  protected override setValue(value: Value, row: number): void {
    this.put(value as Uint8Array, 0, (value as Uint8Array).length, row);
  }
}

/** Distinct values that any column may have before repetition is asked for: fewer prove nothing. */
const freeEntries = 256;

/** Beyond this many, a batch's dictionary outgrows the processor's nearer caches, and its codes save little. */
const entriesMax = 1 << 15;

/** Slots looked at before the column is taken for one that does not fit this hash. Bounds hostile input, too. */
const probesMax = 12;

class StringSink extends PooledSink {
  /** Entry of each row; null once the column is raw (then entry r of the pool is row r). */
  #codes: Uint32Array | null;
  /** Open addressing, linear probing: entry + 1, or 0. */
  #slots = new Uint32Array(256);
  #hashes = new Uint32Array(128);
  /** The row that brought each entry. */
  #firstRows = new Uint32Array(128);
  #entryCount = 0;

  constructor(type: Type, capacity: number) {
    super(type, capacity);
    this.#codes = new Uint32Array(capacity);
  }

  protected override growTo(capacity: number): void {
    super.growTo(capacity);
    if (this.#codes === null) return;
    const codes = new Uint32Array(capacity);
    codes.set(this.#codes);
    this.#codes = codes;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const codes = this.#codes;
    if (codes === null) return this.put(bytes, from, to, row);
    const code = this.#find(bytes, from, to, row);
    if (code < 0) {
      this.#turnRaw(row);
      return this.put(bytes, from, to, row);
    }
    this.present(row);
    codes[row] = code;
    return null;
  }

  /** The value's entry, made where there is none; -1 where the column should be raw. */
  #find(bytes: Uint8Array, from: number, to: number, row: number): number {
    const hash = hashOf(bytes, from, to);
    const size = to - from;
    const mask = this.#slots.length - 1;
    const { bytes: pool, offsets } = this.pool;
    let slot = hash & mask;
    for (let probe = 0; ; probe++) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) break;
      if (this.#hashes[entry] === hash) {
        const start = offsets[entry]!;
        if (offsets[entry + 1]! - start === size) {
          let index = 0;
          while (index < size && pool[start + index] === bytes[from + index]) index++;
          if (index === size) return entry;
        }
      }
      if (probe === probesMax) return -1;
      slot = (slot + 1) & mask;
    }
    const entry = this.#entryCount;
    if (entry >= entriesMax || (entry >= freeEntries && entry * 4 > row * 3)) return -1;
    this.pool.set(entry, bytes, from, to);
    this.#entryCount++;
    if (entry + 1 === this.#hashes.length) this.#growTable();
    this.#hashes[entry] = hash;
    this.#firstRows[entry] = row;
    this.#insert(hash, entry);
    return entry;
  }

  #insert(hash: number, entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #growTable(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const firstRows = new Uint32Array(hashes.length);
    firstRows.set(this.#firstRows);
    this.#firstRows = firstRows;
    this.#slots = new Uint32Array(hashes.length * 2);
    for (let entry = 0; entry < this.#entryCount - 1; entry++) this.#insert(hashes[entry]!, entry);
  }

  #turnRaw(rowCount: number): void {
    const codes = this.#codes!;
    const { bytes, offsets } = this.pool;
    const raw = new Pool(this.capacity, 16);
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row]!;
      if (this.validity !== null && (this.validity[row >> 3]! & (1 << (row & 7))) === 0)
        raw.offsets[row + 1] = raw.offsets[row]!;
      else raw.set(row, bytes, offsets[code]!, offsets[code + 1]!);
    }
    this.pool = raw;
    this.#codes = null;
  }

  /** Entries that only a withdrawn row brought go again; the last are always the newest. */
  override rewind(row: number): void {
    while (this.#codes !== null && this.#entryCount > 0 && this.#firstRows[this.#entryCount - 1]! >= row) {
      const entry = --this.#entryCount;
      const mask = this.#slots.length - 1;
      let slot = this.#hashes[entry]! & mask;
      while (this.#slots[slot] !== entry + 1) slot = (slot + 1) & mask;
      // Nothing was inserted after it, so no probe sequence runs through its slot.
      this.#slots[slot] = 0;
    }
  }

  override null(row: number): void {
    if (this.#codes === null) super.null(row);
    else {
      Sink.prototype.null.call(this, row);
      this.#codes[row] = 0;
    }
  }

  /** A scalar becomes its text as it was written. */
  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.text(bytes, from, to, row);
  }

  override boolean(value: boolean, row: number): Reason {
    const word = value ? words.true : words.false;
    return this.text(word, 0, word.length, row);
  }

  /** Base64, as JSON has bytes. */
  override binary(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    return this.string(Buffer.from(bytes.subarray(from, to)).toString('base64'), row);
  }

  protected override setValue(value: Value, row: number): void {
    const bytes = encoder.encode(value as string);
    this.text(bytes, 0, bytes.length, row);
  }

  override build(rowCount: number): Column {
    if (this.#codes !== null && this.#entryCount * 2 > rowCount) this.#turnRaw(rowCount);
    if (this.#codes === null) return super.build(rowCount);
    return {
      form: 'dictionary',
      type: this.type,
      length: rowCount,
      validity: this.validityOf(rowCount),
      codes: this.#codes.subarray(0, rowCount),
      offsets: this.pool.offsets.subarray(0, this.#entryCount + 1),
      bytes: this.pool.bytes.subarray(0, this.pool.offsets[this.#entryCount]!),
    };
  }
}

/**
 * FNV-1a over a value's bytes, of a long one over parts of its start, middle and end: what values of one column share,
 * a prefix or a suffix, must not be all that is looked at.
 */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  const size = to - from;
  let hash = 0x811c9dc5 ^ size;
  if (size <= 24) for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  else {
    const middle = (from + to) >> 1;
    for (let index = 0; index < 8; index++) {
      hash = Math.imul(hash ^ bytes[from + index]!, 0x01000193);
      hash = Math.imul(hash ^ bytes[middle - 4 + index]!, 0x01000193);
      hash = Math.imul(hash ^ bytes[to - 8 + index]!, 0x01000193);
    }
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** The sink of a pooled type. */
export function createPooledSink(type: Type, capacity: number): Sink {
  switch (type.name) {
    case 'JSON':
      return new JsonSink(type, capacity);
    case 'UUID':
      return new UuidSink(type, capacity);
    case 'BYTES':
      return new BytesSink(type, capacity);
    default:
      return new StringSink(type, capacity);
  }
}
