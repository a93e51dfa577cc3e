/** Functions over strings. Each runs once per entry that occurs, where entries repeat and the other arguments are constant. */
import { createHash } from 'node:crypto';
import { BOOLEAN, BYTES, INT, STRING, type Type } from '../column/type.ts';
import type { Nulls, StringVector, Vector } from '../column/vector.ts';
import { toText } from './cast-text.ts';
import {
  characterCount,
  initialCapitals,
  lowerCase,
  padCharacters,
  positionOf,
  reverseCharacters,
  sliceCharacters,
  splitPart,
  trimCharacters,
  upperCase,
} from './characters.ts';
import { invalidArgument } from './errors.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define, type Param } from './signature.ts';
import { decodeText, entryEnd, entryStart, entryText, forEachEntry, PoolBuilder } from './strings.ts';
import { boolVector, isConstant, numbersOf, numberVector, stringVector, unionNulls, VectorBuilder } from './vectors.ts';

type Evaluate = ScalarFunction['evaluate'];
type Scalar = string | number | boolean;

const readRow = (vector: Vector, row: number): Scalar =>
  vector.form === 'string' ? entryText(vector.pool, vector.ids[row]!) : numbersOf(vector)[row]!;

/** Where results go: an index handed out by `add`, set at each row that has it. */
interface Sink {
  add(value: Scalar): number;
  set(row: number, index: number): void;
  finish(nulls: Nulls): Vector;
}

function makeSink(type: Type, length: number): Sink {
  if (type.name === 'STRING') {
    const pool = new PoolBuilder();
    const ids = new Uint32Array(length);
    return {
      add: value => pool.addText(value as string),
      set: (row, index) => {
        ids[row] = index;
      },
      finish: nulls => {
        if (pool.count === 0) pool.addText('');
        return stringVector(ids, pool.finish(), length, nulls);
      },
    };
  }
  const values: number[] = [];
  const out = type.name === 'BOOLEAN' ? new Uint8Array(length) : new Float64Array(length);
  return {
    add: value => values.push(Number(value)) - 1,
    set: (row, index) => {
      out[row] = values[index]!;
    },
    finish: nulls => (out instanceof Uint8Array ? boolVector(out, length, nulls) : numberVector(out, length, nulls)),
  };
}

/** A function of one row's values (strings and numbers), NULL where any argument is. */
const perEntry =
  (compute: (...values: never[]) => Scalar): Evaluate =>
  (args, length, _context, types) => {
    const nulls = unionNulls(args, length);
    const sink = makeSink(types.result, length);
    const values: Scalar[] = [];
    const apply = compute as (...values: Scalar[]) => Scalar;
    const varying = args.findIndex(arg => !isConstant(arg, length));
    const only = Math.max(varying, 0);
    const subject = args[only]!;
    if (length > 0 && subject.form === 'string' && args.every((arg, at) => at === only || isConstant(arg, length))) {
      for (let at = 0; at < args.length; at++) values[at] = at === only ? '' : readRow(args[at]!, 0);
      const visit = (row: number, index: number): void => sink.set(row, index);
      forEachEntry(
        subject,
        nulls,
        length,
        id => {
          values[only] = entryText(subject.pool, id);
          return sink.add(apply(...values));
        },
        visit,
      );
      return sink.finish(nulls);
    }
    for (let row = 0; row < length; row++) {
      if (nulls !== null && nulls[row] !== 0) continue;
      for (let at = 0; at < args.length; at++) values[at] = readRow(args[at]!, row);
      sink.set(row, sink.add(apply(...values)));
    }
    return sink.finish(nulls);
  };

/** A number from an entry's bytes. */
const measure =
  (compute: (bytes: Uint8Array, start: number, end: number) => number): Evaluate =>
  ([arg], length) => {
    const vector = arg as StringVector;
    const { pool } = vector;
    const out = new Float64Array(length);
    const size = (id: number): number => compute(pool.bytes, entryStart(pool, id), entryEnd(pool, id));
    forEachEntry(vector, vector.nulls, length, size, (row, value) => {
      out[row] = value;
    });
    return numberVector(out, length, vector.nulls);
  };

