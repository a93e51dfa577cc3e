/** CAST to and from STRING: how each type is written and read, as PostgreSQL. */
import { fault } from '../base/fault.ts';
import {
  dayMs,
  formatDate,
  formatDecimal,
  formatHex,
  formatInterval,
  formatTimestampText,
  formatUuid,
  parseDate,
  parseDecimal,
  parseTimestamp,
  parseUuid,
} from '../column/text.ts';
import type { Type, TypeName, Value } from '../column/type.ts';
import { typeText } from '../column/type.ts';
import type { StringVector, Vector } from '../column/vector.ts';
import { checkDecimal, tenTo } from './decimal.ts';
import { parseInterval } from './interval-text.ts';
import { formatDouble, formatFloat, parseDouble, parseInteger } from './number-text.ts';
import type { FunctionContext } from './scalar.ts';
import { entryBytes, entryText, forEachEntry, PoolBuilder } from './strings.ts';
import { stringVector, VectorBuilder } from './vectors.ts';

function numberFormat(type: Type): (value: number) => string {
  switch (type.name) {
    case 'FLOAT':
      return formatFloat;
    case 'DOUBLE':
      return formatDouble;
    case 'TIMESTAMP':
      return formatTimestampText;
    case 'DATE':
      return formatDate;
    default:
      return String;
  }
}

/** The text of row `row`; not for pooled types. */
function rowFormat(vector: Exclude<Vector, StringVector>, from: Type): (row: number) => string {
  switch (vector.form) {
    case 'bool':
      return row => (vector.values[row] === 0 ? 'false' : 'true');
    case 'number': {
      const format = numberFormat(from);
      return row => format(vector.values[row]!);
    }
    case 'bigint':
      return row => String(vector.values[row]!);
    case 'wide':
      return row => formatDecimal(vector.values[row]!, from.scale!);
    case 'interval':
      return row => formatInterval(vector.values[row]!);
  }
}

/** Any type as its text. Pooled types once per entry. */
export function toText(vector: Vector, from: Type, length: number): StringVector {
  const { nulls } = vector;
  const pool = new PoolBuilder();
  const ids = new Uint32Array(length);
  if (vector.form === 'string') {
    const format = from.name === 'UUID' ? formatUuid : (bytes: Uint8Array) => `\\x${formatHex(bytes)}`;
    const compute = (id: number): number => pool.addText(format(entryBytes(vector.pool, id)));
    forEachEntry(vector, nulls, length, compute, (row, id) => {
      ids[row] = id;
    });
  } else {
    const format = rowFormat(vector, from);
    for (let row = 0; row < length; row++) if (nulls === null || nulls[row] === 0) ids[row] = pool.addText(format(row));
  }
  if (pool.count === 0) pool.addText('');
  return stringVector(ids, pool.finish(), length, nulls);
}

/** What of a bad literal an error shows: it may be a whole document. */
const shownLengthMax = 100;
const shown = (text: string): string => (text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text);

const hints: Partial<Record<TypeName, string>> = {
  BOOLEAN: 'write true or false',
  TIMESTAMP: 'write it as 2024-01-02 03:04:05.678, with Z or an offset such as +02:00 if it is not UTC',
  DATE: 'write it as 2024-01-02',
  INTERVAL: "write it as '1 day 02:00:00', '2 days 3 hours' or 'P1DT2H'",
  BYTES: "write it as '\\x' and pairs of hexadecimal digits",
};

const badLiteral = (text: string, type: Type) => {
  const hint = hints[type.name];
  return fault(
    'INVALID_LITERAL',
    `invalid input syntax for type ${typeText(type)}: "${shown(text)}"`,
    hint === undefined ? {} : { hint },
  );
};

const beyondType = (text: string, type: Type) =>
  fault('NUMERIC_OVERFLOW', `value "${shown(text)}" is out of range for type ${typeText(type)}`);

/** Words that have one meaning from their first letters on, as PostgreSQL takes them. */
function parseBoolean(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (word === '1' || word === 'on') return true;
  if (word === '0' || word === 'of' || word === 'off') return false;
  if (word === '') return null;
  if ('true'.startsWith(word) || 'yes'.startsWith(word)) return true;
  return 'false'.startsWith(word) || 'no'.startsWith(word) ? false : null;
}

