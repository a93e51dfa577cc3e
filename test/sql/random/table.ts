/** A random table: its rows as SQL literals, so that every engine reads the same. */
import { formatDate, formatTimestampText } from '../../../src/column/text.ts';
import type { Draw } from './draw.ts';

export type SqlType = 'INT' | 'LONG' | 'DOUBLE' | 'DECIMAL' | 'STRING' | 'BOOLEAN' | 'TIMESTAMP' | 'DATE';

/** Something that a query can name: a column, or what GROUP BY leaves. */
export interface Atom {
  readonly sql: string;
  readonly type: SqlType;
  /** Numbers: no magnitude is above. Queries that could overflow are not made, since engines overflow at different places. */
  readonly max: number;
  /** DOUBLE: sums of such values are exact in any order. DECIMAL: few enough digits to calculate with. */
  readonly exact: boolean;
}

export interface Column extends Atom {
  readonly ddl: string;
  readonly literal: (draw: Draw) => string;
}

export interface RandomTable {
  readonly columns: readonly Column[];
  readonly timeColumn: string | null;
  readonly indexes: string | null;
  /** SQL literals. */
  readonly rows: readonly (readonly string[])[];
}

const words = [
  '',
  'a',
  'A',
  'ab',
  'abc',
  'Beta',
  'beta',
  'a%b',
  'x_y',
  "it's",
  'żółw',
  'ŻÓŁW',
  'Ärger',
  '中文',
  '😀',
  'é',
  ' pad ',
];
/** Around 2024, its leap day, ends of years and weeks, and before 1970. */
const days = [-1, 0, 15705, 19722, 19723, 19724, 19752, 19781, 19782, 19783, 19905, 20088, 20089];
const dayMs = 86_400_000;

export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Literals of a type, drawn from where the data lies, so that comparisons hit. */
export const literals: Readonly<Record<SqlType, (draw: Draw) => string>> = {
  INT: draw =>
    String(
      draw.oneOf(
        () => draw.integer(-5, 20),
        () => draw.integer(-100_000, 100_000),
      ),
    ),
  LONG: draw =>
    draw.oneOf(
      () => String(draw.integer(-5, 20)),
      () => String(2n ** 53n + BigInt(draw.integer(-3, 3))),
      () => String(-(2n ** 53n) - BigInt(draw.integer(0, 3))),
      () => String(2n ** 60n - BigInt(draw.integer(0, 1_000_000_000))),
    ),
  DOUBLE: draw => `CAST('${draw.integer(-8000, 8000) / 8}' AS DOUBLE)`,
  DECIMAL: draw => decimalText(draw.integer(-999_999, 999_999)),
  STRING: draw => quote(draw.pick(words)),
  BOOLEAN: draw => draw.pick(['TRUE', 'FALSE']),
  TIMESTAMP: draw =>
    `TIMESTAMP '${formatTimestampText(
      draw.pick(days) * dayMs +
        draw.oneOf(
          () => 0,
          () => draw.integer(0, 23) * 3_600_000,
          () => draw.integer(0, dayMs - 1),
        ),
    )}'`,
  DATE: draw => `DATE '${formatDate(draw.pick(days) + draw.integer(0, 3))}'`,
};

function decimalText(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const long = 2 ** 60;

const columns: readonly Column[] = [
  { sql: 'id', type: 'INT', max: 1e4, exact: true, ddl: 'INT', literal: literals.INT },
  { sql: 'i', type: 'INT', max: 1e5, exact: true, ddl: 'INT', literal: literals.INT },
  { sql: 'k', type: 'INT', max: 5, exact: true, ddl: 'INT', literal: draw => String(draw.integer(0, 5)) },
  { sql: 'l', type: 'LONG', max: long, exact: true, ddl: 'LONG', literal: literals.LONG },
  { sql: 'm', type: 'LONG', max: 1e9, exact: true, ddl: 'LONG', literal: draw => String(draw.integer(-1e9, 1e9)) },
  {
    sql: 'd',
    type: 'DOUBLE',
    max: 1000,
    exact: true,
    ddl: 'DOUBLE',
    literal: draw => String(draw.integer(-8000, 8000) / 8),
  },
  { sql: 'n', type: 'DECIMAL', max: 1e4, exact: true, ddl: 'DECIMAL(12, 2)', literal: literals.DECIMAL },
  { sql: 's', type: 'STRING', max: 0, exact: true, ddl: 'STRING', literal: literals.STRING },
  // Nearly every value is another one: these are stored raw, not in a dictionary.
  {
    sql: 'r',
    type: 'STRING',
    max: 0,
    exact: true,
    ddl: 'STRING',
    literal: draw => quote(`${draw.pick(words)}${draw.integer(0, 1e6)}`),
  },
  { sql: 'b', type: 'BOOLEAN', max: 0, exact: true, ddl: 'BOOLEAN', literal: literals.BOOLEAN },
  { sql: 'ts', type: 'TIMESTAMP', max: 0, exact: true, ddl: 'TIMESTAMP', literal: literals.TIMESTAMP },
  { sql: 'day', type: 'DATE', max: 0, exact: true, ddl: 'DATE', literal: literals.DATE },
];

export function drawTable(draw: Draw, rowCount: number): RandomTable {
  const timeColumn = draw.chance(0.5) ? 'ts' : null;
  const indexed = columns.filter(({ type }) => type === 'STRING' && draw.chance(0.5));
  const nullChances = columns.map(({ sql }) =>
    sql === 'id' || sql === timeColumn ? 0 : draw.pick([0, 0.1, 0.1, 0.5]),
  );
  const rows = Array.from({ length: rowCount }, (_, row) =>
    columns.map(({ sql, literal }, index) =>
      sql === 'id' ? String(row) : draw.chance(nullChances[index]!) ? 'NULL' : literal(draw),
    ),
  );
  const indexes = [
    ...indexed.map(({ sql }) => `${sql}: inverted`),
    ...columns
      .filter(({ type }) => type !== 'BOOLEAN' && draw.chance(0.4))
      .flatMap(({ sql, type }) => [`${sql}: bloom`, ...(type === 'STRING' ? [] : [`${sql}: range`])]),
  ];
  return { columns, timeColumn, indexes: indexes.length === 0 ? null : indexes.join(', '), rows };
}
