/** LIKE over UTF-8 bytes. */
import { fault } from '../base/fault.ts';
import { lowerCase } from './characters.ts';

export type ByteMatcher = (bytes: Uint8Array, start: number, end: number) => boolean;

/** A pattern is text between `%`s; in it, -1 stands for `_`. */
type Piece = Int16Array;

const anyCharacter = -1;
const encoder = new TextEncoder();

/** Pieces between the `%`s; `['a', 'b']` for `a%b`, `['', '']` for `%`. Runs of `%` count as one. */
function parsePattern(pattern: string, escapeCharacter: string | null): Piece[] {
  const pieces: number[][] = [[]];
  let quoted = false;
  let afterPercent = false;
  for (const char of pattern) {
    if (!quoted && char === escapeCharacter) {
      quoted = true;
      continue;
    }
    if (!quoted && char === '%') {
      if (!afterPercent) pieces.push([]);
      afterPercent = true;
      continue;
    }
    afterPercent = false;
    if (!quoted && char === '_') pieces.at(-1)!.push(anyCharacter);
    else pieces.at(-1)!.push(...encoder.encode(char));
    quoted = false;
  }
  if (quoted)
    throw fault('INVALID_LITERAL', 'LIKE pattern must not end with the escape character', {
      hint: `write ${escapeCharacter}${escapeCharacter} for the character itself`,
    });
  return pieces.map(piece => Int16Array.from(piece));
}

/** Where the piece ends if it matches at `at`, else -1. */
function matchPiece(piece: Piece, bytes: Uint8Array, at: number, end: number): number {
  let from = at;
  for (let index = 0; index < piece.length; index++) {
    if (from >= end) return -1;
    const wanted = piece[index]!;
    if (wanted === anyCharacter) {
      from++;
      while (from < end && (bytes[from]! & 0xc0) === 0x80) from++;
    } else if (bytes[from++] !== wanted) return -1;
  }
  return from;
}

const isPlain = (piece: Piece): boolean => !piece.includes(anyCharacter);

/** As `Uint8Array.indexOf` of a plain piece, by Boyer-Moore-Horspool: about (end - start) / piece.length steps. */
function compileSearch(piece: Piece): (bytes: Uint8Array, start: number, end: number) => number {
  const size = piece.length;
  const last = size - 1;
  const lastByte = piece[last]!;
  const shifts = new Int32Array(256).fill(size);
  for (let index = 0; index < last; index++) shifts[piece[index]!] = last - index;
  return (bytes, start, end) => {
    let at = start + last;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === lastByte) {
        let index = 0;
        while (index < last && bytes[at - last + index] === piece[index]) index++;
        if (index === last) return at - last;
      }
      at += shifts[byte]!;
    }
    return -1;
  };
}

/** Finds the piece at or after a position and answers where it ends, or -1. */
function compileFind(piece: Piece): (bytes: Uint8Array, start: number, end: number) => number {
  if (piece.length === 0) return (_, start) => start;
  if (isPlain(piece)) {
    const search = compileSearch(piece);
    return (bytes, start, end) => {
      const found = search(bytes, start, end);
      return found < 0 ? -1 : found + piece.length;
    };
  }
  return (bytes, start, end) => {
    for (let at = start; at < end; at++) {
      if (at > start && (bytes[at]! & 0xc0) === 0x80) continue;
      const after = matchPiece(piece, bytes, at, end);
      if (after >= 0) return after;
    }
    return -1;
  };
}

/** The piece's match that ends at `end`, tested backwards: where it starts, or -1. */
function matchPieceBack(piece: Piece, bytes: Uint8Array, start: number, end: number): number {
  let to = end;
  for (let index = piece.length - 1; index >= 0; index--) {
    if (to <= start) return -1;
    const wanted = piece[index]!;
    to--;
    if (wanted === anyCharacter) while (to > start && (bytes[to]! & 0xc0) === 0x80) to--;
    else if (bytes[to] !== wanted) return -1;
  }
  return to;
}

function compileBytes(pieces: readonly Piece[]): ByteMatcher {
  const first = pieces[0]!;
  if (pieces.length === 1) return (bytes, start, end) => matchPiece(first, bytes, start, end) === end;
  const last = pieces.at(-1)!;
  const finds = pieces.slice(1, -1).map(compileFind);
  if (first.length === 0 && last.length === 0) {
    if (finds.length === 0) return () => true;
    if (finds.length === 1) {
      const find = finds[0]!;
      return (bytes, start, end) => find(bytes, start, end) >= 0;
    }
  }
  return (bytes, start, end) => {
    let at = matchPiece(first, bytes, start, end);
    if (at < 0) return false;
    const tail = matchPieceBack(last, bytes, at, end);
    if (tail < 0) return false;
    for (const find of finds) {
      at = find(bytes, at, tail);
      if (at < 0) return false;
    }
    return true;
  };
}

/** ASCII letters of `bytes[start, end)` in lower case, in `into`; null where a byte is not ASCII. */
function foldAscii(bytes: Uint8Array, start: number, end: number, into: Uint8Array): Uint8Array | null {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 0x7f) return null;
    into[at - start] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  }
  return into;
}

/**
 * Tests a string's UTF-8 bytes against a LIKE pattern: `%` any run of characters, `_` any one character, `escapeCharacter` (null:
 * none) quotes what follows it. Matches the whole string. Cost: O(bytes) for one that is plain between its `%`s.
 * @throws {FaultError} INVALID_LITERAL where the pattern ends with the escape character.
 */
export function compileLike(pattern: string, escapeCharacter: string | null, caseInsensitive: boolean): ByteMatcher {
  if (!caseInsensitive) return compileBytes(parsePattern(pattern, escapeCharacter));
  const foldedEscape = escapeCharacter === null ? null : lowerCase(escapeCharacter);
  const match = compileBytes(parsePattern(lowerCase(pattern), foldedEscape));
  const decoder = new TextDecoder();
  let scratch = new Uint8Array(256);
  return (bytes, start, end) => {
    if (end - start > scratch.length) scratch = new Uint8Array((end - start) * 2);
    const folded = foldAscii(bytes, start, end, scratch);
    if (folded !== null) return match(folded, 0, end - start);
    const text = encoder.encode(lowerCase(decoder.decode(bytes.subarray(start, end))));
    return match(text, 0, text.length);
  };
}