function parseRanged(text: string, type: Type, bits: 32 | 64): bigint {
  const value = parseInteger(text);
  if (value === null) throw badLiteral(text, type);
  if (BigInt.asIntN(bits, value) !== value) throw beyondType(text, type);
  return value;
}

function parseFloating(text: string, type: Type): number {
  const value = parseDouble(text, type.name === 'FLOAT');
  if (value === null) throw badLiteral(text, type);
  if (value === 'overflow') throw beyondType(text, type);
  return value;
}

/** Digits beyond these are no number that DECIMAL holds: a bound on the work of BigInt. */
const decimalTextLengthMax = 1000;

function parseExact(text: string, type: Type): bigint {
  const value = text.length > decimalTextLengthMax ? null : parseDecimal(text, type.precision!, type.scale!);
  if (value === null) throw badLiteral(text, type);
  return value === 'overflow' ? checkDecimal(tenTo(type.precision!), type) : value;
}

/** PostgreSQL's words for moments; the day begins at midnight UTC. */
function namedTimestamp(word: string, nowMs: number): number | null {
  const todayMs = Math.floor(nowMs / dayMs) * dayMs;
  switch (word.trim().toLowerCase()) {
    case 'now':
      return nowMs;
    case 'today':
      return todayMs;
    case 'tomorrow':
      return todayMs + dayMs;
    case 'yesterday':
      return todayMs - dayMs;
    case 'epoch':
      return 0;
    default:
      return null;
  }
}

function parseBytes(text: string): Uint8Array | null {
  if (text.startsWith('\\x')) {
    const digits = text.slice(2).replace(/\s+/g, '');
    return /^(?:[0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : null;
  }
  if (!text.includes('\\')) return new TextEncoder().encode(text);
  const parts: Uint8Array[] = [];
  for (const [part] of text.matchAll(/\\\\|\\[0-3][0-7]{2}|\\|[^\\]+/g)) {
    if (part === '\\') return null;
    if (part === '\\\\') parts.push(Uint8Array.of(0x5c));
    else if (part.startsWith('\\')) parts.push(Uint8Array.of(Number.parseInt(part.slice(1), 8)));
    else parts.push(new TextEncoder().encode(part));
  }
  return Buffer.concat(parts);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseText(text: string, to: Type, context: FunctionContext): Value {
  let value: Value;
  switch (to.name) {
    case 'INT':
      return Number(parseRanged(text, to, 32));
    case 'LONG':
      return parseRanged(text, to, 64);
    case 'FLOAT':
    case 'DOUBLE':
      return parseFloating(text, to);
    case 'DECIMAL':
      return parseExact(text, to);
    case 'BOOLEAN':
      value = parseBoolean(text);
      break;
    case 'TIMESTAMP':
      value = parseTimestamp(text) ?? namedTimestamp(text, context.nowMs);
      break;
    case 'DATE': {
      const ms = namedTimestamp(text, context.nowMs) ?? parseTimestamp(text);
      value = parseDate(text) ?? (ms === null ? null : Math.floor(ms / dayMs));
      break;
    }
    case 'INTERVAL':
      value = parseInterval(text);
      break;
    case 'UUID':
      value = parseUuid(text) === null ? null : text;
      break;
    case 'BYTES':
      value = parseBytes(text);
      break;
    case 'JSON':
      value = isJson(text) ? text : null;
      break;
    default:
      return text;
  }
  if (value === null) throw badLiteral(text, to);
  return value;
}

/** STRING as any type; each entry that occurs is read once. @throws {FaultError} INVALID_LITERAL, NUMERIC_OVERFLOW. */
export function fromText(vector: StringVector, to: Type, length: number, context: FunctionContext): Vector {
  const builder = new VectorBuilder(to, length);
  const parsed: Value[] = [];
  const compute = (id: number): number => parsed.push(parseText(entryText(vector.pool, id), to, context)) - 1;
  forEachEntry(vector, vector.nulls, length, compute, (row, index) => builder.set(row, parsed[index]!));
  return builder.finish();
}