/** UTF-8 continues a character with bytes 10xxxxxx. */
function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) count += (bytes[at]! & 0xc0) === 0x80 ? 0 : 1;
  return count;
}

const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false;
  return true;
};

/** Upper or lower case: bytes for ASCII, text for the rest. */
function changeCase(first: number, last: number, convert: (text: string) => string): Evaluate {
  return ([arg], length) => {
    const vector = arg as StringVector;
    const { pool } = vector;
    const out = new PoolBuilder();
    const ids = new Uint32Array(length);
    let scratch = new Uint8Array(256);
    const compute = (id: number): number => {
      const [start, end] = [entryStart(pool, id), entryEnd(pool, id)];
      if (!isAscii(pool.bytes, start, end)) return out.addText(convert(decodeText(pool.bytes, start, end)));
      if (end - start > scratch.length) scratch = new Uint8Array((end - start) * 2);
      for (let at = start; at < end; at++) {
        const byte = pool.bytes[at]!;
        scratch[at - start] = byte >= first && byte <= last ? byte ^ 0x20 : byte;
      }
      return out.addBytes(scratch, 0, end - start);
    };
    forEachEntry(vector, vector.nulls, length, compute, (row, id) => {
      ids[row] = id;
    });
    if (out.count === 0) out.addText('');
    return stringVector(ids, out.finish(), length, vector.nulls);
  };
}

/** a || b on bytes: STRING and BYTES alike. */
const joinBytes: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const [a, b] = args as [StringVector, StringVector];
  const pool = new PoolBuilder();
  const ids = new Uint32Array(length);
  const join = (left: number, right: number): number => {
    pool.append(a.pool.bytes, entryStart(a.pool, left), entryEnd(a.pool, left));
    pool.append(b.pool.bytes, entryStart(b.pool, right), entryEnd(b.pool, right));
    return pool.endEntry();
  };
  const visit = (row: number, id: number): void => {
    ids[row] = id;
  };
  if (length > 0 && isConstant(b, length)) forEachEntry(a, nulls, length, id => join(id, b.ids[0]!), visit);
  else if (length > 0 && isConstant(a, length)) forEachEntry(b, nulls, length, id => join(a.ids[0]!, id), visit);
  else
    for (let row = 0; row < length; row++)
      if (nulls === null || nulls[row] === 0) ids[row] = join(a.ids[row]!, b.ids[row]!);
  if (pool.count === 0) pool.addText('');
  return stringVector(ids, pool.finish(), length, nulls);
};

const shortBooleans = ['f', 't'] as const;

/** The text of any argument as CONCAT shows it: BOOLEAN by one letter, as PostgreSQL. */
function textOf(vector: Vector, type: Type, length: number): StringVector {
  if (vector.form === 'string' && (type.name === 'STRING' || type.name === 'JSON')) return vector;
  if (vector.form !== 'bool') return toText(vector, type, length);
  const builder = new VectorBuilder(STRING, length);
  for (let row = 0; row < length; row++)
    if (vector.nulls === null || vector.nulls[row] === 0) builder.set(row, shortBooleans[vector.values[row] as 0 | 1]);
  return builder.finish() as StringVector;
}

/** CONCAT and CONCAT_WS: NULL arguments are left out; a NULL separator makes the result NULL. */
const concatenate =
  (hasSeparator: boolean): Evaluate =>
  (args, length, _context, types) => {
    const texts = args.map((arg, at) => textOf(arg, types.args[at]!, length));
    const separator = hasSeparator ? texts.shift()! : null;
    const pool = new PoolBuilder();
    const ids = new Uint32Array(length);
    const appendRow = (vector: StringVector, row: number): void => {
      const id = vector.ids[row]!;
      pool.append(vector.pool.bytes, entryStart(vector.pool, id), entryEnd(vector.pool, id));
    };
    for (let row = 0; row < length; row++) {
      if (separator !== null && separator.nulls !== null && separator.nulls[row] !== 0) continue;
      let isFirst = true;
      for (const text of texts) {
        if (text.nulls !== null && text.nulls[row] !== 0) continue;
        if (separator !== null && !isFirst) appendRow(separator, row);
        appendRow(text, row);
        isFirst = false;
      }
      ids[row] = pool.endEntry();
    }
    if (pool.count === 0) pool.addText('');
    return stringVector(ids, pool.finish(), length, separator?.nulls ?? null);
  };

