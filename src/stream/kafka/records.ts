/** The hot loop: records of a batch → columns. */

/** What the records of a batch count from. */
export interface RecordBase {
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestampMs: number;
  /** All records have it, where the topic takes the broker's clock; null: each its own. */
  readonly appendTimestampMs: number | null;
}

/** The columns of a MessageBatch in the making; sizes are those of all that will be appended, and a byte more. */
export class RecordColumns {
  readonly bytes: Uint8Array;
  count = 0;
  readonly offsets: Float64Array;
  readonly timestampsMs: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
  #sizeBytes = 0;

  constructor(recordCount: number, sizeBytes: number) {
    // A buffer of its own, not a part of Node's pool, so that it can be given away; every byte but the last is written.
    this.bytes = toPlain(Buffer.allocUnsafeSlow(sizeBytes));
    this.bytes[sizeBytes - 1] = 0;
    this.offsets = new Float64Array(recordCount);
    this.timestampsMs = new Float64Array(recordCount);
    this.keyStarts = new Int32Array(recordCount);
    this.keyEnds = new Int32Array(recordCount);
    this.valueStarts = new Int32Array(recordCount);
    this.valueEnds = new Int32Array(recordCount);
    this.headerStarts = new Int32Array(recordCount);
    this.headerEnds = new Int32Array(recordCount);
  }

  /**
   * Records from `position` on. False where the bytes are not exactly `recordCount` records in order of offset; then none
   * was added.
   */
  append(records: Uint8Array, recordCount: number, base: RecordBase, position: number): boolean {
    const { bytes, offsets, timestampsMs, keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, headerEnds } = this;
    const { baseOffset, lastOffsetDelta, baseTimestampMs, appendTimestampMs } = base;
    const start = this.#sizeBytes;
    const end = start + records.length;
    bytes.set(records, start);
    let index = this.count;
    let at = start;
    let previousDelta = -1;
    for (let left = recordCount; left > 0; left--) {
      // Each varint: one byte in place, more by the function that leaves its end in `varintEnd`.
      let value = bytes[at]!;
      if (value < 0x80) at++;
      else {
        value = readVarint(bytes, at, end);
        at = varintEnd;
      }
      const recordEnd = at + (value >>> 1);
      // An odd one is negative. A size beyond the records, or beyond 31 bits, which no batch can have.
      if ((value & 1) !== 0 || value < 0 || recordEnd > end || at < 0) return false;
      at++; // attributes: none are defined

      const delta = bytes[at]!;
      let timestampDelta: number;
      if (delta < 0x80) {
        timestampDelta = (delta >>> 1) ^ -(delta & 1);
        at++;
      } else {
        timestampDelta = readVarlong(bytes, at, recordEnd);
        at = varintEnd;
        if (at < 0) return false;
      }

      let offsetDelta = bytes[at]!;
      if (offsetDelta < 0x80) at++;
      else {
        offsetDelta = readVarint(bytes, at, recordEnd);
        at = varintEnd;
      }
      if ((offsetDelta & 1) !== 0 || offsetDelta < 0 || at < 0) return false;
      offsetDelta >>>= 1;
      if (offsetDelta <= previousDelta || offsetDelta > lastOffsetDelta) return false;
      previousDelta = offsetDelta;

      let size = bytes[at]!;
      if (size < 0x80) at++;
      else {
        size = readVarint(bytes, at, recordEnd);
        at = varintEnd;
      }
      if (at < 0) return false;
      let keyStart = -1;
      let keyEnd = -1;
      if ((size & 1) === 0) {
        keyStart = at;
        at = keyEnd = at + (size >>> 1);
      } else if (size !== 1) return false;
      if (at >= recordEnd) return false;

      size = bytes[at]!;
      if (size < 0x80) at++;
      else {
        size = readVarint(bytes, at, recordEnd);
        at = varintEnd;
      }
      if (at < 0) return false;
      let valueStart = -1;
      let valueEnd = -1;
      if ((size & 1) === 0) {
        valueStart = at;
        at = valueEnd = at + (size >>> 1);
      } else if (size !== 1) return false;
      if (at >= recordEnd) return false;

      const offset = baseOffset + offsetDelta;
      if (offset >= position) {
        offsets[index] = offset;
        timestampsMs[index] = appendTimestampMs ?? baseTimestampMs + timestampDelta;
        keyStarts[index] = keyStart;
        keyEnds[index] = keyEnd;
        valueStarts[index] = valueStart;
        valueEnds[index] = valueEnd;
        headerStarts[index] = at;
        headerEnds[index] = recordEnd;
        index++;
      }
      at = recordEnd;
    }
    if (at !== end) return false;
    this.count = index;
    this.#sizeBytes = end;
    return true;
  }

  /** Columns of `count` messages each. */
  finish() {
    const { count, bytes } = this;
    const ofCount = <T extends Float64Array | Int32Array>(column: T): T =>
      column.length === count ? column : (column.slice(0, count) as T);
    return {
      count,
      bytes,
      offsets: ofCount(this.offsets),
      timestampsMs: ofCount(this.timestampsMs),
      keyStarts: ofCount(this.keyStarts),
      keyEnds: ofCount(this.keyEnds),
      valueStarts: ofCount(this.valueStarts),
      valueEnds: ofCount(this.valueEnds),
      headerStarts: ofCount(this.headerStarts),
      headerEnds: ofCount(this.headerEnds),
    };
  }
}

const toPlain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** Behind the varint that was read last; -1 where it was none: cut off, or longer than its type. */
let varintEnd = 0;

/** Of 32 bits, zigzag not undone: even is positive, twice the value; above 31 bits it is negative here. */
function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = 0; index < 5 && at + index < end; index++) {
    const byte = bytes[at + index]!;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) {
      varintEnd = at + index + 1;
      return value;
    }
  }
  varintEnd = -1;
  return 0;
}

/** Of 64 bits, zigzag undone; exact up to 2⁵³. */
function readVarlong(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let index = 0; index < 10 && at + index < end; index++) {
    const byte = bytes[at + index]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      varintEnd = at + index + 1;
      const isNegative = (bytes[at]! & 1) === 1;
      return isNegative ? -Math.floor(value / 2) - 1 : value / 2;
    }
    scale *= 128;
  }
  varintEnd = -1;
  return 0;
}
