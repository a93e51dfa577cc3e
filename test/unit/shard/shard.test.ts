import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import type { Clock } from '../../../src/base/seams.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { virtualColumns } from '../../../src/catalog/table.ts';
import { batchOf } from '../../../src/column/builder.ts';
import { decodeBatch, encodeBatch } from '../../../src/column/frame.ts';
import { LONG, STRING, type Value } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { idleAfterMs } from '../../../src/shard/partitions.ts';
import type { Client } from '../../../src/wire/call.ts';
import type { ShardCalls } from '../../../src/wire/shard-calls.ts';
import { ManualClock } from '../../support/clock.ts';
import {
  appendRows,
  byId,
  type Carrier,
  type Cluster,
  commit,
  definition,
  openCluster,
  readRun,
  rowsBetween,
  runInput,
  scanNode,
  tableId,
  taskOf,
} from './shard-fixtures.ts';

const clusters: Cluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

const open = (carrier: Carrier, count = 1, arenaBytes?: number, clock?: Clock): Cluster => {
  const cluster = openCluster(carrier, count, arenaBytes, clock);
  clusters.push(cluster);
  return cluster;
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no fault',
    error => (error instanceof FaultError ? error.fault.code : `not a fault: ${error}`),
  );

/** Cancelled runs let go when they next look: each question leaves them turns of the thread. */
async function untilFree(shard: Client<ShardCalls>): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if ((await shard.call('status', null)).arenaUsedBytes === 0) return;
    await new Promise(resolve => setImmediate(resolve));
  }
  expect(await shard.call('status', null)).toMatchObject({ arenaUsedBytes: 0 });
}

const ref = { tableId, partition: 0 };