/** Characters one result may have: a guard against `repeat('x', 2000000000)`. */
export const textLengthMax = 16 * 1024 * 1024;

function checkLength(length: number): number {
  if (length > textLengthMax) throw invalidArgument(`requested length too large: at most ${textLengthMax} characters`);
  return length;
}

/** Characters from `start` (from 1; earlier ones count, but do not exist) on, `count` of them or all. */
function substring(text: string, start: number, count = Number.POSITIVE_INFINITY): string {
  if (count < 0) throw invalidArgument('negative substring length not allowed');
  return sliceCharacters(text, start - 1, start - 1 + count);
}

function replaceAll(text: string, part: string, by: string): string {
  if (part === '') return text;
  const pieces = text.split(part);
  checkLength(text.length + (pieces.length - 1) * (by.length - part.length));
  return pieces.join(by);
}

function repeatText(text: string, count: number): string {
  if (count <= 0) return '';
  checkLength(text.length * count);
  return text.repeat(count);
}

function splitText(text: string, delimiter: string, index: number): string {
  if (index === 0) throw invalidArgument('field position must not be zero');
  return splitPart(text, delimiter, index);
}

/** Surrogates are halves of characters, not characters. */
function characterOf(code: number): string {
  if (code === 0) throw invalidArgument('null character not permitted');
  if (code < 0) throw invalidArgument('character number must be positive');
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw invalidArgument(`requested character not valid: ${code}`, 'Unicode ends at 1114111');
  return String.fromCodePoint(code);
}

const firstCharacters = (text: string, count: number): string =>
  sliceCharacters(text, 0, count >= 0 ? count : characterCount(text) + count);

function lastCharacters(text: string, count: number): string {
  const length = characterCount(text);
  return sliceCharacters(text, count >= 0 ? length - count : -count, length);
}

const pad =
  (atStart: boolean) =>
  (text: string, length: number, fill = ' '): string =>
    padCharacters(text, checkLength(length), fill, atStart);

const trim =
  (atStart: boolean, atEnd: boolean) =>
  (text: string, set = ' '): string =>
    trimCharacters(text, set, atStart, atEnd);

const digestBytes: Evaluate = ([arg], length) => {
  const vector = arg as StringVector;
  const { pool } = vector;
  const out = new PoolBuilder();
  const ids = new Uint32Array(length);
  const digest = (id: number): number => {
    const bytes = pool.bytes.subarray(entryStart(pool, id), entryEnd(pool, id));
    return out.addText(createHash('md5').update(bytes).digest('hex'));
  };
  forEachEntry(vector, vector.nulls, length, digest, (row, id) => {
    ids[row] = id;
  });
  if (out.count === 0) out.addText('');
  return stringVector(ids, out.finish(), length, vector.nulls);
};

const text = (name: string, params: readonly Param[], summary: string, compute: (...values: never[]) => string) =>
  define(name, params, STRING, summary, perEntry(compute));
const number = (name: string, params: readonly Param[], summary: string, compute: (...values: never[]) => number) =>
  define(name, params, INT, summary, perEntry(compute));
const test = (name: string, summary: string, compute: (text: string, part: string) => boolean) =>
  define(name, ['STRING', 'STRING'], BOOLEAN, summary, perEntry(compute));

const joined = 'One after the other: a || b. NULL where either is.';
const octets = measure((_bytes, start, end) => end - start);

function defineTrim(name: string, summary: string, atStart: boolean, atEnd: boolean): Definition[] {
  const compute = trim(atStart, atEnd);
  return [text(name, ['STRING'], summary, compute), text(name, ['STRING', 'STRING'], summary, compute)];
}

