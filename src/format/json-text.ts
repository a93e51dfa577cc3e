/** JSON text made of typed values, as UTF-8 in one growing buffer. */
import { rowSizeBytesMax } from './limits.ts';
import { Malformed } from './malformed.ts';
import { floatText } from './numeral.ts';

const encoder = new TextEncoder();
const hexDigits = '0123456789abcdef';

/** The text so far is bytes[0..size). @throws Malformed beyond `rowSizeBytesMax`: bytes may claim more than they are. */
export class JsonText {
  bytes = new Uint8Array(1024);
  size = 0;

  reset(): void {
    this.size = 0;
  }

  /** Punctuation, a numeral, a word. */
  raw(ascii: string): void {
    this.#reserve(ascii.length);
    for (let index = 0; index < ascii.length; index++) this.bytes[this.size++] = ascii.charCodeAt(index);
  }

  /** JSON has no name for NaN and the infinities: they are strings, as in Protobuf's JSON. */
  double(value: number): void {
    this.raw(Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`);
  }

  float(value: number): void {
    if (Number.isFinite(value)) this.raw(floatText(value));
    else this.double(value);
  }

  string(value: string): void {
    const utf8 = encoder.encode(value);
    this.utf8(utf8, 0, utf8.length);
  }

  /** A string given as UTF-8. */
  utf8(source: Uint8Array, from: number, to: number): void {
    this.#reserve((to - from) * 6 + 2);
    const bytes = this.bytes;
    let size = this.size;
    bytes[size++] = 34;
    for (let at = from; at < to; at++) {
      const byte = source[at]!;
      if (byte === 34 || byte === 92) {
        bytes[size++] = 92;
        bytes[size++] = byte;
      } else if (byte >= 32) bytes[size++] = byte;
      else {
        for (const letter of '\\u00') bytes[size++] = letter.charCodeAt(0);
        bytes[size++] = hexDigits.charCodeAt(byte >> 4);
        bytes[size++] = hexDigits.charCodeAt(byte & 15);
      }
    }
    bytes[size++] = 34;
    this.size = size;
  }

  /** Bytes that are no text. */
  base64(source: Uint8Array, from: number, to: number): void {
    this.raw('"');
    this.raw(Buffer.from(source.buffer, source.byteOffset + from, to - from).toString('base64'));
    this.raw('"');
  }

  #reserve(size: number): void {
    const needed = this.size + size;
    if (this.size > rowSizeBytesMax || size > rowSizeBytesMax * 8)
      throw new Malformed(`the value is more than ${rowSizeBytesMax} bytes of JSON text`);
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.size));
    this.bytes = bytes;
  }
}
