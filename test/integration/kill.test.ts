/**
 * kill -9 at random moments, while batches with idempotency keys are pushed and segments seal: every acknowledged row is
 * there exactly once. WEIR_KILLS=50 for the long test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../support/random.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const killCount = Number(process.env.WEIR_KILLS ?? 10);
const batchRows = 40;
const pusherCount = 4;

interface Sent {
  readonly batch: number;
  acknowledged: boolean;
}

/** Pushes batches until the process is gone; a batch that was not acknowledged is pushed again by the next life. */
async function pushUntilGone(url: string, sent: Sent[], next: () => number): Promise<void> {
  const unfinished = sent.filter(({ acknowledged }) => !acknowledged);
  await Promise.all(
    Array.from({ length: pusherCount }, async () => {
      for (;;) {
        const entry = unfinished.pop() ?? { batch: next(), acknowledged: false };
        if (!sent.includes(entry)) sent.push(entry);
        const rows = Array.from({ length: batchRows }, (_, row) => ({
          ts: new Date(1_700_000_000_000 + entry.batch * 1000 + row).toISOString(),
          batch: entry.batch,
          row,
          text: `batch ${entry.batch}`,
        }));
        try {
          const response = await fetch(`${url}/v1/tables/kills/rows`, {
            method: 'POST',
            headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': `batch-${entry.batch}` },
            body: rows.map(row => JSON.stringify(row)).join('\n'),
          });
          const answer = (await response.json()) as { accepted: number };
          if (response.status === 200) {
            expect(answer.accepted).toBe(batchRows);
            entry.acknowledged = true;
          }
        } catch {
          return;
        }
      }
    }),
  );
}

test(`every acknowledged row exactly once after ${killCount} kills`, {
  timeout: 60_000 + killCount * 15_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-kill-'));
  const random = seededRandom(20_240_101);
  const sent: Sent[] = [];
  let batches = 0;
  const start = (): Promise<WeirProcess> => startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  try {
    let weir = await start();
    await ask(
      weir.url,
      "CREATE TABLE kills (ts TIMESTAMP, batch LONG, row LONG, text STRING) FROM LOG WITH (time_column = 'ts', segment_rows = 1500, segment_age = '1s')",
    );
    for (let kill = 0; kill < killCount; kill++) {
      const pushing = pushUntilGone(weir.url, sent, () => batches++);
      const lifetimeMs = 150 + Math.floor(random.next() * 1500);
      await new Promise(resolve => setTimeout(resolve, lifetimeMs));
      await weir.kill();
      await pushing;
      weir = await start();
      const acknowledged = sent.filter(entry => entry.acknowledged).map(entry => entry.batch);
      const seen = await ask(weir.url, 'SELECT batch, COUNT(*), COUNT(DISTINCT row) FROM kills GROUP BY batch');
      const wrong = seen.filter(([, count, distinct]) => count !== batchRows || distinct !== batchRows);
      expect(wrong, `batches torn or doubled after kill ${kill}`).toEqual([]);
      const present = new Set(seen.map(([batch]) => batch));
      expect(
        acknowledged.filter(batch => !present.has(batch)),
        `acknowledged batches lost after kill ${kill}`,
      ).toEqual([]);
    }
    expect(sent.filter(entry => entry.acknowledged).length).toBeGreaterThan(killCount);
    const [[segments]] = (await ask(weir.url, 'SELECT COUNT(*) FROM system.segments WHERE "table" = \'kills\'')) as [
      [number],
    ];
    expect(segments).toBeGreaterThan(0);
    expect(await weir.stop()).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
