/**
 * All of Weir in one thread on a disk that keeps only what was synced, tears what was not, and fails now and then, while
 * batches with idempotency keys are pushed and segments seal: after every power cut each acknowledged row is there exactly
 * once, and of a batch that was not acknowledged all rows or none. The metadata keep what SQLite promises: a transaction
 * has happened or has not, and none after the cut. WEIR_POWER_CUTS=500 for the long test, WEIR_SEED for another history.
 */
import { expect, test } from 'vitest';
import type { Clock, Random } from '../../src/base/seams.ts';
import { systemClock } from '../../src/base/system.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import type { MetaStore } from '../../src/meta/store.ts';
import { type DiskStep, diskError, FaultDisk, PowerCut } from '../sim/fault-disk.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { seededRandom } from '../support/random.ts';

const cutCount = Number(process.env.WEIR_POWER_CUTS ?? 30);
const seed = Number(process.env.WEIR_SEED ?? 20_240_607);
const batchRows = 25;
const pusherCount = 4;

/** Twenty times as fast as the wall's: backoffs and grace periods pass. */
const clock: Clock = {
  nowMs: () => 1_700_000_000_000 + Math.floor(performance.now() * 20),
  monotonicMs: () => performance.now() * 20,
  sleep: (delayMs, signal) => systemClock.sleep(delayMs / 20, signal),
};

interface Batch {
  readonly number: number;
  acknowledged: boolean;
}

/** One run of the machine, from its start to the power cut. */
class Life {
  dead = false;
  readonly disk: FaultDisk;
  readonly #random: Random;
  #stepsLeft = Number.POSITIVE_INFINITY;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(disk: FaultDisk, random: Random, failing: boolean) {
    this.disk = disk;
    this.#random = random;
    disk.onStep = (step, path) => {
      if (this.#stepsLeft-- <= 0) return this.#die();
      return failing && !this.dead && writes.has(step) && random.next() < 0.02
        ? diskError(random.next() < 0.5 ? 'EIO' : 'ENOSPC', path)
        : null;
    };
  }

  cutPowerAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  #die(): Error {
    this.dead = true;
    this.disk.cutPowerAfter(0);
    return new PowerCut('the power went');
  }

  /** A transaction may be the last thing that happens, or the first that does not. */
  metaOf(meta: MetaStore): MetaStore {
    const passed = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.#stepsLeft-- <= 0 || this.dead) throw this.#die();
      const done = work();
      this.#underWay.add(done);
      const result = await done.finally(() => this.#underWay.delete(done));
      if (this.#stepsLeft < 40 && this.#random.next() < 0.2) throw this.#die();
      return result;
    };
    const change =
      <Input extends unknown[], T>(work: (...input: Input) => Promise<T>) =>
      (...input: Input): Promise<T> =>
        passed(() => work.apply(meta, input));
    return new Proxy(meta, {
      get(target, name) {
        if (name === 'close') return async () => {};
        const value = Reflect.get(target, name) as (...input: unknown[]) => Promise<unknown>;
        return typeof value === 'function' ? change(value) : value;
      },
    });
  }

  async buried(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }
}

const writes = new Set<DiskStep>(['write', 'sync', 'rename', 'syncFolder', 'truncate']);

