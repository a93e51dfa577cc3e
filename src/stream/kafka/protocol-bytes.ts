/** Kafka's primitive types, as its protocol guide has them: big-endian, and "compact" ones in flexible versions. */
import { fault } from '../../base/fault.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Numbers of 64 bits travel as doubles here: offsets and times stay far below 2⁵³. */
const readInt64 = (view: DataView, at: number): number => view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);

/** Reads an answer from front to back. @throws FaultError UNAVAILABLE where it ends too soon: it is no answer of a broker. */
export class ProtocolReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  #take(sizeBytes: number): number {
    const start = this.#at;
    if (sizeBytes < 0 || start + sizeBytes > this.#bytes.length) throw truncated();
    this.#at = start + sizeBytes;
    return start;
  }

  int8 = (): number => this.#view.getInt8(this.#take(1));
  int16 = (): number => this.#view.getInt16(this.#take(2));
  int32 = (): number => this.#view.getInt32(this.#take(4));
  int64 = (): number => readInt64(this.#view, this.#take(8));

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw truncated();
  }

  /** A view into the answer; null for null. */
  bytes(compact = false): Uint8Array | null {
    const sizeBytes = compact ? this.unsignedVarint() - 1 : this.int32();
    if (sizeBytes === -1) return null;
    const start = this.#take(sizeBytes);
    return this.#bytes.subarray(start, start + sizeBytes);
  }

  string(compact = false): string | null {
    const sizeBytes = compact ? this.unsignedVarint() - 1 : this.int16();
    if (sizeBytes === -1) return null;
    const start = this.#take(sizeBytes);
    return decoder.decode(this.#bytes.subarray(start, start + sizeBytes));
  }

  /** 32 hexadecimal digits; null for the zero id, which stands for none. */
  uuid(): string | null {
    const start = this.#take(16);
    const hex = Buffer.from(this.#bytes.subarray(start, start + 16)).toString('hex');
    return /^0+$/.test(hex) ? null : hex;
  }

  /** Null is empty. */
  array<T>(readItem: () => T, compact = false): T[] {
    const count = compact ? this.unsignedVarint() - 1 : this.int32();
    // Every item takes a byte at least: a count beyond that is no count, and must not become an allocation.
    if (count > this.#bytes.length - this.#at) throw truncated();
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(readItem());
    return items;
  }

  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.#take(this.unsignedVarint());
    }
  }
}

const truncated = () =>
  fault('UNAVAILABLE', 'the answer of a broker is cut off or is not of the Kafka protocol', {
    hint: 'check that the address belongs to an Apache Kafka broker',
  });

/** Builds a request. */
export class ProtocolWriter {
  #bytes = Buffer.allocUnsafe(256);
  #sizeBytes = 0;

  finish = (): Buffer => this.#bytes.subarray(0, this.#sizeBytes);

  #grow(sizeBytes: number): number {
    const start = this.#sizeBytes;
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#sizeBytes * 2);
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return start;
  }

  int8(value: number): this {
    const at = this.#grow(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#grow(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.#grow(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  unsignedVarint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 0x80);
    return this.#byte(rest);
  }

  /** Zigzag. */
  varint = (value: number): this => this.unsignedVarint(value >= 0 ? value * 2 : -value * 2 - 1);

  #byte(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  string(text: string | null, compact = false): this {
    const bytes = text === null ? null : encoder.encode(text);
    const sizeBytes = bytes?.length ?? -1;
    if (compact) this.unsignedVarint(sizeBytes + 1);
    else this.int16(sizeBytes);
    return bytes === null ? this : this.raw(bytes);
  }

  uuid = (hex: string | null): this => this.raw(hex === null ? new Uint8Array(16) : Buffer.from(hex, 'hex'));

  array<T>(items: readonly T[], writeItem: (item: T) => void, compact = false): this {
    if (compact) this.unsignedVarint(items.length + 1);
    else this.int32(items.length);
    for (const item of items) writeItem(item);
    return this;
  }

  /** None. */
  tags = (): this => this.#byte(0);
}
