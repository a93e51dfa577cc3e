import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FaultError, fault } from '../../../src/base/fault.ts';
import { silentLog } from '../../../src/base/seams.ts';
import { formatLoadSegmentId, formatSegmentId } from '../../../src/catalog/segment-id.ts';
import { loadPartition, type SegmentEntry, type TableDefinition } from '../../../src/catalog/table.ts';
import { INT, TIMESTAMP } from '../../../src/column/type.ts';
import { type Controller, createController } from '../../../src/controller/controller.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { LoadCounts, LoadStart, LoadStatus } from '../../../src/wire/load-calls.ts';
import { local } from '../../../src/wire/local.ts';
import type { TaskCalls } from '../../../src/wire/task-calls.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const hourMs = 3_600_000;
const settings = {
  ...{ leaseLimitMs: 60_000, removalGraceMs: 5_000, sweepIntervalMs: 1_000 },
  ...{
    mergeIntervalMs: null,
    mergeSizeBytesMax: 1 << 20,
    replicaCount: 1,
    serverGraceMs: 60_000,
    loadGiveUpMs: 24 * hourMs,
  },
};
const context = { signal: new AbortController().signal };
const counts: LoadCounts = { rowsSettled: 20, rowsRejected: 1, rejects: [] };

let folder: string;
let meta: MetaStore;
let store: MemoryStore;
let clock: ManualClock;
let controller: Controller;
let running: Promise<void>;
let starts = 0;
/** The work on a load, as the test ends it. */
let work: {
  input: TaskCalls['load']['in'];
  signal: AbortSignal;
  end(counts: LoadCounts): void;
  fail(error: Error): void;
}[];
let table: TableDefinition;