describe.each<Carrier>(['one thread', 'MessageChannels'])('a shard over %s', carrier => {
  test('rows are in the answer of the next query once they are appended', async () => {
    const shard = open(carrier).shards[0]!;
    await shard.call('openPartition', { definition, partition: 0, startOffset: 100, epoch: 0, watermarkMs: null });
    expect(await appendRows(shard, 100, 7)).toBe(107);
    const { freshness, ...range } = await shard.call('pin', { leaseId: 'q1', ...ref });
    expect(range).toEqual({ startOffset: 100, endOffset: 107, epoch: 0 });
    expect(freshness).toMatchObject({
      ingestedOffset: 107,
      endOffset: 107,
      lagMs: 0,
      watermarkMs: 107,
      state: 'consuming',
    });
    await appendRows(shard, 107, 5);
    const { rows, stats } = await readRun(
      shard,
      runInput({ tasks: [{ shard: 0, fragment: 1, scans: [taskOf([], range)] }] }),
    );
    expect(rows).toEqual(rowsBetween(100, 107));
    expect(stats).toMatchObject({ rowsScanned: 7, rowsMatched: 7, unitsAnswered: [`consuming-${tableId}-0`] });
    expect((await shard.call('status', null)).consuming).toEqual([
      { ...ref, rowCount: 12, startOffset: 100, endOffset: 112 },
    ]);
  });

  test('a rolled segment is exported, published, read from the store, and its memory comes back', async () => {
    const { shards, store } = open(carrier);
    const shard = shards[0]!;
    await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
    await appendRows(shard, 0, 1000);
    await shard.call('pin', { leaseId: 'old', ...ref });
    const rolled = await shard.call('roll', ref);
    const { frame } = await shard.call('exportColumn', { ...ref, startOffset: 0, columnId: virtualColumns.offset });
    expect(rowsOf(decodeBatch(frame)).map(([offset]) => offset)).toEqual(rowsBetween(0, 1000).map(([id]) => id));
    const entry = await commit(shard, store, rolled);
    await shard.call('retire', { ...ref, endOffset: 1000 });
    expect(await shard.call('status', null)).toMatchObject({ leases: 1, segmentsOpen: 0 });
    await appendRows(shard, 1000, 10);
    const { startOffset, endOffset } = await shard.call('pin', { leaseId: 'new', ...ref });
    const task = taskOf([entry], { startOffset, endOffset });
    const { rows, stats } = await readRun(shard, runInput({ tasks: [{ shard: 0, fragment: 1, scans: [task] }] }));
    expect(byId(rows)).toEqual(rowsBetween(0, 1010));
    expect(stats.unitsAnswered).toEqual([entry.id, `consuming-${tableId}-0`]);
    await shard.call('release', { leaseId: 'old' });
    expect(await shard.call('status', null)).toMatchObject({ leases: 0, segmentsOpen: 1 });
    await shard.call('release', { leaseId: 'new' });
    await shard.call('evict', { segmentIds: [entry.id, 'unknown'] });
    await shard.call('closePartition', ref);
    expect(await shard.call('status', null)).toMatchObject({ arenaUsedBytes: 0, segmentsOpen: 0, consuming: [] });
  });

  test('the root gathers from every shard, and adds up what they did', async () => {
    const { shards } = open(carrier, 3);
    for (const [index, shard] of shards.entries()) {
      await shard.call('openPartition', {
        definition,
        partition: 0,
        startOffset: index * 1000,
        epoch: 0,
        watermarkMs: null,
      });
      await appendRows(shard, index * 1000, 1000);
    }
    const tasks = shards.map((_, shard) => ({
      shard,
      fragment: 1,
      scans: [taskOf([], { startOffset: shard * 1000, endOffset: shard * 1000 + 1000 })],
    }));
    for (const root of shards) {
      const { rows, stats } = await readRun(root, runInput({ tasks }));
      expect(byId(rows)).toEqual(rowsBetween(0, 3000));
      expect(stats).toMatchObject({
        rowsScanned: 3000,
        blocksScanned: 3,
        unitsAnswered: Array(3).fill(`consuming-${tableId}-0`),
      });
    }
  });

  test('a limit that was met ends the peers, and nothing counts as unanswered', async () => {
    const { shards } = open(carrier, 2);
    for (const shard of shards) {
      await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
      await appendRows(shard, 0, 150_000);
    }
    const scans = [taskOf([], { startOffset: 0, endOffset: 150_000 })];
    const tasks = shards.map((_, shard) => ({ shard, fragment: 1, scans }));
    const fragments = [{ kind: 'limit', source: runInput({}).fragments[0]!, offset: 0, count: 10 } as const, scanNode];
    const { rows, stats } = await readRun(shards[0]!, runInput({ tasks, fragments }));
    expect(rows.length).toBe(10);
    expect(stats.unitsAnswered).toEqual(Array(2).fill(`consuming-${tableId}-0`));
    for (const shard of shards) {
      await shard.call('closePartition', ref);
      await untilFree(shard);
    }
  });

  test('a run that fails leaves the shard as it was', async () => {
    const { shards, store } = open(carrier, 2);
    const shard = shards[0]!;
    await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
    await appendRows(shard, 0, 1000);
    const run = (scans: Parameters<typeof taskOf>, more: object = {}): Promise<unknown> =>
      readRun(shard, runInput({ tasks: [{ shard: 0, fragment: 1, scans: [taskOf(...scans)] }], ...more }));
    const all: Parameters<typeof taskOf> = [[], { startOffset: 0, endOffset: 1000 }];
    const times = { minTimeMs: null, maxTimeMs: null };
    const entry = { id: 'gone', tableId, rowCount: 1, generation: 1, ...times } as SegmentEntry;
    const sort = { kind: 'sort', source: scanNode, keys: [], limit: null } as const;
    expect(await codeOf(run([[], { startOffset: 0, endOffset: 1001 }]))).toBe('INCOMPLETE');
    expect(await codeOf(run([[entry], null]))).toBe('CORRUPT_SEGMENT');
    expect(await codeOf(run(all, { fragment: 5 }))).toBe('INVALID_REQUEST');
    expect(await codeOf(run(all, { timeoutMs: -1 }))).toBe('TIMEOUT');
    expect(await codeOf(run(all, { fragments: [runInput({}).fragments[0]!, sort], memoryBytes: 100 }))).toBe(
      'MEMORY_BUDGET',
    );
    const elsewhere = [{ shard: 1, fragment: 1, scans: [taskOf(...all)] }];
    expect(await codeOf(readRun(shard, runInput({ tasks: elsewhere })))).toBe('UNAVAILABLE');
    expect(await codeOf(readRun(shard, runInput({ tasks: [{ shard: 7, fragment: 1, scans: [] }] })))).toBe(
      'INVALID_REQUEST',
    );
    expect(await run(all)).toMatchObject({ rows: rowsBetween(0, 1000) });
    await shard.call('closePartition', ref);
    expect(await shard.call('status', null)).toMatchObject({ arenaUsedBytes: 0, segmentsOpen: 0 });
    expect(store.objects.size).toBe(0);
  });

  test('an append that does not follow, or finds no room, adds nothing', async () => {
    const shard = open(carrier, 1, 1 << 20).shards[0]!;
    expect(await codeOf(appendRows(shard, 0, 1))).toBe('UNAVAILABLE');
    await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
    await appendRows(shard, 0, 3);
    expect(await codeOf(appendRows(shard, 2, 1))).toBe('INVALID_REQUEST');
    expect(await codeOf(appendRows(shard, 4, 1))).toBe('INVALID_REQUEST');
    expect(await codeOf(appendRows(shard, 3, 300_000))).toBe('MEMORY_BUDGET');
    expect(
      await codeOf(
        shard.call('openPartition', { definition, partition: 0, startOffset: 9, epoch: 0, watermarkMs: null }),
      ),
    ).toBe('INVALID_REQUEST');
    await shard.call('openPartition', { definition, partition: 0, startOffset: 3, epoch: 0, watermarkMs: null });
    expect(await appendRows(shard, 3, 3)).toBe(6);
  });

  test('a query paused at any step of the hand-off counts every row once', async () => {
    const stepCount = 6;
    for (let pinAt = 0; pinAt <= stepCount; pinAt++)
      for (let snapshotAt = pinAt; snapshotAt <= stepCount; snapshotAt++)
        for (let runAt = snapshotAt; runAt <= stepCount; runAt++) {
          const { shards, store, close } = openCluster(carrier, 1, 1 << 22);
          const shard = shards[0]!;
          let committed: readonly SegmentEntry[] = [];
          let seen = committed;
          let pinnedEnd = 0;
          const steps: (() => Promise<unknown>)[] = [
            () => appendRows(shard, 0, 20),
            () => shard.call('roll', ref),
            () => appendRows(shard, 20, 10),
            async () => {
              committed = [await commit(shard, store, { startOffset: 0, endOffset: 20 })];
            },
            () => shard.call('retire', { ...ref, endOffset: 20 }),
            () => appendRows(shard, 30, 5),
          ];
          await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
          for (let step = 0; step <= stepCount; step++) {
            if (step === pinAt) pinnedEnd = (await shard.call('pin', { leaseId: 'q', ...ref })).endOffset;
            if (step === snapshotAt) seen = committed;
            if (step === runAt) {
              const range = { startOffset: seen[0]?.endOffset ?? 0, endOffset: pinnedEnd };
              const tasks = [{ shard: 0, fragment: 1, scans: [taskOf(seen, range)] }];
              const { rows } = await readRun(shard, runInput({ tasks }));
              // Published rows count even where they came after the pin: the snapshot has them.
              const end = Math.max(pinnedEnd, range.startOffset);
              expect(byId(rows), `pin ${pinAt}, snapshot ${snapshotAt}, run ${runAt}`).toEqual(rowsBetween(0, end));
            }
            await steps[step]?.();
          }
          await shard.call('release', { leaseId: 'q' });
          expect(await shard.call('status', null)).toMatchObject({ leases: 0 });
          close();
        }
  }, 30_000);

  test('in any interleaving of a seal with queries, every query counts every row once', async () => {
    const query = fc.nat(1).map(String);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('append'), rows: fc.integer({ min: 1, max: 50 }) }) },
      { weight: 2, arbitrary: fc.constant({ do: 'roll' }) },
      { weight: 2, arbitrary: fc.constant({ do: 'publish' }) },
      { weight: 2, arbitrary: fc.constant({ do: 'retire' }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('pin'), query }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('snapshot'), query }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('run'), query }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('release'), query }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
        const { shards, store } = open(carrier);
        const shard = shards[0]!;
        await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
        let endOffset = 0;
        let committed: readonly SegmentEntry[] = [];
        const rolled: { startOffset: number; endOffset: number }[] = [];
        const queries = new Map<string, { pinnedEnd: number; committed: readonly SegmentEntry[] | null }>();
        const committedEndOf = (segments: readonly SegmentEntry[]): number => segments.at(-1)?.endOffset ?? 0;
        const answers: Promise<void>[] = [];
        const start = (pinnedEnd: number, segments: readonly SegmentEntry[]): void => {
          const task = taskOf(segments, { startOffset: committedEndOf(segments), endOffset: pinnedEnd });
          const tasks = [{ shard: 0, fragment: 1, scans: [task] }];
          const want = rowsBetween(0, Math.max(pinnedEnd, committedEndOf(segments)));
          answers.push(readRun(shard, runInput({ tasks })).then(({ rows }) => expect(byId(rows)).toEqual(want)));
        };
        for (const step of steps) {
          const leaseId = 'query' in step ? step.query : '';
          const known = queries.get(leaseId);
          if ('rows' in step) endOffset = await appendRows(shard, endOffset, step.rows);
          else if (step.do === 'roll') {
            const range = await shard.call('roll', ref);
            if (range.startOffset < range.endOffset) rolled.push(range);
          } else if (step.do === 'publish') {
            const next = rolled.find(({ startOffset }) => startOffset === committedEndOf(committed));
            if (next) committed = [...committed, await commit(shard, store, next)];
          } else if (step.do === 'retire') await shard.call('retire', { ...ref, endOffset: committedEndOf(committed) });
          else if (step.do === 'pin') {
            const pinnedEnd = (await shard.call('pin', { leaseId, ...ref })).endOffset;
            if (known) expect(pinnedEnd).toBe(known.pinnedEnd);
            else queries.set(leaseId, { pinnedEnd, committed: null });
          } else if (step.do === 'snapshot') {
            if (known) known.committed ??= committed;
          } else if (step.do === 'run') {
            if (known?.committed) start(known.pinnedEnd, known.committed);
          } else if (known) {
            // Not while its own runs are under way: that is what the lease is for.
            await Promise.all(answers);
            await shard.call('release', { leaseId });
            queries.delete(leaseId);
          }
        }
        await Promise.all(answers);
        await shard.call('closePartition', ref);
        for (const leaseId of queries.keys()) await shard.call('release', { leaseId });
        await shard.call('evict', { segmentIds: committed.map(({ id }) => id) });
        expect(await shard.call('status', null)).toMatchObject({ arenaUsedBytes: 0, leases: 0, segmentsOpen: 0 });
      }),
      { numRuns: 40 },
    );
  }, 30_000);
});

