/**
 * Arrow IPC streams, looked over before they are believed. The package follows offsets and counts wherever they lead; a
 * few wrong bytes could have it count to 2^31. After this, every offset stays inside its message and every count is
 * bounded by the bytes that are there.
 *
 * Formats: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc,
 * https://flatbuffers.dev/internals/
 */

/** Tables inside tables; a schema's fields count, deeper ones are no rows. */
const depthMax = 64;

/** Tables in all of one message: tables that several others point at are counted each time. */
const tablesMax = 1 << 16;

/** What a table's slot holds: a scalar's size, or what is pointed at. */
type Slot =
  | number
  | 'text'
  | { readonly items: number }
  | { readonly table: () => readonly Slot[] }
  | { readonly tables: () => readonly Slot[] };

const keyValue: readonly Slot[] = ['text', 'text'];
const keyValues: Slot = { tables: () => keyValue };
/** A type's own table, of whatever type: scalars of 1 to 4 bytes, but for the zone of a timestamp and the ids of a union. */
const typeWithText: readonly Slot[] = [2, 'text'];
const typeWithIds: readonly Slot[] = [2, { items: 4 }];
const plainType: readonly Slot[] = [1, 1, 1];
const timestampType = 10;
const unionType = 14;
const encoding: readonly Slot[] = [8, { table: () => plainType }, 1, 2];
const field = (type: readonly Slot[]): readonly Slot[] => [
  ...(['text', 1, 1, { table: () => type }, { table: () => encoding }] as const),
  ...([{ tables: () => fields }, keyValues] as const),
];
/** Stands for `field` of the type that the field's own third slot names. */
const fields: readonly Slot[] = [];
const schema: readonly Slot[] = [2, { tables: () => fields }, keyValues, { items: 8 }];
const recordBatch: readonly Slot[] = [8, { items: 16 }, { items: 16 }, { table: () => [1, 1] }, { items: 8 }];
const dictionaryBatch: readonly Slot[] = [8, { table: () => recordBatch }, 1];

/** Of a block: offset, size of its metadata, size of its body. */
const blockSize = 24;
const footer: readonly Slot[] = [2, { table: () => schema }, { items: blockSize }, { items: blockSize }, keyValues];

const headers: Readonly<Record<number, readonly Slot[]>> = { 1: schema, 2: dictionaryBatch, 3: recordBatch };

class Verifier {
  readonly #view: DataView;
  #tables = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where slot `index` of the table at `at` lies; 0: it is left out. */
  slot(at: number, index: number): number {
    const vtable = at - this.#view.getInt32(at, true);
    const size = this.#view.getUint16(vtable, true);
    if (4 + index * 2 + 2 > size) return 0;
    const offset = this.#view.getUint16(vtable + 4 + index * 2, true);
    return offset === 0 ? 0 : at + offset;
  }

  follow(at: number): number {
    return at + this.#view.getUint32(at, true);
  }