const start = async () => {
  meta = await openSqliteMeta(join(folder, 'meta.sqlite'));
  const refuse = () => {
    throw fault('UNSUPPORTED', 'not here');
  };
  const tasks = local<TaskCalls>({
    ...{ merge: refuse, index: refuse, verify: refuse, inferFiles: refuse },
    load: (input, { signal }) =>
      new Promise((end, fail) => {
        work.push({ input, signal, end, fail });
      }),
  });
  controller = await createController(settings, {
    ...{ clock, random: seededRandom(++starts), log: silentLog, meta, store, tasks },
    listeners: { catalogChanged: async () => {}, segmentsGone: async () => {} },
  });
  running = controller.run();
  await clock.untilSleeping();
};
const stop = async () => {
  await controller.stop();
  await running;
  await meta.close();
};
const restart = async () => {
  await stop();
  await start();
};
const pass = async (ms: number) => {
  clock.advance(ms);
  await clock.untilSleeping();
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-loads-'));
  store = new MemoryStore();
  clock = new ManualClock();
  work = [];
  await start();
  table = await controller.createTable(
    {
      definition: {
        name: 't',
        columns: [
          { name: 'ts', type: TIMESTAMP, nullable: true },
          { name: 'x', type: INT, nullable: true },
        ],
        ...{ timeColumn: 'ts', indexes: [], settings: {} },
      },
      ifNotExists: false,
    },
    context,
  );
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const request = (change: Partial<LoadStart> = {}): LoadStart => ({
  ...{ tableId: table.id, key: 'k', replace: null, cutoffs: [] },
  inputs: [{ kind: 'path', location: '/in/a', name: 'a', sizeBytes: 100, fingerprint: '1' }],
  options: { shapes: [null], rejectsMax: null },
  ...change,
});
const begin = (change: Partial<LoadStart> = {}): Promise<LoadStatus> =>
  Promise.resolve(controller.startLoad(request(change), context));
const status = async (id: string): Promise<LoadStatus> =>
  (await controller.loads(null, context)).find(load => load.id === id)!;

const segment = (id: string, startOffset: number, endOffset: number, minTimeMs = 0, maxTimeMs = 9): SegmentEntry => ({
  ...{ id, tableId: table.id, partition: loadPartition, startOffset, endOffset, rowCount: endOffset - startOffset },
  ...{ sizeBytes: 10, generation: 1, tableVersion: 1, minTimeMs, maxTimeMs, createdAtMs: clock.nowMs() },
  zones: { 1: { nullCount: 0, min: minTimeMs, max: maxTimeMs } },
});
/** As the task does: files, then the controller is told. */
const stage = async (load: LoadStatus, startOffset: number, endOffset: number, times: readonly number[] = [0, 9]) => {
  const entry = segment(
    formatLoadSegmentId({ id: load.id, tableId: table.id }, startOffset, '0123456789ab'),
    ...([startOffset, endOffset, times[0]!, times[1]!] as const),
  );
  await store.put(`${table.id}/${entry.id}/columns.arrow`, [new Uint8Array(1)]);
  await controller.stageSegment({ loadId: load.id, segment: entry, ...counts, rowsSettled: endOffset }, context);
  return entry.id;
};
const publish = (startOffset: number, endOffset: number, times: readonly number[]) => {
  const id = formatSegmentId({ tableId: table.id, partition: 0, startOffset, attempt: 'aa' });
  return controller.publish(
    { segment: { ...segment(id, startOffset, endOffset, times[0], times[1]), partition: 0 } },
    context,
  );
};
const snapshot = async () => {
  const { tables } = await controller.snapshot({ leaseId: 'l', tableIds: [table.id] }, context);
  await controller.release({ leaseId: 'l' }, context);
  return tables[0]!;
};
const idsOf = async () => (await snapshot()).segments.map(({ id }) => id);
/** Until the work that was ended has been written down. */
const settled = async (load: LoadStatus, state: LoadStatus['state']): Promise<LoadStatus> => {
  for (;;) {
    const now = await status(load.id);
    if (now.state === state) return now;
    if (now.state !== 'running') throw new Error(`it is ${now.state}: ${now.error}`);
    await new Promise(resolve => setImmediate(resolve));
  }
};
const codeOf = (promise: Promise<unknown> | unknown): Promise<string> =>
  Promise.resolve(promise).then(
    () => 'none',
    (error: FaultError) => error.fault.code,
  );

describe('a load', () => {
  test('is built aside and becomes visible whole; asked for again it adds nothing', async () => {
    const load = await begin();
    expect(load).toMatchObject({ state: 'running', table: 't', bytesTotal: 100, bytesRead: 0 });
    await stage(load, 0, 10);
    await controller.loadProgress(
      { loadId: load.id, bytesRead: 60, rowsRead: 12, rowsRejected: 1, rejects: [] },
      context,
    );
    expect(await status(load.id)).toMatchObject({ bytesRead: 60, rowsRead: 12, rowsRejected: 1, rowsLoaded: 10 });
    expect(await controller.tasks(null, context)).toMatchObject([
      { kind: 'load', state: 'running', done: 60, total: 100 },
    ]);
    expect((await begin()).id).toBe(load.id);
    expect(work).toHaveLength(1);
    await stage(load, 10, 19);
    expect(await idsOf()).toEqual([]);
    work[0]!.end(counts);
    const finished = await settled(load, 'finished');
    expect(finished).toMatchObject({ sequence: 1, bytesRead: 100, rowsRead: 20, rowsLoaded: 19, rowsRejected: 1 });
    const { segments } = await snapshot();
    expect(segments.map(({ rowCount, loadSequence }) => [rowCount, loadSequence])).toEqual([
      [10, 1],
      [9, 1],
    ]);
    expect(await begin()).toMatchObject({ id: load.id, state: 'finished' });
    await restart();
    expect(await begin()).toMatchObject({ id: load.id, state: 'finished' });
    expect(await snapshot()).toMatchObject({ segments });
    expect((await begin({ key: 'other' })).id).not.toBe(load.id);
  });

  test('that the process left is interrupted, and goes on when it is asked for again', async () => {
    const load = await begin();
    const id = await stage(load, 0, 10);
    await restart();
    expect(await status(load.id)).toMatchObject({ state: 'interrupted', rowsLoaded: 10, rowsRead: 10 });
    await pass(hourMs);
    expect(await store.list(table.id)).toEqual([id]);
    expect(await begin()).toMatchObject({ id: load.id, state: 'running' });
    expect(work.at(-1)!.input.load).toMatchObject({ rowsLoaded: 10, rowsSettled: 10 });
    work.at(-1)!.end(counts);
    await settled(load, 'finished');
    expect(await idsOf()).toEqual([id]);
  });

  test('stops with the controller, and is no failure', async () => {
    const load = await begin();
    await restart();
    expect(work[0]!.signal.aborted).toBe(true);
    expect(await status(load.id)).toMatchObject({ state: 'interrupted', error: null });
  });

  test('that the world hinders is interrupted; what is wrong with it itself ends it, and its files go', async () => {
    const load = await begin();
    await stage(load, 0, 10);
    work[0]!.fail(fault('DISK_FULL', 'the disk is full'));
    expect(await settled(load, 'interrupted')).toMatchObject({ error: 'the disk is full', rowsLoaded: 10 });
    await begin();
    await controller.loadProgress(
      {
        loadId: load.id,
        bytesRead: 1,
        rowsRead: 2,
        rowsRejected: 2,
        rejects: [{ file: 'a', line: 3, column: null, reason: 'bad' }],
      },
      context,
    );
    work[1]!.fail(fault('INVALID_ROWS', '2 rows are rejected'));
    expect(await settled(load, 'failed')).toMatchObject({
      ...{ error: '2 rows are rejected', rowsLoaded: 0, rowsRejected: 2, rejects: [{ line: 3 }] },
    });
    await pass(settings.removalGraceMs + 1_000);
    expect(await store.list(table.id)).toEqual([]);
    const again = await begin();
    expect(again.id).not.toBe(load.id);
  });

  test('that is cancelled leaves nothing, and takes no more from who still works on it', async () => {
    const load = await begin();
    await stage(load, 0, 10);
    expect(await controller.cancelLoad({ loadId: load.id }, context)).toMatchObject({ state: 'cancelled' });
    expect(work[0]!.signal.aborted).toBe(true);
    expect(await codeOf(stage(load, 10, 20))).toBe('CANCELLED');
    expect(
      await codeOf(
        (async () =>
          controller.loadProgress(
            { loadId: load.id, bytesRead: 0, rowsRead: 0, rowsRejected: 0, rejects: [] },
            context,
          ))(),
      ),
    ).toBe('CANCELLED');
    work[0]!.end(counts);
    await pass(1_000);
    await pass(settings.removalGraceMs + 1_000);
    expect([await idsOf(), await store.list(table.id)]).toEqual([[], []]);
    expect(await codeOf(controller.cancelLoad({ loadId: 'none' }, context))).toBe('NOT_FOUND');
    expect(await controller.cancelLoad({ loadId: load.id }, context)).toMatchObject({ state: 'cancelled' });
  });

  test('stages segments in order, each of the load and of the partition of loads', async () => {
    const load = await begin();
    await stage(load, 0, 10);
    expect(await codeOf(stage(load, 5, 20))).toBe('INVALID_REQUEST');
    expect(await codeOf(stage(load, 11, 20))).toBe('INVALID_REQUEST');
    const entry = segment(formatSegmentId({ tableId: table.id, partition: 0, startOffset: 10, attempt: 'aa' }), 10, 20);
    const staged = controller.stageSegment(
      { loadId: load.id, segment: { ...entry, partition: 0 }, ...counts },
      context,
    );
    expect(await codeOf(staged)).toBe('INVALID_REQUEST');
  });

  test('that nobody goes on with is given up after a day', async () => {
    const load = await begin();
    await stage(load, 0, 10);
    await restart();
    await pass(23 * hourMs);
    expect(await status(load.id)).toMatchObject({ state: 'interrupted' });
    await pass(2 * hourMs);
    expect(await status(load.id)).toMatchObject({ state: 'failed', error: expect.stringContaining('for 24 hours') });
    await pass(settings.removalGraceMs + 1_000);
    expect(await store.list(table.id)).toEqual([]);
  });

  test('stands when a partition goes back', async () => {
    await publish(0, 10, [0, 9]);
    const load = await begin();
    const staged = await stage(load, 0, 10);
    work[0]!.end(counts);
    await settled(load, 'finished');
    await controller.seek({ tableId: table.id, partition: 0, offset: 0, streamId: null, availableFrom: 0 }, context);
    expect(await idsOf()).toEqual([staged]);
    expect(await codeOf(publish(10, 20, [0, 9]))).toBe('INVALID_REQUEST');
    await publish(0, 10, [0, 9]);
    expect(await idsOf()).toHaveLength(2);
  });

  test('goes with its table', async () => {
    const load = await begin();
    await stage(load, 0, 10);
    await controller.dropTable({ name: 't', ifExists: false }, context);
    expect(await codeOf(stage(load, 10, 20))).toBe('CANCELLED');
    work[0]!.end(counts);
    await pass(settings.removalGraceMs + 1_000);
    expect([await controller.loads(null, context), await store.list('')]).toEqual([[], []]);
  });

  test('keeps what it may be building, and leaves what an earlier attempt built to be collected', async () => {
    const load = await begin();
    const attempt = (offset: number, digits: string) =>
      `${table.id}/${formatLoadSegmentId({ id: load.id, tableId: table.id }, offset, digits)}/columns.arrow`;
    await store.put(attempt(0, 'aaaaaaaaaaaa'), [new Uint8Array(1)]);
    await store.put(attempt(10, 'bbbbbbbbbbbb'), [new Uint8Array(1)]);
    await pass(hourMs);
    expect(await store.list(table.id)).toHaveLength(2);
    const staged = await stage(load, 0, 10);
    await pass(1_000);
    await pass(settings.removalGraceMs + 1_000);
    expect((await store.list(table.id)).sort()).toEqual([staged, attempt(10, 'bbbbbbbbbbbb').split('/')[1]].sort());
    work[0]!.end(counts);
    await settled(load, 'finished');
    await pass(1_000);
    await pass(settings.removalGraceMs + 1_000);
    expect(await store.list(table.id)).toEqual([staged]);
  });
});

describe('a replaced range', () => {
  const cutoff = (offset: number) => [{ streamId: null, offset }];

  test('hides in the same moment in which the rows show; segments of which nothing is left are dropped', async () => {
    await publish(0, 10, [0, 9]);
    await publish(10, 20, [5, 14]);
    const load = await begin({ replace: { fromMs: 0, toMs: 10 }, cutoffs: cutoff(20) });
    await publish(20, 30, [0, 9]);
    const staged = await stage(load, 0, 10);
    work[0]!.end(counts);
    await settled(load, 'finished');
    const { segments, replacements } = await snapshot();
    expect(segments.map(({ startOffset, id }) => (id === staged ? 'loaded' : startOffset))).toEqual([10, 20, 'loaded']);
    expect(replacements).toMatchObject([{ sequence: 1, loadsBelow: 1, fromMs: 0, toMs: 10, cutoffs: cutoff(20) }]);
    await restart();
    const again = await snapshot();
    const byId = (entries: readonly SegmentEntry[]) => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect([byId(again.segments), again.replacements]).toEqual([byId(segments), replacements]);
  });

  test('hides loads that had finished when it was asked for, and no other', async () => {
    const first = await begin({ key: 'first' });
    const old = await stage(first, 0, 10);
    work[0]!.end(counts);
    await settled(first, 'finished');
    const second = await begin({ key: 'second' });
    const replacing = await begin({ key: 'replacing', replace: { fromMs: 0, toMs: 100 } });
    const fresh = await stage(second, 0, 10);
    work[1]!.end(counts);
    await settled(second, 'finished');
    const whole = await stage(replacing, 0, 10);
    work[2]!.end(counts);
    await settled(replacing, 'finished');
    expect(await idsOf()).toEqual([fresh, whole]);
    expect(old).not.toBe(fresh);
  });

  test('is forgotten once nothing is left that it could hide, or another hides as much', async () => {
    await publish(0, 10, [5, 14]);
    const replace = async (key: string, fromMs: number, toMs: number, offset: number) => {
      const load = await begin({ key, replace: { fromMs, toMs }, cutoffs: cutoff(offset) });
      work.at(-1)!.end(counts);
      await settled(load, 'finished');
      await pass(1_000);
      return (await snapshot()).replacements.map(({ sequence }) => sequence);
    };
    // Rows of [5, 10) are hidden in a segment that stays.
    expect(await replace('a', 0, 10, 10)).toEqual([1]);
    expect(await replace('b', 0, 12, 10)).toEqual([2]);
    // Offset 15 is not committed yet: rows below it may be hidden.
    expect(await replace('c', 0, 5, 15)).toEqual([2, 3]);
    await publish(10, 20, [20, 30]);
    await pass(1_000);
    expect((await snapshot()).replacements.map(({ sequence }) => sequence)).toEqual([2]);
    // Numbers are not used again.
    expect(await replace('d', 20, 21, 20)).toEqual([2, 4]);
  });

  test('needs a time column', async () => {
    const definition = { name: 'untimed', columns: [{ name: 'x', type: INT, nullable: true }] };
    const untimed = await controller.createTable(
      { definition: { ...definition, timeColumn: null, indexes: [], settings: {} }, ifNotExists: false },
      context,
    );
    expect(await codeOf(begin({ tableId: untimed.id, replace: { fromMs: 0, toMs: 1 } }))).toBe('CONSTRAINT');
  });
});
