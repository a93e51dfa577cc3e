/** The statements of the live page: one table, its time column, the columns to break it down by. */
import { quoteName, type TableInfo } from '../../api/client.ts';

/** What the chart shows. */
export const windowSeconds = 300;
/** Rows of each breakdown. */
export const breakdownRows = 8;

const since = (table: TableInfo): string =>
  `${quoteName(table.timeColumn!)} >= NOW() - INTERVAL '${windowSeconds} seconds'`;

export const perSecondSql = (table: TableInfo): string =>
  [
    `SELECT DATE_TRUNC('second', ${quoteName(table.timeColumn!)}) AS second, COUNT(*) AS events`,
    `FROM ${quoteName(table.name)}`,
    `WHERE ${since(table)}`,
    'GROUP BY 1',
    'ORDER BY 1',
  ].join('\n');

export const breakdownSql = (table: TableInfo, column: string): string =>
  [
    `SELECT ${quoteName(column)}, COUNT(*) AS events`,
    `FROM ${quoteName(table.name)}`,
    `WHERE ${since(table)}`,
    'GROUP BY 1',
    'ORDER BY events DESC, 1',
    `LIMIT ${breakdownRows}`,
  ].join('\n');

const telling = ['status', 'merchant'];

/** Two columns of text: the telling ones of the demo, else those with an inverted index, else the first. */
export function breakdownColumns(table: TableInfo): readonly string[] {
  const texts = table.columns.filter(column => column.type === 'STRING').map(column => column.name);
  const indexed = table.indexes.filter(index => index.kind === 'inverted').map(index => index.column);
  const ranked = [
    ...telling.filter(name => texts.includes(name)),
    ...indexed.filter(name => texts.includes(name)),
    ...texts,
  ];
  return [...new Set(ranked)].slice(0, 2);
}
