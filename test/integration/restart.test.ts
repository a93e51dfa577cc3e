/** A restart with a thousand segments answers at once: segments are opened lazily, column by column. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LONG, STRING, TIMESTAMP, type Value } from '../../src/column/type.ts';
import { postSql } from '../support/http.ts';
import { makeSegments } from '../support/segments.ts';
import { startWeir } from '../support/weir-process.ts';

const segmentCount = 1_000;
const segmentRows = 100;
const firstMs = 1_700_000_000_000;
/** One segment a minute. */
const spanMs = 60_000;

/** The promise is a second; CI's machines are slow and shared. */
const limitMs = 3_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-restart-'));
  await makeSegments(
    folder,
    {
      name: 'payments',
      columns: [
        { name: 'ts', type: TIMESTAMP, nullable: false },
        { name: 'country', type: STRING, nullable: true },
        { name: 'amount', type: LONG, nullable: true },
      ],
      timeColumn: 'ts',
      indexes: [{ column: 'country', kind: 'inverted' }],
      settings: {},
    },
    segmentCount,
    segment =>
      Array.from({ length: segmentRows }, (_, row): Value[] => [
        firstMs + segment * spanMs + row,
        `country ${(segment + row) % 20}`,
        BigInt(row),
      ]),
    firstMs,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const perSegment = (segmentRows * (segmentRows - 1)) / 2;

test.each([
  ['COUNT(*) over all', 'SELECT COUNT(*) FROM payments', [[segmentCount * segmentRows]]],
  [
    'an aggregate over ten minutes',
    `SELECT COUNT(*), SUM(amount) FROM payments WHERE ts >= TIMESTAMP '${new Date(firstMs + 500 * spanMs).toISOString()}' AND ts < TIMESTAMP '${new Date(firstMs + 510 * spanMs).toISOString()}'`,
    [[10 * segmentRows, 10 * perSegment]],
  ],
  [
    'an aggregate over all',
    'SELECT country, COUNT(*), SUM(amount) FROM payments GROUP BY country ORDER BY country LIMIT 1',
    [['country 0', (segmentCount * segmentRows) / 20, (segmentCount * perSegment) / 20]],
  ],
])('%s is the first query after a restart', async (what, sql, rows) => {
  const startedMs = performance.now();
  const weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  try {
    const readyMs = performance.now();
    const { body } = await postSql(weir.url, sql);
    const answeredMs = performance.now();
    expect(body.rows).toEqual(rows);
    const again = performance.now();
    await postSql(weir.url, sql);
    const { parseMs, planMs, pinMs, runMs } = body.stats!;
    const round = (ms: number): number => Math.round(ms);
    console.log(
      `${what}: ready after ${round(readyMs - startedMs)} ms, first answer ${round(answeredMs - readyMs)} ms later ` +
        `(parse ${round(parseMs!)}, plan ${round(planMs!)}, pin ${round(pinMs!)}, run ${round(runMs!)}), again in ${round(performance.now() - again)} ms`,
    );
    expect(answeredMs - readyMs).toBeLessThan(limitMs);
  } finally {
    expect(await weir.stop()).toBe(0);
  }
});