test('other calls are answered while a long run is under way, and a cancel ends it', async () => {
  const { shards } = open('MessageChannels');
  const shard = shards[0]!;
  await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
  const rowCount = 65_536 * 12;
  for (let start = 0; start < rowCount; start += 65_536) await appendRows(shard, start, 65_536);
  // Every row is its own group: it computes for longer than a slice before there is anything to send.
  const key = { kind: 'column', type: LONG, index: 0 } as const;
  const group = { kind: 'aggregate', mode: 'partial', source: scanNode, keys: [key], calls: [] } as const;
  const gather = { kind: 'exchange', mode: 'gather', fragment: 1, types: [LONG, STRING] } as const;
  const tasks = [{ shard: 0, fragment: 1, scans: [taskOf([], { startOffset: 0, endOffset: rowCount })] }];
  const abort = new AbortController();
  const input = runInput({ fragments: [gather, group], tasks, memoryBytes: 1 << 30 });
  let isOver = false;
  const answer = codeOf(readRun(shard, input, abort.signal)).finally(() => {
    isOver = true;
  });
  await shard.call('status', null);
  expect(isOver).toBe(false);
  abort.abort();
  expect(await answer).toBe('CANCELLED');
  await shard.call('closePartition', ref);
  await untilFree(shard);
});