  byte(at: number): number {
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  /** 0 where it is left out. */
  long(at: number): number {
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  /** @throws RangeError where anything of the table leaves the bytes */
  table(at: number, slots: readonly Slot[], depth: number): void {
    if (depth > depthMax || ++this.#tables > tablesMax) throw new RangeError('too many tables');
    if (slots === fields) {
      const type = this.byte(this.slot(at, 2));
      slots = field(type === timestampType ? typeWithText : type === unionType ? typeWithIds : plainType);
    }
    slots.forEach((slot, index) => {
      const place = this.slot(at, index);
      if (place === 0) return;
      if (typeof slot === 'number') this.#within(place, slot);
      else if (slot === 'text') this.#items(this.follow(place), 1);
      else if ('items' in slot) this.#items(this.follow(place), slot.items);
      else if ('table' in slot) this.table(this.follow(place), slot.table(), depth + 1);
      else {
        const vector = this.follow(place);
        const count = this.#items(vector, 4);
        for (let item = 0; item < count; item++)
          this.table(this.follow(vector + 4 + item * 4), slot.tables(), depth + 1);
      }
    });
  }

  /** How many items the vector at `at` has. */
  #items(at: number, sizeBytes: number): number {
    const count = this.#view.getUint32(at, true);
    this.#within(at + 4, count * sizeBytes);
    return count;
  }

  #within(at: number, sizeBytes: number): void {
    if (at + sizeBytes > this.#view.byteLength) throw new RangeError('an offset leaves the message');
  }

  count(at: number): number {
    return at === 0 ? 0 : this.#view.getUint32(this.follow(at), true);
  }

  /** The two 64-bit numbers of item `index` of a vector of structs. */
  pair(at: number, index: number): readonly [number, number] {
    const item = this.follow(at) + 4 + index * 16;
    return [this.long(item), this.long(item + 8)];
  }
}

/** Columns of rows at their limit; more columns have fewer rows. */
const valuesPerRowMax = 16;

/**
 * Looks over an IPC stream or file.
 * @param rowsMax Of all its batches.
 * @param decompressedSizeMax What its compressed buffers may say that they become.
 * @throws Error that says what is wrong
 */
export function verifyArrow(bytes: Uint8Array, rowsMax: number, decompressedSizeMax: number): void {
  const verifier = new ArrowVerifier(rowsMax, decompressedSizeMax);
  if (isArrowFile(bytes) && bytes.length >= arrowFileStart.length + arrowFileEndSize) verifyFile(bytes, verifier);
  else verifyStream(bytes, verifier);
}

export const arrowFileStart = 'ARROW1\0\0';
/** The footer's size and the closing magic. */
export const arrowFileEndSize = 10;

export const isArrowFile = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, arrowFileStart.length)).toString('latin1') === arrowFileStart;

function verifyStream(bytes: Uint8Array, verifier: ArrowVerifier): void {
  let at = 0;
  while (at < bytes.length) {
    const size = verifier.verifyMessage(bytes.subarray(at), at === 0);
    if (size === 0) break;
    at += size;
  }
  if (at === 0) throw new Error('the value is no Arrow stream');
}

function verifyFile(bytes: Uint8Array, messages: ArrowVerifier): void {
  const from = arrowFooterStart(bytes.subarray(-arrowFileEndSize), bytes.length);
  for (const at of verifyFooter(bytes.subarray(from, bytes.length - arrowFileEndSize), from))
    messages.verifyMessage(bytes.subarray(at, from), false);
}

/** Where a file's footer begins. @param end The file's last `arrowFileEndSize` bytes. */
export function arrowFooterStart(end: Uint8Array, sizeBytes: number): number {
  const size = new DataView(end.buffer, end.byteOffset, end.byteLength).getInt32(0, true);
  const from = sizeBytes - arrowFileEndSize - size;
  if (size < 0 || from < arrowFileStart.length) throw new Error('the Arrow file has no footer');
  return from;
}

/** Looks over a footer that begins at byte `from` of the file; answers where the messages that it names begin. */
export function verifyFooter(bytes: Uint8Array, from: number): number[] {
  const verifier = new Verifier(bytes);
  const root = believed(() => {
    const table = verifier.follow(0);
    verifier.table(table, footer, 0);
    return table;
  });
  const positions: number[] = [];
  for (const index of [2, 3]) {
    const blocks = verifier.slot(root, index);
    const count = verifier.count(blocks);
    for (let block = 0; block < count; block++) {
      const at = verifier.long(verifier.follow(blocks) + 4 + block * blockSize);
      if (at < arrowFileStart.length || at >= from) throw new Error('the Arrow file has a message outside');
      positions.push(at);
    }
  }
  return positions;
}

const tooShort = 'the Arrow stream ends too early';

/** Looks over messages one by one. What they may claim together is bounded: rows of nulls and of nothing take no bytes. */
export class ArrowVerifier {
  #rows: number;
  #values: number;
  #decompressed: number;

  constructor(rowsMax: number, decompressedSizeMax: number) {
    this.#rows = rowsMax;
    this.#values = rowsMax * valuesPerRowMax;
    this.#decompressed = decompressedSizeMax;
  }

  /** Where the metadata of the message that begins so ends; 0: the stream does. */
  metadataEnd(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 4;
    if (from > bytes.length) throw new Error(tooShort);
    let size = view.getInt32(0, true);
    if (size === -1) {
      from += 4;
      if (from > bytes.length) throw new Error(tooShort);
      size = view.getInt32(from - 4, true);
    }
    if (size < 0) throw new Error('the value is no Arrow stream');
    return size === 0 ? 0 : from + size;
  }

