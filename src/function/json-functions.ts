/**
 * Values out of JSON text. A number keeps all its digits: what is given is its text. What is absent is NULL, and so is all
 * that is asked of a STRING that is no JSON.
 */
import { JSON_TYPE, STRING, type Type } from '../column/type.ts';
import type { StringVector, Vector } from '../column/vector.ts';
import { parsePath } from './json-path.ts';
import { follow, isPlainString, kindOf, rootOf, type Span, type Step, textOf } from './json-scan.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import { decodeText, entryEnd, entryStart, entryText, forEachEntry, PoolBuilder } from './strings.ts';
import { isConstant, numbersOf, stringVector, unionNulls } from './vectors.ts';

/** How a value that was found becomes a result: its entry in the pool, or -1 for NULL. */
type Give = (bytes: Uint8Array, span: NonNullable<Span>, pool: PoolBuilder) => number;

/** The value as it stands. */
const giveJson: Give = (bytes, [start, end], pool) => pool.addBytes(bytes, start, end);

/** A string's text, a number's or a literal's; an object and an array as they stand; JSON's null is NULL. */
const giveText: Give = (bytes, [start, end], pool) => {
  const kind = kindOf(bytes, start);
  if (kind === 'null') return -1;
  if (kind !== 'string') return pool.addBytes(bytes, start, end);
  if (isPlainString(bytes, start, end)) return pool.addBytes(bytes, start + 1, end - 1);
  const text = textOf(bytes, start, end);
  return text === null ? -1 : pool.addText(text);
};

/** As text, but NULL for an object or an array. */
const giveScalar: Give = (bytes, span, pool) => {
  const kind = kindOf(bytes, span[0]);
  return kind === 'object' || kind === 'array' ? -1 : giveText(bytes, span, pool);
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Steps that an argument's row means. */
type Steps = (vector: Vector, row: number) => readonly Step[];
const keyStep: Steps = (vector, row) => [entryText((vector as StringVector).pool, (vector as StringVector).ids[row]!)];
const indexStep: Steps = (vector, row) => [numbersOf(vector)[row]!];
const pathSteps: Steps = (vector, row) =>
  parsePath(entryText((vector as StringVector).pool, (vector as StringVector).ids[row]!));

const look =
  (stepsOf: Steps, give: Give): ScalarFunction['evaluate'] =>
  (args, length, _context, types) => {
    const [json, where] = args as [StringVector, Vector];
    const isChecked = types.args[0]!.name === 'JSON';
    const { pool: source } = json;
    const nulls = unionNulls(args, length);
    const pool = new PoolBuilder();
    const ids = new Uint32Array(length);
    let missing: Uint8Array | null = null;
    const find = (id: number, steps: readonly Step[]): number => {
      const [start, end] = [entryStart(source, id), entryEnd(source, id)];
      if (!isChecked && !isJson(decodeText(source.bytes, start, end))) return -1;
      const span = follow(source.bytes, rootOf(source.bytes, start, end), steps);
      return span === null ? -1 : give(source.bytes, span, pool);
    };
    /** Results are counted from 1 here, so that a miss can be remembered as well: 0. */
    const visit = (row: number, result: number): void => {
      if (result > 0) ids[row] = result - 1;
      else (missing ??= nulls === null ? new Uint8Array(length) : nulls.slice(0, length))[row] = 1;
    };
    if (length > 0 && isConstant(where, length)) {
      // Read when it is needed: a bad path fails no NULL.
      let steps: readonly Step[] | null = null;
      forEachEntry(json, nulls, length, id => find(id, (steps ??= stepsOf(where, 0))) + 1, visit);
    } else
      for (let row = 0; row < length; row++)
        if (nulls === null || nulls[row] === 0) visit(row, find(json.ids[row]!, stepsOf(where, row)) + 1);
    if (pool.count === 0) pool.addText('');
    return stringVector(ids, pool.finish(), length, missing ?? nulls);
  };

/** For JSON, and for a STRING that holds it. */
const overloads = (
  name: string,
  param: 'STRING' | 'INT',
  result: Type,
  summary: string,
  evaluate: ScalarFunction['evaluate'],
): Definition[] =>
  (['JSON', 'STRING'] as const).map(source => define(name, [source, param], result, summary, evaluate));

const member = 'The member of a key, or the element of an index (from 0; -1 the last), of an object or an array';

export const jsonFunctions: readonly Definition[] = [
  ...overloads('json_get', 'STRING', JSON_TYPE, `${member}: a -> b.`, look(keyStep, giveJson)),
  ...overloads('json_get', 'INT', JSON_TYPE, `${member}: a -> b.`, look(indexStep, giveJson)),
  ...overloads('json_get_text', 'STRING', STRING, `${member}, as text: a ->> b.`, look(keyStep, giveText)),
  ...overloads('json_get_text', 'INT', STRING, `${member}, as text: a ->> b.`, look(indexStep, giveText)),
  ...overloads(
    'json_value',
    'STRING',
    STRING,
    'The text of the string, number or boolean that a path ($.a.b[0]) leads to.',
    look(pathSteps, giveScalar),
  ),
  ...overloads(
    'json_query',
    'STRING',
    JSON_TYPE,
    'What a path ($.a.b[0]) leads to, as JSON.',
    look(pathSteps, giveJson),
  ),
];
