/** A real file system that fills up, under a real process. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postRows, postSql, until } from '../support/http.ts';
import { requires } from '../support/requires.ts';
import { ask, startWeir } from '../support/weir-process.ts';

const batchRows = 200;
const rowsOf = (batch: number): object[] =>
  Array.from({ length: batchRows }, (_, row) => ({ batch, row, text: `${batch} ${row} ${'x'.repeat(100)}` }));

requires('tmpfs')('a full disk', () => {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'weir-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${8 << 20}`, 'weir-test', data]);
  });
  afterAll(async () => {
    execFileSync('umount', [data]);
    await rm(data, { recursive: true });
  });

  test('pushes are refused with DISK_FULL, queries go on; with space again all is as if nothing had been', async () => {
    let weir = await startWeir({ args: ['--data', data, '--no-demo', '--shards', '2', '--log-level', 'silent'] });
    try {
      await ask(
        weir.url,
        'CREATE TABLE events (batch LONG, row LONG, text STRING) FROM LOG WITH (segment_rows = 5000)',
      );
      await postRows(weir.url, 'events', rowsOf(0), { key: '0' });
      // Something else takes nearly all of the space.
      const { bavail, bsize } = await statfs(data);
      await writeFile(join(data, 'other'), Buffer.alloc(Math.max(0, bavail * bsize - (256 << 10))));

      let batch = 1;
      const refused = await until(
        () => postRows(weir.url, 'events', rowsOf(batch), { key: String(batch) }),
        ({ status }) => {
          if (status === 200) batch++;
          return status !== 200;
        },
      );
      expect(refused.status).toBe(503);
      expect(refused.body.error).toMatchObject({
        code: 'DISK_FULL',
        message: expect.stringContaining('the disk is full'),
        hint: expect.stringContaining('free space'),
      });
      expect(batch).toBeGreaterThan(1);
      expect(await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT batch) FROM events')).toEqual([
        [batch * batchRows, batch],
      ]);
      const health = await fetch(`${weir.url}/health/ready`);
      expect(health.status).toBe(200);

      await rm(join(data, 'other'));
      const answer = await until(
        () => postRows(weir.url, 'events', rowsOf(batch), { key: String(batch) }),
        ({ status }) => status === 200,
      );
      expect(answer.body).toMatchObject({ accepted: batchRows, duplicate: false });
      // What could not be sealed meanwhile is sealed now.
      for (batch++; batch < 50; batch++) await postRows(weir.url, 'events', rowsOf(batch), { key: String(batch) });
      await until(
        () => ask(weir.url, 'SELECT COUNT(*) FROM system.segments'),
        rows => Number(rows[0]![0]) > 0,
      );
      const whole = [[batch * batchRows, batch, batch * batchRows]];
      const count = 'SELECT COUNT(*), COUNT(DISTINCT batch), COUNT(DISTINCT text) FROM events';
      expect(await ask(weir.url, count)).toEqual(whole);
      await until(
        async () => (await (await fetch(`${weir.url}/health/ready`)).json()) as { status: string },
        ({ status }) => status === 'ready',
      );
      await weir.kill();
      weir = await startWeir({ args: ['--data', data, '--no-demo', '--shards', '2'] });
      expect(await ask(weir.url, count)).toEqual(whole);
      expect((await postSql(weir.url, 'SELECT 1')).status).toBe(200);
    } finally {
      await weir.stop();
    }
  });
});
