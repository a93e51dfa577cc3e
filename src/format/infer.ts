/** A table from a sample of its events. */
import { TIMESTAMP, type Type } from '../column/type.ts';
import { Evidence, suggestsTime, timeRank } from './evidence.ts';
import { FieldTree } from './field-tree.ts';
import { withSentinel } from './json.ts';
import { skipSpace, skipValue } from './scan.ts';

export { suggestsTime } from './evidence.ts';

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

/**
 * Columns in the order in which their keys appear. Whole numbers are LONG, numbers DOUBLE, objects and arrays JSON, ISO
 * 8601 texts TIMESTAMP or DATE; what mixes or says nothing is STRING, which takes every scalar. All are nullable (a sample
 * proves no NOT NULL), but for a time column that every row has.
 * @param sample NDJSON, perhaps cut anywhere: lines that are no objects are left out.
 */
export function inferColumns(sample: Uint8Array): InferredTable {
  const bytes = withSentinel(sample, 10);
  const tree = new FieldTree(false);
  for (let at = 0; at < bytes.length; at = bytes.indexOf(10, at) + 1) {
    at = skipSpace(bytes, at, false);
    const end = bytes[at] === 123 ? skipValue(bytes, at, false) : -1;
    if (end >= 0 && bytes[skipSpace(bytes, end, false)] === 10) tree.addObject(bytes, at, false);
  }
  const { rowCount } = tree;
  const typed = tree.leaves().map(({ path: [name], evidence }) => ({
    name: name!,
    type: evidence.judge(name!, 'json').type,
    full: evidence.count === rowCount,
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
  const evidence = new Evidence();
  evidence.addJson(bytes, from, to);
  return evidence.count === 0 ? null : evidence.judge(name, 'json').type;
}