test('freshness tells an idle partition from one that consumes', async () => {
  const clock = new ManualClock(1_000_000);
  const shard = open('one thread', 1, undefined, clock).shards[0]!;
  await shard.call('openPartition', { definition, partition: 0, startOffset: 0, epoch: 0, watermarkMs: null });
  const stateOf = async (leaseId: string): Promise<unknown> => {
    const { state, watermarkMs, observedAtMs } = (await shard.call('pin', { leaseId, ...ref })).freshness;
    return [state, watermarkMs, observedAtMs];
  };
  expect(await stateOf('1')).toEqual(['idle', null, 1_000_000]);
  await appendRows(shard, 0, 5);
  expect(await stateOf('2')).toEqual(['consuming', 5, 1_000_000]);
  // Set back or ahead, the clock says nothing of how long it was.
  for (const [lease, byMs] of [
    ['3', -86_400_000],
    ['4', 86_400_000],
  ] as const) {
    clock.jump(byMs);
    expect(((await stateOf(lease)) as unknown[])[0]).toBe('consuming');
  }
  clock.advance(idleAfterMs);
  expect(await stateOf('5')).toEqual(['idle', 5, clock.nowMs()]);
});

test('inline rows reach the root', async () => {
  const shard = open('one thread').shards[0]!;
  const columns = [{ name: 'x', type: LONG }];
  const want: Value[][] = [[1n], [2n]];
  const fragments = [{ kind: 'inline', name: 'system.x', columns } as const];
  const inline = { 'system.x': encodeBatch(batchOf([LONG], want)) };
  expect((await readRun(shard, runInput({ fragments, inline }))).rows).toEqual(want);
});