  /** Of the message whose metadata, with what is before it, is `bytes`. */
  bodySize(bytes: Uint8Array, isFirst: boolean): number {
    return this.#partsOf(bytes, bytes.length, isFirst).bodySize;
  }

  /** The size of the message that begins at the first byte, with its body; 0 where the stream ends there. */
  verifyMessage(bytes: Uint8Array, isFirst: boolean): number {
    const end = this.metadataEnd(bytes);
    if (end === 0) return 0;
    if (end > bytes.length) throw new Error(tooShort);
    const { verifier, bodySize, batch, isRows } = this.#partsOf(bytes, end, isFirst);
    if (bodySize > bytes.length - end) throw new Error(tooShort);
    if (batch !== 0) this.#verifyBatch(verifier, batch, bytes.subarray(end, end + bodySize), isRows);
    return end + bodySize;
  }

  #partsOf(bytes: Uint8Array, end: number, isFirst: boolean): MessageParts {
    const from = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true) === -1 ? 8 : 4;
    const verifier = new Verifier(bytes.subarray(from, end));
    const parts = believed(() => partsOf(verifier, isFirst));
    if (parts.bodySize < 0) throw new Error(tooShort);
    return parts;
  }

  #verifyBatch(verifier: Verifier, batch: number, body: Uint8Array, isRows: boolean): void {
    const rows = verifier.long(verifier.slot(batch, 0));
    if (rows < 0) throw new Error('a batch of a negative size');
    if (isRows) this.#rows -= rows;
    const nodes = verifier.slot(batch, 1);
    for (let index = 0; index < verifier.count(nodes); index++) {
      const [length, nullCount] = verifier.pair(nodes, index);
      if (length < 0 || nullCount < 0 || nullCount > length) throw new Error('a column of a negative size');
      this.#values -= length;
    }
    if (this.#rows < 0 || this.#values < 0) throw new Error('the Arrow stream has more rows or values than the limit');
    const compression = verifier.slot(batch, 3);
    const buffers = verifier.slot(batch, 2);
    for (let index = 0; index < verifier.count(buffers); index++) {
      const [offset, size] = verifier.pair(buffers, index);
      if (offset < 0 || size < 0 || offset + size > body.length) throw new Error('a buffer leaves its Arrow message');
      if (compression !== 0 && size > 0) this.#verifyCompressed(body.subarray(offset, offset + size));
    }
  }

  /** A compressed buffer begins with its size; -1: it is not compressed after all. */
  #verifyCompressed(buffer: Uint8Array): void {
    if (buffer.length < 8) throw new Error('a compressed buffer without its size');
    const size = Number(new DataView(buffer.buffer, buffer.byteOffset).getBigInt64(0, true));
    if (size < -1) throw new Error('a compressed buffer of a negative size');
    this.#decompressed -= Math.max(size, 0);
    if (this.#decompressed < 0) throw new Error('the Arrow stream decompresses to more than the limit');
  }
}

function believed<Result>(verify: () => Result): Result {
  try {
    return verify();
  } catch (error) {
    throw new Error('the value is no Arrow stream', { cause: error });
  }
}

interface MessageParts {
  readonly verifier: Verifier;
  readonly bodySize: number;
  /** Where the record batch lies, of rows or of a dictionary's entries; 0: there is none. */
  readonly batch: number;
  readonly isRows: boolean;
}

function partsOf(verifier: Verifier, isFirst: boolean): MessageParts {
  const root = verifier.follow(0);
  const header = headers[verifier.byte(verifier.slot(root, 1))];
  if (header === undefined || isFirst !== (header === schema)) throw new RangeError('not a message of Arrow');
  verifier.table(root, [2, 1, { table: () => header }, 8, keyValues], 0);
  const place = verifier.slot(root, 2);
  if (place === 0) throw new RangeError('a message without content');
  const isRows = header === recordBatch;
  let batch = isRows ? verifier.follow(place) : 0;
  if (header === dictionaryBatch) {
    const data = verifier.slot(verifier.follow(place), 1);
    if (data === 0) throw new RangeError('a dictionary without content');
    batch = verifier.follow(data);
  }
  return { verifier, bodySize: verifier.long(verifier.slot(root, 3)), batch, isRows };
}
