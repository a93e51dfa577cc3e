/** A table from a sample of its events. */

import { parseDate, parseTimestamp } from '../column/text.ts';
import { BOOLEAN, DATE, DOUBLE, JSON_TYPE, LONG, STRING, TIMESTAMP, type Type } from '../column/type.ts';
import { asciiText } from './excerpt.ts';
import { withSentinel } from './json.ts';
import { scalarTextSizeMax } from './limits.ts';
import { exactInteger } from './numeral.ts';
import { skipSpace, skipString, skipValue, unescapeString } from './scan.ts';

export interface InferredColumn {
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
}

export interface InferredTable {
  readonly columns: readonly InferredColumn[];
  /** A TIMESTAMP column; null where none can be it. */
  readonly timeColumn: string | null;
  /** Rows of the sample that were objects. */
  readonly rowCount: number;
}

type Kind = 'boolean' | 'integer' | 'epoch' | 'number' | 'timestamp' | 'date' | 'text' | 'nested';

interface Seen {
  readonly kinds: Set<Kind>;
  rows: number;
}

/** Names that event time goes by, the likeliest first; compared without case and underscores. */
const timeNames = [
  'ts',
  'time',
  'timestamp',
  'eventtime',
  'eventtimestamp',
  'datetime',
  'createdat',
  'created',
  'date',
];

const timeRank = (name: string): number => {
  const rank = timeNames.indexOf(name.toLowerCase().replaceAll('_', ''));
  return rank < 0 ? timeNames.length : rank;
};

const timeEnding =
  /(?:^|[_\-. ])(?:ts|time|timestamp|datetime|at|epoch)(?:_?(?:s|sec|ms|millis|us|micros|ns|nanos))?$/i;
const timeHump = /[a-z](?:Ts|Time|Timestamp|At|Epoch)(?:S|Sec|Ms|Millis|Us|Micros|Ns|Nanos)?$/;

/** A name such as `ts`, `created_at`, `eventTimeMs`. */
export const suggestsTime = (name: string): boolean =>
  timeRank(name) < timeNames.length || timeEnding.test(name) || timeHump.test(name);

/** 2001 to 2100 in milliseconds: integers in here, under a name that suggests time, are taken for it. */
const epochMs = { min: 978_307_200_000, max: 4_102_444_800_000 };

/**
 * Columns in the order in which their keys appear. Whole numbers are LONG, numbers DOUBLE, objects and arrays JSON, ISO
 * 8601 texts TIMESTAMP or DATE; what mixes or says nothing is STRING, which takes every scalar. All are nullable (a sample
 * proves no NOT NULL), but for a time column that every row has.
 * @param sample NDJSON, perhaps cut anywhere: lines that are no objects are left out.
 */
export function inferColumns(sample: Uint8Array): InferredTable {
  const bytes = withSentinel(sample, 10);
  const seen = new Map<string, Seen>();
  let rowCount = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const members = membersOf(bytes, at);
    at = end + 1;
    if (members === null) continue;
    rowCount++;
    for (const { name, kind } of members) {
      const column = seen.get(name) ?? { kinds: new Set<Kind>(), rows: 0 };
      seen.set(name, column);
      if (kind === null) continue;
      column.kinds.add(kind);
      column.rows++;
    }
  }
  const typed = [...seen].map(([name, { kinds, rows }]) => ({
    name,
    type: typeOf(name, kinds),
    full: rows === rowCount,
  }));
  const timeColumn = chooseTimeColumn(typed.filter(column => column.type === TIMESTAMP));
  return {
    columns: typed.map(({ name, type, full }) => ({ name, type, nullable: !(name === timeColumn && full) })),
    timeColumn,
    rowCount,
  };
}

/** Of columns that hold times, the likeliest time of the event: those in every row first, then by name; null of none. */
export function chooseTimeColumn(times: readonly { readonly name: string; readonly full: boolean }[]): string | null {
  const [first] = [...times].sort(
    (a, b) => Number(b.full) - Number(a.full) || timeRank(a.name) - timeRank(b.name) || namedTime(b) - namedTime(a),
  );
  return first?.name ?? null;
}

const namedTime = ({ name }: { readonly name: string }): number => Number(suggestsTime(name));

/** The type for a column `name` that one JSON value suggests, bytes[from..to), grammatical; null where it is NULL. */
export function suggestType(name: string, bytes: Uint8Array, from: number, to: number): Type | null {
  const kind = kindOf(bytes, from, to);
  return kind === null ? null : typeOf(name, new Set([kind]));
}

function typeOf(name: string, kinds: ReadonlySet<Kind>): Type {
  const only = (...allowed: Kind[]): boolean => kinds.size > 0 && [...kinds].every(kind => allowed.includes(kind));
  if (kinds.has('nested')) return JSON_TYPE;
  if (only('boolean')) return BOOLEAN;
  if (only('epoch') && suggestsTime(name)) return TIMESTAMP;
  if (only('integer', 'epoch')) return LONG;
  if (only('integer', 'epoch', 'number')) return DOUBLE;
  if (only('date')) return DATE;
  if (only('date', 'timestamp')) return TIMESTAMP;
  return STRING;
}

const decoder = new TextDecoder();

/** Keys and kinds of the object on the line at `at` (null: NULL); null where the line is no object. */
function membersOf(bytes: Uint8Array, at: number): { name: string; kind: Kind | null }[] | null {
  at = skipSpace(bytes, at, false);
  const end = bytes[at] === 123 ? skipValue(bytes, at, false) : -1;
  if (end < 0 || bytes[skipSpace(bytes, end, false)] !== 10) return null;
  const members: { name: string; kind: Kind | null }[] = [];
  // The grammar holds from here on: `skipValue` has seen it all.
  at = skipSpace(bytes, at + 1, false);
  while (bytes[at] === 34) {
    const keyEnd = skipString(bytes, at);
    const name = textOf(bytes, at, keyEnd);
    at = skipSpace(bytes, skipSpace(bytes, keyEnd, false) + 1, false);
    const valueEnd = skipValue(bytes, at, false);
    members.push({ name, kind: kindOf(bytes, at, valueEnd) });
    at = skipSpace(bytes, skipSpace(bytes, valueEnd, false) + 1, false);
  }
  return members;
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  const text = new Uint8Array(to - from);
  return decoder.decode(text.subarray(0, unescapeString(bytes, from + 1, to - 1, text)));
}

function kindOf(bytes: Uint8Array, from: number, to: number): Kind | null {
  switch (bytes[from]) {
    case 110:
      return null;
    case 116:
    case 102:
      return 'boolean';
    case 123:
    case 91:
      return 'nested';
    case 34: {
      const text = to - from > scalarTextSizeMax ? '' : textOf(bytes, from, to);
      return parseDate(text) !== null ? 'date' : parseTimestamp(text) !== null ? 'timestamp' : 'text';
    }
    default: {
      const text = asciiText(bytes, from, to);
      if (/[.eE]/.test(text)) return 'number';
      const value = exactInteger(text);
      if (typeof value !== 'bigint') return 'text';
      return value >= epochMs.min && value <= epochMs.max ? 'epoch' : 'integer';
    }
  }
}
