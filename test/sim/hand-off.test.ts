/**
 * A query that is stopped anywhere, while a seal's hand-off goes on from anywhere to anywhere, sees every row once.
 */
import { describe, expect, test } from 'vitest';
import { openGated } from './gates.ts';

const sealSteps = ['roll', 'build', 'publish', 'retire'].flatMap(call => [`before ${call}`, `after ${call}`]);
const querySteps = ['pin', 'snapshot', 'run'].flatMap(call => [`before ${call}`, `after ${call}`]);

const queries = {
  'a COUNT': {
    sql: 'SELECT COUNT(*), SUM(x) FROM t',
    expected: (rows: number) => [[BigInt(rows), BigInt((rows * (rows - 1)) / 2)]],
  },
  'a query that compares the table with itself': {
    sql: 'SELECT (SELECT COUNT(*) FROM t) = (SELECT COUNT(DISTINCT x) FROM t), (SELECT COUNT(*) FROM t)',
    expected: (rows: number) => [[true, BigInt(rows)]],
  },
};

describe.each(Object.entries(queries))('%s', (_, { sql, expected }) => {
  test.each(querySteps)('stopped %s, wherever the seal stands and goes meanwhile', async queryStep => {
    const { cluster, gates } = await openGated();
    let rows = 0;
    const insert = async (count: number): Promise<void> => {
      const values = Array.from({ length: count }, (_, index) => `(${rows + index})`);
      await cluster.query(`INSERT INTO t VALUES ${values.join(', ')}`);
      rows += count;
    };
    try {
      await cluster.query('CREATE TABLE t (x LONG) FROM LOG');
      for (let from = 0; from <= sealSteps.length; from++) {
        for (let to = from; to <= sealSteps.length; to++) {
          await insert(3);
          const start = from === 0 ? null : gates.close(sealSteps[from - 1]!);
          const end = to === 0 || to === from ? null : gates.close(sealSteps[to - 1]!);
          const seal = from === 0 && to === 0 ? null : cluster.commit('t');
          if (start) await start.reached;
          // Rows beyond those that are being sealed.
          if (from > 1) await insert(2);
          const pause = gates.close(queryStep);
          const answer = cluster.query(sql);
          await pause.reached;
          const pinned = rows;
          start?.open();
          if (end) await end.reached;
          pause.open();
          const got = await answer;
          expect(
            got.rows,
            `seal from ${sealSteps[from - 1] ?? 'nowhere'} to ${sealSteps[to - 1] ?? 'nowhere'}`,
          ).toEqual(expected(pinned));
          end?.open();
          await seal;
          expect((await cluster.query(sql)).rows).toEqual(expected(rows));
        }
      }
    } finally {
      await cluster.close();
    }
  });
});

test('a range that nobody holds is an error, not a short answer', async () => {
  const { cluster } = await openGated();
  try {
    await cluster.query('CREATE TABLE t (x LONG) FROM LOG');
    await cluster.query('INSERT INTO t VALUES (1), (2)');
    const { tables } = await cluster.controller.call('catalog', null);
    for (const shard of cluster.shards) await shard.call('closePartition', { tableId: tables[0]!.id, partition: 0 });
    await expect(cluster.query('SELECT COUNT(*) FROM t')).rejects.toThrow();
  } finally {
    await cluster.close();
  }
});