export const textFunctions: readonly Definition[] = [
  define('textcat', ['STRING', 'STRING'], STRING, joined, joinBytes),
  define('textcat', ['STRING', 'TEXT'], STRING, joined, joinBytes),
  define('textcat', ['TEXT', 'STRING'], STRING, joined, joinBytes),
  define('textcat', ['BYTES', 'BYTES'], BYTES, joined, joinBytes),
  define('concat', ['ANY'], STRING, 'The texts of all arguments, NULLs left out.', concatenate(false), true),
  define('concat_ws', ['STRING', 'ANY'], STRING, 'As concat, with a separator between.', concatenate(true), true),
  define('lower', ['STRING'], STRING, 'In lower case.', changeCase(0x41, 0x5a, lowerCase)),
  define('upper', ['STRING'], STRING, 'In upper case.', changeCase(0x61, 0x7a, upperCase)),
  text('initcap', ['STRING'], 'Each word with a capital first letter.', initialCapitals),
  define('length', ['STRING'], INT, 'Number of characters.', measure(countCharacters)),
  define('length', ['BYTES'], INT, 'Number of bytes.', octets),
  define('octet_length', ['STRING'], INT, 'Number of bytes, in UTF-8.', octets),
  define('octet_length', ['BYTES'], INT, 'Number of bytes.', octets),
  text('substr', ['STRING', 'INT'], 'Characters from a position (from 1) on.', substring),
  text('substr', ['STRING', 'INT', 'INT'], 'So many characters from a position (from 1) on.', substring),
  text('left', ['STRING', 'INT'], 'The first n characters; negative n: all but the last.', firstCharacters),
  text('right', ['STRING', 'INT'], 'The last n characters; negative n: all but the first.', lastCharacters),
  ...defineTrim('btrim', 'Without the characters of a set (spaces) at both ends.', true, true),
  ...defineTrim('ltrim', 'Without the characters of a set (spaces) at the start.', true, false),
  ...defineTrim('rtrim', 'Without the characters of a set (spaces) at the end.', false, true),
  text('replace', ['STRING', 'STRING', 'STRING'], 'Every occurrence of b replaced by c.', replaceAll),
  number('strpos', ['STRING', 'STRING'], 'Position of b in a, from 1; 0 where it is not.', positionOf),
  number(
    'position',
    ['STRING', 'STRING'],
    'Position of a in b, from 1; 0 where it is not.',
    (part: string, whole: string) => positionOf(whole, part),
  ),
  test('starts_with', 'Does a start with b?', (whole, part) => whole.startsWith(part)),
  test('ends_with', 'Does a end with b?', (whole, part) => whole.endsWith(part)),
  test('contains', 'Is b in a?', (whole, part) => whole.includes(part)),
  text('lpad', ['STRING', 'INT'], 'Filled up with spaces at the start, or cut, to n characters.', pad(true)),
  text('lpad', ['STRING', 'INT', 'STRING'], 'Filled up at the start, or cut, to n characters.', pad(true)),
  text('rpad', ['STRING', 'INT'], 'Filled up with spaces at the end, or cut, to n characters.', pad(false)),
  text('rpad', ['STRING', 'INT', 'STRING'], 'Filled up at the end, or cut, to n characters.', pad(false)),
  text('repeat', ['STRING', 'INT'], 'n times over.', repeatText),
  text('reverse', ['STRING'], 'Characters in reverse order.', reverseCharacters),
  text('split_part', ['STRING', 'STRING', 'INT'], 'The n-th part (from 1; -1 the last) between delimiters.', splitText),
  define('md5', ['STRING'], STRING, 'MD5 of the UTF-8 bytes, in hexadecimal.', digestBytes),
  define('md5', ['BYTES'], STRING, 'MD5 in hexadecimal.', digestBytes),
  number(
    'ascii',
    ['STRING'],
    'Code point of the first character; 0 for an empty text.',
    (whole: string) => whole.codePointAt(0) ?? 0,
  ),
  text('chr', ['INT'], 'The character of a code point.', characterOf),
];
