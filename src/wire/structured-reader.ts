import { Buffer } from 'node:buffer';
import { malformed } from './message.ts';
import { byteKinds, structuredDepthMax, tags } from './structured.ts';

export interface Destructured {
  readonly value: unknown;
  /** The memory of the value's byte arrays, each of its own and not filled yet, in the order in which their contents follow. */
  readonly parts: readonly Uint8Array[];
}

/**
 * Trusts nothing: sizes and counts are compared with what is there before anything of that size is made. An item of the
 * value takes one byte of `structure` at least.
 * @param bytesSize What the contents of all byte arrays together must have.
 * @throws FaultError CORRUPT_FRAME
 */
export function decodeStructured(structure: Uint8Array, bytesSize: number): Destructured {
  const reader = new StructureReader(structure, bytesSize);
  const value = reader.read(0);
  reader.end();
  return { value, parts: reader.parts };
}

/** Up to this length a loop over the characters is faster than a call out of JavaScript. */
const shortLength = 16;

class StructureReader {
  readonly parts: Uint8Array[] = [];
  readonly #bytes: Buffer;
  #position = 0;
  #bytesLeft: number;
  readonly #shapes: (readonly string[])[] = [];

  constructor(structure: Uint8Array, bytesSize: number) {
    this.#bytes = Buffer.from(structure.buffer, structure.byteOffset, structure.byteLength);
    this.#bytesLeft = bytesSize;
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw malformed('bytes follow its value');
    if (this.#bytesLeft !== 0) throw malformed('its byte arrays are smaller than their contents');
  }

  read(depth: number): unknown {
    if (depth > structuredDepthMax) throw malformed(`it nests deeper than ${structuredDepthMax} levels`);
    const tag = this.#byte();
    switch (tag) {
      case tags.null:
        return null;
      case tags.undefined:
        return undefined;
      case tags.false:
        return false;
      case tags.true:
        return true;
      case tags.int: {
        const zigzag = this.#varint();
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
      case tags.double:
        return this.#bytes.readDoubleLE(this.#take(8));
      case tags.bigint64:
        return this.#bytes.readBigInt64LE(this.#take(8));
      case tags.positiveBigint:
        return this.#magnitude();
      case tags.negativeBigint:
        return -this.#magnitude();
      case tags.array:
        return this.#array(depth);
      case tags.newShape:
        return this.#object(this.#shape(), depth);
      case tags.knownShape: {
        const shape = this.#shapes[this.#varint()];
        if (!shape) throw malformed('a shape that was not there before');
        return this.#object(shape, depth);
      }
      case tags.bytes:
        return this.#content();
      default:
        return this.#string(tag);
    }
  }

  #array(depth: number): unknown[] {
    const count = this.#count();
    const values: unknown[] = [];
    for (let index = 0; index < count; index++) values.push(this.read(depth + 1));
    return values;
  }

  #object(keys: readonly string[], depth: number): object {
    const value: Record<string, unknown> = {};
    for (const key of keys) {
      const field = this.read(depth + 1);
      // Assigning to this one name would set the prototype.
      if (key !== '__proto__') value[key] = field;
      else Object.defineProperty(value, key, { value: field, enumerable: true, writable: true, configurable: true });
    }
    return value;
  }

  #shape(): readonly string[] {
    const count = this.#count();
    const keys: string[] = [];
    for (let index = 0; index < count; index++) keys.push(this.#string(this.#byte()));
    if (new Set(keys).size !== count) throw malformed('a key twice in an object');
    this.#shapes.push(keys);
    return keys;
  }

  #content(): ArrayBuffer | ArrayBufferView {
    const type = byteKinds[this.#byte()];
    const sizeBytes = this.#varint();
    if (!type) throw malformed('an unknown kind of bytes');
    if (sizeBytes > this.#bytesLeft) throw malformed('its byte arrays are larger than their contents');
    const elementSizeBytes = type === ArrayBuffer ? 1 : (type as Uint8ArrayConstructor).BYTES_PER_ELEMENT;
    if (sizeBytes % elementSizeBytes !== 0) throw malformed('a typed array of no whole number of elements');
    this.#bytesLeft -= sizeBytes;
    // Not zeroed: nobody is given the value before all of it is filled.
    const { buffer } = Buffer.allocUnsafeSlow(sizeBytes);
    if (sizeBytes > 0) this.parts.push(new Uint8Array(buffer));
    return type === ArrayBuffer ? buffer : new (type as Uint8ArrayConstructor)(buffer);
  }

  #magnitude(): bigint {
    const sizeBytes = this.#count();
    const start = this.#take(sizeBytes);
    return BigInt(`0x0${this.#bytes.toString('hex', start, start + sizeBytes)}`);
  }

  #string(tag: number): string {
    if (tag < tags.ascii || tag > tags.utf16) throw malformed(`an unknown tag ${tag}`);
    const sizeBytes = this.#count();
    const start = this.#take(sizeBytes);
    const end = start + sizeBytes;
    if (tag === tags.utf8) return this.#bytes.toString('utf8', start, end);
    if (tag === tags.utf16) return this.#bytes.toString('utf16le', start, end);
    if (sizeBytes > shortLength) return this.#bytes.toString('latin1', start, end);
    let text = '';
    for (let position = start; position < end; position++) text += String.fromCharCode(this.#bytes[position]!);
    return text;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Of things that take a byte each, at least. */
  #count(): number {
    const count = this.#varint();
    if (count > this.#bytes.length - this.#position) throw malformed('it ends too early');
    return count;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte > 0x7f) continue;
      if (value > 0xffff_ffff) break;
      return value;
    }
    throw malformed('an integer of more than 32 bits');
  }

  /** Where the next `sizeBytes` begin. */
  #take(sizeBytes: number): number {
    const start = this.#position;
    if (sizeBytes > this.#bytes.length - start) throw malformed('it ends too early');
    this.#position = start + sizeBytes;
    return start;
  }
}