test(`every acknowledged row exactly once after ${cutCount} power cuts (seed ${seed})`, {
  timeout: 60_000 + cutCount * 5_000,
}, async () => {
  const random = seededRandom(seed);
  const meta = await openSqliteMeta(':memory:');
  const batches: Batch[] = [];
  let disk = new FaultDisk(random);
  const open = (life: Life): Promise<Cluster> =>
    openCluster({
      disk: life.disk,
      folder: '/data',
      meta: life.metaOf(meta),
      clock,
      shardCount: 2,
      arenaBytes: 64 << 20,
      controllerSettings: { sweepIntervalMs: 1_000, removalGraceMs: 2_000 },
    });

  /** Pushes new batches, and first those that were never acknowledged, until the power goes. */
  const push = async (
    cluster: Cluster,
    tableId: string,
    life: Life,
    todo: Batch[],
    endless: boolean,
  ): Promise<void> => {
    while (!life.dead) {
      let batch = todo.pop();
      if (!batch) {
        if (!endless) return;
        batches.push((batch = { number: batches.length, acknowledged: false }));
      }
      const { number } = batch;
      const text = Array.from(
        { length: batchRows },
        (_, row) =>
          `{"ts": ${1_700_000_000_000 + number}, "batch": ${number}, "row": ${row}, "text": "batch ${number}"}\n`,
      ).join('');
      try {
        const answer = await cluster.ingest.call('push', {
          tableId,
          format: 'ndjson',
          body: new TextEncoder().encode(text),
          strict: true,
          idempotencyKey: `batch-${number}`,
        });
        expect(answer).toMatchObject({ accepted: batchRows, rejected: 0 });
        batch.acknowledged = true;
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error;
        todo.push(batch);
        // What a client does: it waits a little, and sends the batch again.
        await clock.sleep(50);
      }
    }
  };

  const check = async (cluster: Cluster, cut: number): Promise<void> => {
    const { rows } = await cluster.query(
      'SELECT batch, COUNT(*), COUNT(DISTINCT row), MIN(text), MAX(text) FROM events GROUP BY batch',
      [],
      { timeoutMs: 600_000 },
    );
    const whole = BigInt(batchRows);
    const wrong = rows.filter(
      ([batch, count, distinct, least, greatest]) =>
        count !== whole || distinct !== whole || least !== `batch ${batch}` || greatest !== least,
    );
    expect(wrong, `torn or doubled after cut ${cut}`).toEqual([]);
    const present = new Set(rows.map(([batch]) => Number(batch)));
    const lost = batches.filter(batch => batch.acknowledged && !present.has(batch.number));
    expect(lost, `lost after cut ${cut}`).toEqual([]);
    const [[count]] = (await cluster.query('SELECT COUNT(*) FROM events', [], { timeoutMs: 600_000 })).rows as [
      [bigint],
    ];
    expect(count).toBe(BigInt(rows.length * batchRows));
  };

  const first = new Life(disk, random, false);
  let cluster = await open(first);
  await cluster.query(
    "CREATE TABLE events (ts TIMESTAMP, batch LONG, row LONG, text STRING) FROM LOG WITH (time_column = 'ts', segment_rows = 400)",
  );
  const { id: tableId } = (await cluster.controller.call('catalog', null)).tables[0]!;
  let life = first;
  for (let cut = 1; cut <= cutCount; cut++) {
    life.cutPowerAfter(10 + Math.floor(random.next() ** 2 * 300));
    const todo = batches.filter(batch => !batch.acknowledged);
    const living = cluster;
    await Promise.all(Array.from({ length: pusherCount }, () => push(living, tableId, life, todo, true)));
    await living.close().catch(() => {});
    await life.buried();

    for (;;) {
      disk = life.disk.restart();
      life = new Life(disk, random, random.next() < 0.4);
      // Now and then the power goes again while the machine is starting.
      if (random.next() < 0.3) life.cutPowerAfter(Math.floor(random.next() * 40));
      try {
        cluster = await open(life);
      } catch (error) {
        if (!life.dead) throw error;
      }
      if (!life.dead) break;
      await cluster.close().catch(() => {});
      await life.buried();
    }
    life.cutPowerAfter(Number.POSITIVE_INFINITY);
    await healthy(cluster);
    await check(cluster, cut);
  }

  // In the end all of it is taken and published, and the deep store holds what the metadata name, and nothing else.
  life.disk.onStep = () => null;
  await push(
    cluster,
    tableId,
    life,
    batches.filter(batch => !batch.acknowledged),
    false,
  );
  await cluster.commit('events');
  await check(cluster, cutCount + 1);
  const segments = (await cluster.query('SELECT segment, rows FROM system.segments')).rows;
  expect(segments.reduce((sum, [, rows]) => sum + Number(rows), 0)).toBe(batches.length * batchRows);
  const named = segments.map(([segment]) => segment).sort();
  const stored = async (): Promise<string[]> => (await life.disk.list(`/data/store/${tableId}`)).sort();
  while ((await stored()).length > named.length) await clock.sleep(500);
  expect(await stored()).toEqual(named);
  expect(batches.length).toBeGreaterThan(cutCount);
  console.log(`${cutCount} power cuts, ${batches.length} batches, ${segments.length} segments`);
  await cluster.close();
  await meta.close();
});

/** A partition that met a failing disk heals by itself. */
async function healthy(cluster: Cluster): Promise<void> {
  for (;;) {
    const states = await cluster.ingest.call('state', null);
    if (states.length > 0 && states.every(({ freshness }) => freshness.state !== 'failed')) return;
    await clock.sleep(200);
  }
}
