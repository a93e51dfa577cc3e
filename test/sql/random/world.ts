/** One random table in one random placement: over shards, in segments and in consuming rows. */
import { type Cluster, openCluster } from '../../support/cluster.ts';
import { Draw } from './draw.ts';
import { drawQuery, type RandomQuery } from './query.ts';
import { drawTable, type RandomTable } from './table.ts';

export interface World {
  readonly cluster: Cluster;
  readonly table: RandomTable;
  /** The same query for the same number. */
  query(number: number): RandomQuery;
  /** Chance for other uses, the same for the same number. */
  draw(number: number): Draw;
}

/** Rows of one INSERT: well within the limits of a statement. */
const insertRows = 250;

export const insertText = (rows: RandomTable['rows']): string =>
  `INSERT INTO t VALUES ${rows.map(row => `(${row.join(', ')})`).join(', ')}`;

export const columnList = (table: RandomTable): string =>
  table.columns.map(({ sql, ddl }) => `${sql} ${ddl}`).join(', ');

/** @param seed Of the table, its placement and its queries. */
export async function openWorld(seed: number): Promise<World> {
  const draw = new Draw(seed);
  const table = drawTable(draw, draw.pick([60, 400, 1000, 2500]));
  const cluster = await openCluster({
    shardCount: draw.integer(1, 3),
    arenaBytes: 64 << 20,
    queryMemoryBytes: 64 << 20,
  });
  const options = [
    ...(table.timeColumn === null ? [] : [`time_column = '${table.timeColumn}'`]),
    ...(table.indexes === null ? [] : [`index = '${table.indexes}'`]),
  ];
  await cluster.query(
    `CREATE TABLE t (${columnList(table)}) FROM LOG${options.length === 0 ? '' : ` WITH (${options.join(', ')})`}`,
  );
  const commitChance = draw.pick([0, 0.3, 0.6, 1]);
  for (let start = 0; start < table.rows.length; ) {
    const end = start + draw.integer(1, insertRows);
    await cluster.query(insertText(table.rows.slice(start, end)));
    start = end;
    if (draw.chance(commitChance)) await cluster.commit('t');
  }
  const drawOf = (number: number): Draw => new Draw(seed * 100_003 + number);
  const source = { from: 't', atoms: table.columns, rowCount: table.rows.length, isTable: true };
  return { cluster, table, query: number => drawQuery(drawOf(number), source), draw: drawOf };
}
