/** A query that is stopped anywhere, while ALTER TABLE goes on from anywhere, is of one schema: never of half a change. */
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import { typeText, type Value } from '../../src/column/type.ts';
import type { Answer, Cluster } from '../support/cluster.ts';
import { openGated } from './gates.ts';

const stepsOf = (calls: readonly string[]): string[] => calls.flatMap(call => [`before ${call}`, `after ${call}`]);
const alterSteps = stepsOf(['alterTable', 'roll', 'build', 'publish', 'retire']);
const querySteps = stepsOf(['catalog', 'pin', 'snapshot', 'run']);

/** Columns with their types, then rows: what one schema answers. An error by its code. */
type Seen = string | { readonly columns: readonly string[]; readonly rows: readonly (readonly Value[])[] };

const seenOf = ({ columns, rows }: Answer): Seen => ({
  columns: columns.map(({ name, type }) => `${name} ${typeText(type)}`),
  rows,
});

const see = (cluster: Cluster, sql: string): Promise<Seen> =>
  cluster.query(sql).then(seenOf, (error: unknown) => {
    if (error instanceof FaultError) return error.fault.code;
    throw error;
  });

const changes = {
  'a column that is added': { alter: 'ADD c LONG NOT NULL DEFAULT 7', sql: 'SELECT * FROM t ORDER BY x' },
  'a column that is dropped': { alter: 'DROP s', sql: 'SELECT x, s FROM t ORDER BY x' },
  'a column that is dropped and added': { alter: 'DROP s, ADD s INT DEFAULT 1', sql: 'SELECT * FROM t ORDER BY x' },
  'a column that is renamed': { alter: 'RENAME s TO r', sql: 'SELECT * FROM t WHERE x >= 0 ORDER BY x' },
  'two columns that change names': {
    alter: 'RENAME s TO z, RENAME q TO s, RENAME z TO q',
    sql: 'SELECT s, q FROM t ORDER BY x',
  },
  'a column that is widened': {
    alter: 'ALTER x TYPE DECIMAL(12, 2)',
    sql: "SELECT x, s, (SELECT SUM(x) FROM t) FROM t WHERE x > 0 AND s <> 'none' ORDER BY x",
  },
  'a default': { alter: "ALTER s SET DEFAULT 'other'", sql: 'SELECT x, s FROM t ORDER BY x' },
} as const;

let tables = 0;

/** A table of committed and consuming rows, changed and pushed into in the course of the test. */
async function openTable(cluster: Cluster, { alter, sql }: { readonly alter: string; readonly sql: string }) {
  const name = `t${tables++}`;
  const own = sql.replaceAll(/\bt\b/g, name);
  await cluster.query(`CREATE TABLE ${name} (x INT, s STRING DEFAULT 'one', q STRING DEFAULT 'two')`);
  await cluster.query(`INSERT INTO ${name} (x) VALUES (1), (2)`);
  await cluster.commit(name);
  await cluster.query(`INSERT INTO ${name} (x) VALUES (3)`);
  const before = await see(cluster, own);
  return {
    sql: own,
    before,
    alter: async () => {
      await cluster.query(`ALTER TABLE ${name} ${alter}`);
    },
    /** One row more. */
    push: async () => {
      await cluster.query(`INSERT INTO ${name} (x) VALUES (4)`);
    },
  };
}

describe.each(Object.entries(changes))('%s', (_, change) => {
  test.each(querySteps)('and a query stopped %s', async queryStep => {
    const { cluster, gates } = await openGated();
    try {
      for (const alterStep of alterSteps) {
        // The change is under way when the query begins, and over when the query goes on.
        const first = await openTable(cluster, change);
        const alterPause = gates.close(alterStep);
        const altering = first.alter();
        await alterPause.reached;
        const queryPause = gates.close(queryStep);
        const answer = see(cluster, first.sql);
        // It may fail before it gets there, for its column is gone.
        await Promise.race([queryPause.reached, answer]);
        alterPause.open();
        await altering;
        const after = await see(cluster, first.sql);
        await first.push();
        queryPause.open();
        const pushed = await see(cluster, first.sql);
        expect([first.before, after, pushed], `from ${alterStep}`).toContainEqual(await answer);

        // The query is under way when the change begins, and over while the change stands still.
        const second = await openTable(cluster, change);
        const pause = gates.close(queryStep);
        const early = see(cluster, second.sql);
        await pause.reached;
        const stand = gates.close(alterStep);
        const changing = second.alter();
        await stand.reached;
        pause.open();
        const got = await early;
        stand.open();
        await changing;
        expect([second.before, await see(cluster, second.sql)], `up to ${alterStep}`).toContainEqual(got);
      }
    } finally {
      await cluster.close();
    }
  });
});

test('a query finds a schema though it changes under it again and again, and gives up where it never rests', async () => {
  let alter = async (): Promise<void> => {};
  let changesLeft = 0;
  const { cluster } = await openGated(async name => {
    if (name !== 'pin' || changesLeft === 0) return;
    changesLeft--;
    await alter();
  });
  try {
    await cluster.query('CREATE TABLE t (x INT)');
    await cluster.query('INSERT INTO t VALUES (1)');
    let added = 0;
    alter = async () => void (await cluster.query(`ALTER TABLE t ADD c${added} INT DEFAULT ${added++}`));
    changesLeft = 5;
    expect(await see(cluster, 'SELECT * FROM t')).toEqual({
      columns: ['x INT', 'c0 INT', 'c1 INT', 'c2 INT', 'c3 INT', 'c4 INT'],
      rows: [[1, 0, 1, 2, 3, 4]],
    });
    changesLeft = Number.POSITIVE_INFINITY;
    expect(await see(cluster, 'SELECT * FROM t')).toBe('UNAVAILABLE');
    changesLeft = 0;
    expect(await see(cluster, 'SELECT COUNT(*) FROM t')).toMatchObject({ rows: [[1n]] });
  } finally {
    await cluster.close();
  }
});
