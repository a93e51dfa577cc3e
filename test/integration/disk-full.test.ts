/** A real file system that fills up, under a real process. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { postCommit, postRows, postSql, until } from '../support/http.ts';
import { requires } from '../support/requires.ts';
import { ask, startWeir } from '../support/weir-process.ts';

const batchRows = 200;
const rowsOf = (batch: number): object[] =>
  Array.from({ length: batchRows }, (_, row) => ({ batch, row, text: `${batch} ${row} ${'x'.repeat(100)}` }));

requires('tmpfs')('a full disk', () => {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'weir-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${32 << 20}`, 'weir-test', data]);
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
      await writeFile(join(data, 'other'), Buffer.alloc(Math.max(0, bavail * bsize - (3 << 20))));

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
      expect((await fetch(`${weir.url}/health/ready`)).status).toBe(200);
      // Kept for what makes room: sealing and the metadata go on.
      const { bavail: blocksLeft } = await statfs(data);
      expect(blocksLeft * bsize).toBeGreaterThan(0);
      expect((await postCommit(weir.url, 'events')).status).toBe(200);
      await ask(weir.url, 'CREATE TABLE more (id LONG) FROM LOG');

      await rm(join(data, 'other'));
      const answer = await until(
        () => postRows(weir.url, 'events', rowsOf(batch), { key: String(batch) }),
        ({ status }) => status === 200,
      );
      expect(answer.body).toMatchObject({ accepted: batchRows, duplicate: false });
      // What could not be sealed meanwhile is sealed now.
      for (const last = ++batch + 50; batch < last; batch++)
        await postRows(weir.url, 'events', rowsOf(batch), { key: String(batch) });
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

  test('a load is interrupted, shows nothing, and goes on once there is space', async () => {
    const input = await mkdtemp(join(tmpdir(), 'weir-full-in-'));
    const weir = await startWeir({
      args: ['--data', data, '--no-demo', '--shards', '2', '--log-level', 'silent', '--load-from', input],
    });
    const client = createClient(weir.url);
    try {
      await ask(weir.url, 'DROP TABLE IF EXISTS events');
      await ask(
        weir.url,
        'CREATE TABLE loaded (batch LONG, row LONG, text STRING) FROM LOG WITH (segment_rows = 2000)',
      );
      const batches = Array.from({ length: 75 }, (_, batch) => rowsOf(batch)).flat();
      const path = join(input, 'rows.ndjson');
      await writeFile(path, batches.map(row => JSON.stringify(row)).join('\n'));
      const { bavail, bsize } = await statfs(data);
      await writeFile(join(data, 'other'), Buffer.alloc(Math.max(0, bavail * bsize - (900 << 10))));

      const started = await client.startLoad({ table: 'loaded', files: [{ path }] });
      const stopped = await until(
        () => client.load(started.load.id),
        ({ state }) => state !== 'running',
      );
      expect(stopped).toMatchObject({ state: 'interrupted', error: expect.stringContaining('the disk is full') });
      expect(stopped.rowsLoaded).toBeGreaterThan(0);
      expect(await ask(weir.url, 'SELECT COUNT(*) FROM loaded')).toEqual([[0]]);
      // An upload would leave no room for pushes.
      await expect(client.putUpload('0'.repeat(64), 0, 1, new Uint8Array(1))).rejects.toMatchObject({
        code: 'DISK_FULL',
      });

      await rm(join(data, 'other'));
      expect((await client.startLoad({ table: 'loaded', files: [{ path }] })).load.id).toBe(started.load.id);
      const finished = await until(
        () => client.load(started.load.id),
        ({ state }) => state !== 'running',
      );
      expect(finished).toMatchObject({ state: 'finished', rowsLoaded: batches.length, error: null });
      expect(await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT text) FROM loaded')).toEqual([
        [batches.length, batches.length],
      ]);
    } finally {
      await weir.stop();
      await rm(input, { recursive: true });
    }
  }, 60_000);
});
