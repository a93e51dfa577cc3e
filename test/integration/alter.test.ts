/** Tables change, and indexes are built, in a real process that is killed: answers are the same before, meanwhile and after. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { eventually } from '../support/eventually.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const segmentCount = 12;
const segmentRows = 20_000;

/** Rows of one segment; names repeat, few rows have one. */
const rowsOf = (segment: number): string =>
  Array.from({ length: segmentRows }, (_, row) => {
    const id = segment * segmentRows + row;
    return `{"id":${id},"name":"n${id % 997}","day":"2024-01-${String(1 + (id % 28)).padStart(2, '0')}"}`;
  }).join('\n');

const total = segmentCount * segmentRows;
const named = Array.from({ length: total }, (_, id) => id).filter(id => id % 997 === 5);
const expected = [[named.length, named.reduce((sum, id) => sum + id, 0)]];

test('kill -9 while an index is built: the next process finishes it', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-alter-'));
  const start = (): Promise<WeirProcess> => startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  try {
    let weir = await start();
    // Full segments: none is merged away under the build.
    await ask(weir.url, `CREATE TABLE t (id INT, name STRING, day DATE) WITH (segment_rows = ${segmentRows})`);
    for (let segment = 0; segment < segmentCount; segment++) {
      await createClient(weir.url).push('t', rowsOf(segment), 'ndjson');
      await createClient(weir.url).commit('t');
    }
    const sum = "SELECT COUNT(*), SUM(id) FROM t WHERE name = 'n5'";
    expect(await ask(weir.url, sum)).toEqual(expected);

    await ask(weir.url, "ALTER TABLE t ALTER id TYPE LONG, ALTER day TYPE TIMESTAMP, ADD extra STRING DEFAULT 'e'");
    expect(await ask(weir.url, sum)).toEqual(expected);
    await ask(weir.url, 'CREATE INDEX by_name ON t (name)');
    // Before its thread has begun, and then at some moment in the middle.
    await weir.kill();
    weir = await start();
    await eventually(async () => {
      const [task] = await createClient(weir.url).tasks();
      expect(await ask(weir.url, sum)).toEqual(expected);
      expect(task!.done).toBeGreaterThan(0);
    });
    await weir.kill();

    weir = await start();
    const client = createClient(weir.url);
    await eventually(async () => {
      expect(await ask(weir.url, sum)).toEqual(expected);
      const segments = await client.segments('t');
      expect(segments.filter(({ generation }) => generation === 1)).toEqual([]);
    }, 60_000);
    expect((await client.query(sum)).stats.filters).toHaveProperty('inverted index');
    expect(await ask(weir.url, sum)).toEqual(expected);
    expect(
      await ask(weir.url, "SELECT COUNT(*) FROM t WHERE extra = 'e' AND day = TIMESTAMP '2024-01-05 00:00:00'"),
    ).toEqual([[Array.from({ length: total }, (_, id) => id).filter(id => id % 28 === 4).length]]);
    expect(await ask(weir.url, 'SHOW CREATE TABLE t')).toEqual([[expect.stringContaining('name: inverted by_name')]]);
    expect(await weir.stop()).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('pushes go on while the table changes again and again', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-alter-'));
  const start = (): Promise<WeirProcess> => startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  try {
    let weir = await start();
    await ask(weir.url, 'CREATE TABLE t (id INT, c0 STRING)');
    let pushed = 0;
    let stopped = false;
    const push = async (): Promise<void> => {
      const client = createClient(weir.url);
      while (!stopped) {
        const ids = Array.from({ length: 20 }, () => pushed++);
        const answer = await client.push(
          't',
          ids.map(id => `{"id":${id},"c0":"a","c3":"b","c7":"c"}`).join('\n'),
          'ndjson',
        );
        expect(answer).toMatchObject({ accepted: 20, rejected: 0 });
      }
    };
    const pushing = Promise.all([push(), push(), push()]);
    for (let number = 1; number <= 10; number++)
      await ask(weir.url, `ALTER TABLE t ADD c${number} STRING DEFAULT 'd${number}'`);
    await ask(weir.url, 'ALTER TABLE t DROP c0, ALTER id TYPE LONG');
    stopped = true;
    await pushing;
    const check = async (): Promise<void> => {
      const sql =
        "SELECT COUNT(*), COUNT(DISTINCT id), MIN(id), MAX(id), COUNT(*) FILTER (WHERE c3 IN ('b', 'd3')) FROM t";
      expect(await ask(weir.url, sql)).toEqual([[pushed, pushed, 0, pushed - 1, pushed]]);
    };
    await check();
    const seen = await ask(weir.url, 'SELECT c3, c7, COUNT(*) FROM t GROUP BY c3, c7 ORDER BY c3, c7');
    await weir.kill();
    weir = await start();
    await check();
    expect(await ask(weir.url, 'SELECT c3, c7, COUNT(*) FROM t GROUP BY c3, c7 ORDER BY c3, c7')).toEqual(seen);
    expect(await weir.stop()).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
