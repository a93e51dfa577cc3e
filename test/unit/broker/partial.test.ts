import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeOf, openCluster } from '../../support/cluster.ts';

test('a corrupt segment fails the query, or is named as missing to a caller that allowed it', async () => {
  const cluster = await openCluster({ shardCount: 2 });
  try {
    await cluster.query('CREATE TABLE t (x LONG, s STRING) FROM LOG');
    for (const x of [1, 2, 3]) {
      await cluster.query(`INSERT INTO t VALUES (${x}, 'row ${x}')`);
      await cluster.commit('t');
    }
    const { tables } = await cluster.controller.call('catalog', null);
    const folder = join(cluster.folder, 'store', tables[0]!.id);
    const [damaged] = (await readdir(folder)).sort();
    const path = join(folder, damaged!, 'columns.arrow');
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0xff, 8, bytes.length - 8));
    const sql = 'SELECT SUM(x), MAX(s) FROM t';
    expect(await codeOf(cluster.query(sql))).toBe('CORRUPT_SEGMENT');
    const { trailer, rows } = await cluster.query(sql, [], { allowPartial: true });
    expect(trailer).toMatchObject({ complete: false, missing: [damaged] });
    expect(trailer.stats).toMatchObject({ segmentsExpected: 3, segmentsAnswered: 2 });
    expect([3n, 4n, 5n]).toContain(rows[0]![0]);
  } finally {
    await cluster.close();
  }
});
