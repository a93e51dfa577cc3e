/** Input bytes as text for people: reasons, reject logs. */
import { formatHex } from '../column/text.ts';
import { excerptSizeBytes, quotedLengthMax } from './limits.ts';

const decoder = new TextDecoder();

/** The start of a row as it came; bytes that are no UTF-8 show as U+FFFD. */
export const excerptOf = (bytes: Uint8Array, from: number, to: number): string =>
  decoder.decode(bytes.subarray(from, Math.min(to, from + excerptSizeBytes)));

/** The start of binary input in hexadecimal digits, two a byte. */
export const hexExcerptOf = (bytes: Uint8Array, from: number, to: number): string =>
  formatHex(bytes.subarray(from, Math.min(to, from + excerptSizeBytes / 2)));

/** A value as a reason quotes it. */
export function quoted(bytes: Uint8Array, from: number, to: number): string {
  const text = decoder.decode(bytes.subarray(from, Math.min(to, from + quotedLengthMax)));
  return JSON.stringify(to - from > quotedLengthMax ? `${text}…` : text);
}

/** ASCII text of a number, time and the like; not for text that may hold more. */
export const asciiText = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
