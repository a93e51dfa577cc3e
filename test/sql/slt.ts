/**
 * SQL logic test files, in the manner of sqllogictest (SQLite; DuckDB, DataFusion):
 *
 *     statement ok            the SQL below, up to an empty line, succeeds
 *     statement error CODE    … fails with this code; each line below `----` is in its message or hint, or is its place:
 *                             `line 1, column 8`
 *     query [rowsort]         … gives the rows below `----`, one a line, values joined by ` | `, NULL for NULL;
 *                             rowsort: in any order
 *
 * Lines that begin with # are comments.
 */
import { formatDate, formatDecimal, formatHex, formatInterval, formatTimestampText } from '../../src/column/text.ts';
import type { Interval, Type, Value } from '../../src/column/type.ts';

export interface Record {
  readonly kind: 'ok' | 'error' | 'query';
  readonly line: number;
  readonly sql: string;
  readonly code: string | null;
  readonly rowsort: boolean;
  readonly expected: readonly string[];
}

export function parseSlt(text: string): Record[] {
  const lines = text.split('\n');
  const records: Record[] = [];
  for (let at = 0; at < lines.length; ) {
    const head = lines[at]!.trim();
    if (head === '' || head.startsWith('#')) {
      at++;
      continue;
    }
    const match = /^(?:statement (ok|error)(?: (\w+))?|(query)(?: (rowsort))?)$/.exec(head);
    if (!match) throw new Error(`line ${at + 1}: expected a statement or query, found ${JSON.stringify(head)}`);
    const line = at + 1;
    const sql: string[] = [];
    for (at++; at < lines.length && lines[at]!.trim() !== '' && lines[at]!.trim() !== '----'; at++)
      sql.push(lines[at]!);
    const expected: string[] = [];
    if (lines[at]?.trim() === '----') for (at++; at < lines.length && lines[at] !== ''; at++) expected.push(lines[at]!);
    records.push({
      kind: match[3] ? 'query' : (match[1] as 'ok' | 'error'),
      line,
      sql: sql.join('\n'),
      code: match[2] ?? null,
      rowsort: match[4] !== undefined,
      expected,
    });
  }
  return records;
}

/** A value as PostgreSQL's psql shows it. */
export function sltText(type: Type, value: Value): string {
  if (value === null) return 'NULL';
  if (value === '') return '(empty)';
  switch (type.name) {
    case 'TIMESTAMP':
      return formatTimestampText(value as number);
    case 'DATE':
      return formatDate(value as number);
    case 'DECIMAL':
      return formatDecimal(value as bigint, type.scale!);
    case 'INTERVAL':
      return formatInterval(value as Interval);
    case 'BYTES':
      return `\\x${formatHex(value as Uint8Array)}`;
    default:
      return String(value);
  }
}
