import { Buffer } from 'node:buffer';
import { fault } from '../base/fault.ts';
import { byteKinds, structuredDepthMax, tags } from './structured.ts';

export interface Structured {
  /** Begins with the head room that was asked for. */
  readonly structure: Buffer;
  /** Contents of the byte arrays in order: views of the caller's memory. */
  readonly parts: readonly Uint8Array[];
}

/** Most messages are no longer. */
const firstSizeBytes = 512;

const varintSizeBytesMax = 5;

/** Up to this length a loop over the characters is faster than a call out of JavaScript. */
const shortLength = 24;

/** Keys of an object, one after the other, to the number of that list of keys. */
interface Shapes {
  number: number;
  readonly next: Map<string, Shapes>;
}

const isView = (value: object): value is ArrayBufferView => ArrayBuffer.isView(value);

/** @throws FaultError INTERNAL for what is no plain data: functions, symbols, dates, maps, errors, cycles. */
export function encodeStructured(value: unknown, headRoomBytes: number): Structured {
  const writer = new StructureWriter(headRoomBytes);
  writer.write(value, 0);
  return { structure: writer.take(), parts: writer.parts };
}

const unsendable = (what: string) => fault('INTERNAL', `${what} cannot be sent to another process`);

class StructureWriter {
  readonly parts: Uint8Array[] = [];
  #bytes: Buffer;
  #length: number;
  readonly #shapes: Shapes = { number: -1, next: new Map() };
  #shapeCount = 0;

  constructor(headRoomBytes: number) {
    this.#bytes = Buffer.allocUnsafe(headRoomBytes + firstSizeBytes);
    this.#length = headRoomBytes;
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  write(value: unknown, depth: number): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#byte(value ? tags.true : tags.false);
    else if (typeof value === 'bigint') this.#bigint(value);
    else if (value === undefined) this.#byte(tags.undefined);
    else if (value === null) this.#byte(tags.null);
    else if (typeof value !== 'object') throw unsendable(`a ${typeof value}`);
    else if (depth >= structuredDepthMax) throw unsendable(`a value nested deeper than ${structuredDepthMax} levels`);
    else if (Array.isArray(value)) this.#array(value, depth);
    else if (isView(value) || value instanceof ArrayBuffer) this.#content(value);
    else this.#object(value, depth);
  }

  #array(values: readonly unknown[], depth: number): void {
    this.#byte(tags.array);
    this.#varint(values.length);
    for (let index = 0; index < values.length; index++) this.write(values[index], depth + 1);
  }

  #object(value: object, depth: number): void {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      // Instances of classes are sent as their fields; what the language itself keeps hidden fields in has another name.
      const name = Object.prototype.toString.call(value);
      if (name !== '[object Object]') throw unsendable(name);
    }
    const keys = Object.keys(value);
    this.#shape(keys);
    for (const key of keys) this.write((value as Readonly<Record<string, unknown>>)[key], depth + 1);
  }

  #shape(keys: readonly string[]): void {
    let shape = this.#shapes;
    for (const key of keys) {
      let next = shape.next.get(key);
      if (!next) {
        next = { number: -1, next: new Map() };
        shape.next.set(key, next);
      }
      shape = next;
    }
    if (shape.number >= 0) {
      this.#byte(tags.knownShape);
      this.#varint(shape.number);
      return;
    }
    shape.number = this.#shapeCount++;
    this.#byte(tags.newShape);
    this.#varint(keys.length);
    for (const key of keys) this.#string(key);
  }

  #content(value: ArrayBuffer | ArrayBufferView): void {
    const kind = byteKinds.findIndex(type => value instanceof type);
    if (kind < 0) throw unsendable(Object.prototype.toString.call(value));
    this.#byte(tags.bytes);
    this.#byte(kind);
    this.#varint(value.byteLength);
    this.parts.push(
      isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value),
    );
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#byte(tags.int);
      this.#varint(((value << 1) ^ (value >> 31)) >>> 0);
    } else {
      this.#byte(tags.double);
      this.#reserve(8);
      this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.#byte(tags.bigint64);
      this.#reserve(8);
      this.#length = this.#bytes.writeBigInt64LE(value, this.#length);
      return;
    }
    const digits = (value < 0n ? -value : value).toString(16);
    const magnitude = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
    this.#byte(value < 0n ? tags.negativeBigint : tags.positiveBigint);
    this.#varint(magnitude.length);
    this.#reserve(magnitude.length);
    this.#bytes.set(magnitude, this.#length);
    this.#length += magnitude.length;
  }

  #string(text: string): void {
    if (text.length <= shortLength && this.#shortAscii(text)) return;
    const utf8SizeBytes = Buffer.byteLength(text);
    if (utf8SizeBytes === text.length) this.#text(tags.ascii, text, utf8SizeBytes, 'latin1');
    else if (/\p{Surrogate}/u.test(text)) this.#text(tags.utf16, text, text.length * 2, 'utf16le');
    else this.#text(tags.utf8, text, utf8SizeBytes, 'utf8');
  }

  /** False, with nothing written, where a character is not ASCII. */
  #shortAscii(text: string): boolean {
    this.#reserve(2 + text.length);
    const bytes = this.#bytes;
    const start = this.#length + 2;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    bytes[start - 2] = tags.ascii;
    bytes[start - 1] = text.length;
    this.#length = start + text.length;
    return true;
  }

  #text(tag: number, text: string, sizeBytes: number, encoding: 'latin1' | 'utf8' | 'utf16le'): void {
    this.#byte(tag);
    this.#varint(sizeBytes);
    this.#reserve(sizeBytes);
    this.#length += this.#bytes.write(text, this.#length, sizeBytes, encoding);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #varint(value: number): void {
    this.#reserve(varintSizeBytesMax);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(sizeBytes: number): void {
    if (this.#length + sizeBytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + sizeBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
