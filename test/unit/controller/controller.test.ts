import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/base/seams.ts';
import { kafkaSource } from '../../../src/catalog/kafka-source.ts';
import { formatSegmentId } from '../../../src/catalog/segment-id.ts';
import type { SegmentEntry, TableDefinition, TableDefinitionRequest } from '../../../src/catalog/table.ts';
import { INT, TIMESTAMP } from '../../../src/column/type.ts';
import { type Controller, createController } from '../../../src/controller/controller.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ManualClock } from '../../support/clock.ts';
import { noTasks } from '../../support/no-tasks.ts';
import { seededRandom } from '../../support/random.ts';

const settings = {
  leaseLimitMs: 60_000,
  removalGraceMs: 5_000,
  sweepIntervalMs: 1_000,
  mergeIntervalMs: null,
  mergeSizeBytesMax: 1 << 20,
  loadGiveUpMs: 60_000,
  replicaCount: 1,
  serverGraceMs: 60_000,
};
const context = { signal: new AbortController().signal };

let folder: string;
let meta: MetaStore;
let store: MemoryStore;
let clock: ManualClock;
let controller: Controller;
let running: Promise<void>;
let told: string[];
let onCatalogChanged: () => Promise<void>;

const start = async () => {
  meta = await openSqliteMeta(join(folder, 'meta.sqlite'));
  controller = await createController(settings, {
    clock,
    random: seededRandom(told.length + 1),
    log: silentLog,
    meta,
    store,
    tasks: noTasks,
    listeners: {
      catalogChanged: () => onCatalogChanged(),
      segmentsGone: async ids => void told.push(`gone ${ids.join(' ')}`),
    },
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

/** Lets time pass and one round of retention and removal happen. */
const pass = async (ms: number) => {
  clock.advance(ms);
  await clock.untilSleeping();
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-controller-'));
  store = new MemoryStore();
  clock = new ManualClock();
  told = [];
  onCatalogChanged = async () => void told.push('changed');
  await start();
});

afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const request = (name: string, retentionMs: number | null = null): TableDefinitionRequest => ({
  name,
  columns: [
    { name: 'ts', type: TIMESTAMP, nullable: false },
    { name: 'a', type: INT, nullable: true },
  ],
  timeColumn: 'ts',
  indexes: [],
  settings: { retentionMs },
});

const create = async (name: string, retentionMs: number | null = null, ifNotExists = false) =>
  controller.createTable({ definition: request(name, retentionMs), ifNotExists }, context);
const drop = async (name: string, ifExists = false) => controller.dropTable({ name, ifExists }, context);
const snapshot = async (leaseId: string, ...tables: TableDefinition[]) =>
  controller.snapshot({ leaseId, tableIds: tables.map(table => table.id) }, context);
const release = async (leaseId: string) => controller.release({ leaseId }, context);
const catalogVersion = async () => (await controller.catalog(null, context)).version;

let attempts = 0;
/** A segment whose files are in the deep store, not yet published. */
const build = async (
  { id: tableId }: TableDefinition,
  startOffset: number,
  endOffset: number,
  maxTimeMs = clock.nowMs(),
) => {
  const id = formatSegmentId({ tableId, partition: 0, startOffset, attempt: (++attempts).toString(16) });
  for (const file of ['columns.arrow', 'manifest-1.json'])
    await store.put(`${tableId}/${id}/${file}`, [new Uint8Array(1)]);
  const segment: SegmentEntry = {
    id,
    tableId,
    partition: 0,
    startOffset,
    endOffset,
    rowCount: endOffset - startOffset,
    sizeBytes: 2,
    generation: 1,
    tableVersion: 1,
    minTimeMs: maxTimeMs,
    maxTimeMs,
    zones: {},
    createdAtMs: clock.nowMs(),
  };
  return segment;
};
const publish = async (segment: SegmentEntry) => controller.publish({ segment }, context);
const seal = async (table: TableDefinition, startOffset: number, endOffset: number, maxTimeMs?: number) => {
  const segment = await build(table, startOffset, endOffset, maxTimeMs);
  await publish(segment);
  return segment;
};

const isStored = ({ tableId, id }: SegmentEntry) => store.objects.has(`${tableId}/${id}/columns.arrow`);
const withCode = (code: string) => expect.objectContaining({ fault: expect.objectContaining({ code }) });

describe('tables', () => {
  test('are durable and told to others before the answer', async () => {
    let seen: string[] = [];
    onCatalogChanged = async () => {
      seen = (await controller.catalog(null, context)).tables.map(table => table.name);
    };
    const definition = await create('t');
    expect(seen).toEqual(['t']);
    expect((await meta.load()).tables).toMatchObject([{ definition }]);
    expect(definition.id).toMatch(/^[0-9a-f]{12}$/);
    expect(definition.createdAtMs).toBe(clock.nowMs());
    expect(await controller.partitions(null, context)).toEqual([
      {
        tableId: definition.id,
        partition: 0,
        definition,
        committedEnd: 0,
        paused: false,
        streamId: null,
        epoch: 0,
        maxTimeMs: null,
      },
    ]);
  });

  test('stand once, whatever the case of their name', async () => {
    const definition = await create('Orders');
    await expect(create('Orders')).rejects.toThrow(withCode('TABLE_EXISTS'));
    await expect(create('orders')).rejects.toThrow(withCode('TABLE_EXISTS'));
    expect(await create('orders', null, true)).toBe(definition);
    expect(told).toEqual(['changed']);
    expect(await catalogVersion()).toBe(1);
  });

  test('created at the same moment under one name: one wins', async () => {
    const outcomes = await Promise.allSettled([create('t'), create('t'), create('T')]);
    expect(outcomes.map(outcome => outcome.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  test('that are wrong change nothing', async () => {
    await expect(create('no name')).rejects.toThrow(withCode('INVALID_DEFINITION'));
    expect(await catalogVersion()).toBe(0);
  });

  test('are dropped by the lookup rule', async () => {
    await create('Orders');
    await expect(drop('orderz')).rejects.toThrow(
      expect.objectContaining({ fault: expect.objectContaining({ hint: 'did you mean Orders?' }) }),
    );
    expect(await drop('orderz', true)).toEqual({ dropped: false });
    expect(await drop('ORDERS')).toEqual({ dropped: true });
    expect((await controller.catalog(null, context)).tables).toEqual([]);
  });

  test('stand although a listener fails', async () => {
    onCatalogChanged = async () => {
      throw new Error('ingest is away');
    };
    expect((await create('t')).name).toBe('t');
  });

  test('dropped and created again under the same name are new ones', async () => {
    const first = await create('t');
    const old = await seal(first, 0, 10);
    await snapshot('reader', first);
    await drop('t');
    const second = await create('t');
    expect(second.id).not.toBe(first.id);
    const fresh = await seal(second, 0, 5);
    expect(await snapshot('other', second)).toMatchObject({ tables: [{ segments: [fresh], committedEnds: [5] }] });
    await pass(10_000);
    expect([isStored(old), isStored(fresh)]).toEqual([true, true]);
    await release('reader');
    await pass(1_000);
    expect([isStored(old), isStored(fresh)]).toEqual([false, true]);
    await restart();
    expect(await controller.partitions(null, context)).toMatchObject([{ tableId: second.id, committedEnd: 5 }]);
  });
});

describe('publish', () => {
  test('moves the committed end, in memory as on disk', async () => {
    const table = await create('t');
    const [first, second] = [await seal(table, 0, 10), await seal(table, 10, 30)];
    const before = await snapshot('a', table);
    expect(before).toEqual({
      version: 3,
      quarantine: [],
      tables: [
        {
          definition: table,
          segments: [first, second],
          replacements: [],
          committedEnds: [30],
          epochs: [0],
          streamIds: [null],
        },
      ],
    });
    await restart();
    expect(await snapshot('a', table)).toEqual(before);
  });

  test('takes one of several attempts at the same offsets', async () => {
    const table = await create('t');
    const segments = await Promise.all([build(table, 0, 10), build(table, 0, 8), build(table, 0, 9)]);
    const outcomes = await Promise.allSettled(segments.map(publish));
    expect(outcomes.map(outcome => outcome.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await expect(publish(segments[0]!)).rejects.toThrow(withCode('INVALID_REQUEST'));
    expect((await snapshot('a', table)).tables[0]!.committedEnds).toEqual([10]);
  });

  test('refuses gaps, overlaps, dropped tables and ids that say otherwise', async () => {
    const table = await create('t');
    await seal(table, 0, 10);
    for (const [from, to] of [
      [9, 20],
      [11, 20],
      [10, 10],
      [10, 9],
    ] as const)
      await expect(build(table, from, to).then(publish)).rejects.toThrow(withCode('INVALID_REQUEST'));
    const segment = await build(table, 10, 20);
    for (const change of [{ id: '../../etc' }, { startOffset: 11 }, { partition: 1 }, { tableId: 'ffffffffffff' }])
      await expect(publish({ ...segment, ...change })).rejects.toThrow(withCode('INVALID_REQUEST'));
    await drop('t');
    await expect(publish(segment)).rejects.toThrow(withCode('UNKNOWN_TABLE'));
  });

  test('leaves snapshots that were taken as they were', async () => {
    const table = await create('t');
    const first = await seal(table, 0, 10);
    const before = await snapshot('a', table);
    await seal(table, 10, 20);
    expect(before).toMatchObject({ version: 2, tables: [{ segments: [first], committedEnds: [10] }] });
  });
});

describe('leases', () => {
  test('keep the files of a dropped table until the last one taken before is released, and the grace period is over', async () => {
    const table = await create('t');
    const segment = await seal(table, 0, 10);
    await snapshot('a', table);
    await snapshot('b', table);
    await drop('t');
    await pass(10_000);
    await release('a');
    await pass(10_000);
    expect(isStored(segment)).toBe(true);
    expect(told).toEqual(['changed', 'changed']);
    await release('b');
    await pass(1_000);
    expect(isStored(segment)).toBe(false);
    expect(told).toEqual(['changed', 'changed', `gone ${segment.id}`]);
  });

  test('of other tables, or taken after, keep nothing', async () => {
    const [t, u] = [await create('t', 10_000), await create('u')];
    const old = await seal(t, 0, 10);
    await snapshot('of u', u);
    clock.advance(10_001);
    await clock.untilSleeping();
    const { segments } = (await snapshot('after', t)).tables[0]!;
    expect(segments).toEqual([]);
    expect(isStored(old)).toBe(true);
    await pass(5_000);
    expect(isStored(old)).toBe(false);
  });

  test('expire with a broker that died', async () => {
    const table = await create('t');
    const segment = await seal(table, 0, 10);
    await snapshot('dead', table);
    await drop('t');
    await pass(settings.leaseLimitMs - 1);
    expect(isStored(segment)).toBe(true);
    await pass(1_000);
    expect(isStored(segment)).toBe(false);
  });

  test('are one a snapshot, of tables that exist', async () => {
    const table = await create('t');
    await snapshot('a', table);
    await expect(snapshot('a', table)).rejects.toThrow(withCode('INVALID_REQUEST'));
    await expect(snapshot('b', { ...table, id: 'ffffffffffff' })).rejects.toThrow(withCode('UNKNOWN_TABLE'));
    await release('b');
    await release('a');
    await snapshot('a', table);
  });
});

describe('retention', () => {
  const dayMs = 86_400_000;
  test('drops segments whose last event is past it, and no others', async () => {
    const table = await create('t', dayMs);
    const other = await create('other');
    const now = clock.nowMs();
    const old = await seal(table, 0, 10, now - dayMs - 1);
    const edge = await seal(table, 10, 20, now);
    const keptForEver = await seal(other, 0, 10, now - 100 * dayMs);
    await pass(1_000);
    expect(await snapshot('a', table, other)).toMatchObject({
      tables: [{ segments: [edge], committedEnds: [20] }, { segments: [keptForEver] }],
    });
    await pass(5_000);
    expect([isStored(old), isStored(edge), isStored(keptForEver)]).toEqual([false, true, true]);
    await restart();
    expect(await controller.partitions(null, context)).toMatchObject([{ committedEnd: 20 }, { committedEnd: 10 }]);
  });

  test('counts segments without event times from when they were made', async () => {
    const table = await create('t', dayMs);
    const segment = { ...(await build(table, 0, 10)), minTimeMs: null, maxTimeMs: null };
    await publish(segment);
    await pass(dayMs);
    expect((await snapshot('a', table)).tables[0]!.segments).toEqual([segment]);
    await pass(1_000);
    expect((await snapshot('b', table)).tables[0]!.segments).toEqual([]);
  });
});

describe('orphans', () => {
  test('that can never be published go after the grace period; builds under way stay', async () => {
    const table = await create('t');
    const [lost, won, next] = [await build(table, 0, 8), await build(table, 0, 10), await build(table, 10, 20)];
    await pass(100_000);
    expect([lost, won, next].map(isStored)).toEqual([true, true, true]);
    await publish(won);
    await pass(1_000);
    expect(isStored(lost)).toBe(true);
    await pass(5_000);
    expect([lost, won, next].map(isStored)).toEqual([false, true, true]);
    await publish(next);
    expect(told).toEqual(['changed', `gone ${lost.id}`]);
  });

  test('of a crash are found at the next start', async () => {
    const [table, gone] = [await create('t'), await create('gone')];
    const [published, abandoned] = [await seal(table, 0, 10), await build(table, 0, 9)];
    const dropped = await seal(gone, 0, 10);
    await drop('gone');
    await restart();
    expect(isStored(dropped)).toBe(true);
    await pass(5_000);
    expect([published, abandoned, dropped].map(isStored)).toEqual([true, false, false]);
  });

  test('are only what Weir itself named', async () => {
    const table = await create('t');
    await seal(table, 0, 10);
    const foreign = ['notes.txt', 'lost-found/x', `${table.id}/backup/x`, `${table.id}/ffffffffffff-0-0-aa/x`];
    for (const key of foreign) await store.put(key, [new Uint8Array(1)]);
    await pass(1_000);
    await pass(10_000);
    expect(foreign.filter(key => store.objects.has(key))).toEqual(foreign);
  });
});

test('a round that fails is tried again', async () => {
  const table = await create('t');
  const segment = await seal(table, 0, 10);
  await drop('t');
  const remove = store.remove.bind(store);
  store.remove = async () => {
    throw new Error('the store is away');
  };
  await pass(5_000);
  expect(isStored(segment)).toBe(true);
  store.remove = remove;
  await pass(1_000);
  expect(isStored(segment)).toBe(false);
});

test('after an error that leaves it open whether a change happened, what is on disk decides', async () => {
  const table = await create('t');
  const segment = await build(table, 0, 10);
  const commit = meta.publish.bind(meta);
  meta.publish = async entry => {
    await commit(entry);
    throw new Error('the disk answered too late');
  };
  await expect(publish(segment)).rejects.toThrow('too late');
  expect(await snapshot('a', table)).toMatchObject({
    version: 2,
    tables: [{ segments: [segment], committedEnds: [10] }],
  });
});

test('a stopped controller refuses changes', async () => {
  await controller.stop();
  await expect(create('t')).rejects.toThrow(withCode('SHUTTING_DOWN'));
});

describe('streams', () => {
  const source = kafkaSource({ brokers: ['localhost:9092'], topic: 'events' });
  const createStream = async () =>
    controller.createTable({ definition: { ...request('events'), source }, ifNotExists: false }, context);
  const partitionsOf = async ({ id }: TableDefinition) =>
    (await controller.partitions(null, context)).filter(({ tableId }) => tableId === id);
  const add = async ({ id: tableId }: TableDefinition, ...numbers: number[]) =>
    controller.addPartitions(
      { tableId, partitions: numbers.map(partition => ({ partition, startOffset: 100, streamId: 'one' })) },
      context,
    );
  const seek = async ({ id: tableId }: TableDefinition, offset: number, streamId = 'one', availableFrom = 0) =>
    controller.seek({ tableId, partition: 0, offset, streamId, availableFrom }, context);

  test('have no partitions until they are found; those that are known stay as they are', async () => {
    const table = await createStream();
    expect(await partitionsOf(table)).toEqual([]);
    await add(table, 0, 1);
    await add(table, 0, 1, 2);
    await expect(add(table, 4)).rejects.toThrow('in order, from 3 on');
    await restart();
    expect(await partitionsOf(table)).toMatchObject(
      [0, 1, 2].map(partition => ({ partition, committedEnd: 100, paused: false, streamId: 'one', epoch: 0 })),
    );
    expect((await controller.catalog(null, context)).partitionCounts).toEqual({ [table.id]: 3 });
  });

  test('are paused and resumed for good, one partition or all, also those that come later', async () => {
    const table = await createStream();
    const pause = async (partition: number | null, paused: boolean) =>
      controller.pause({ tableId: table.id, partition, paused }, context);
    const paused = async () => (await partitionsOf(table)).map(partition => partition.paused);
    await add(table, 0, 1);
    await pause(1, true);
    await restart();
    expect(await paused()).toEqual([false, true]);
    await pause(null, true);
    await add(table, 2);
    await restart();
    expect(await paused()).toEqual([true, true, true]);
    await pause(null, false);
    await restart();
    expect(await paused()).toEqual([false, false, false]);
    await expect(pause(3, true)).rejects.toThrow('no partition 3');
  });

  test('a seek back drops the segments from there on, whole; none is left that would be read twice', async () => {
    const table = await createStream();
    await add(table, 0);
    const segments = [];
    for (const start of [100, 200, 300]) {
      const segment = await build(table, start, start + 100);
      segments.push(segment);
      await controller.publish({ segment }, context);
    }
    expect(await seek(table, 250)).toEqual({ committedEnd: 200, segmentsDropped: 2 });
    await restart();
    const [after] = (await snapshot('after', table)).tables;
    expect(after).toMatchObject({ committedEnds: [200], epochs: [1] });
    expect(after!.segments.map(({ id, streamId }) => [id, streamId])).toEqual([[segments[0]!.id, 'one']]);
    await expect(seek(table, 150, 'one', 120)).rejects.toThrow(
      'would drop rows from 100 on, and the stream begins at 120',
    );
    expect(await seek(table, 500)).toEqual({ committedEnd: 500, segmentsDropped: 0 });
    const audit = await controller.audit({ tableId: table.id }, context);
    expect(
      audit.map(({ kind, startOffset, endOffset, accounts }) => [kind, startOffset, endOffset, accounts.skipped]),
    ).toEqual([
      ['segment', 100, 200, 0],
      ['segment', 200, 300, 0],
      ['segment', 300, 400, 0],
      ['seek', 400, 200, 0],
      ['seek', 200, 500, 300],
    ]);
  });

  test('another stream keeps the rows of the one before, though its offsets begin again', async () => {
    const table = await createStream();
    await add(table, 0);
    await controller.publish({ segment: await build(table, 100, 200) }, context);
    expect(await seek(table, 0, 'two')).toEqual({ committedEnd: 0, segmentsDropped: 0 });
    await controller.publish({ segment: await build(table, 0, 100) }, context);
    await controller.publish({ segment: await build(table, 100, 200) }, context);
    await restart();
    const spans = async () =>
      (await snapshot(`${attempts++}`, table)).tables[0]!.segments.map(
        ({ startOffset, streamId }) => `${streamId} ${startOffset}`,
      ).sort();
    expect(await spans()).toEqual(['one 100', 'two 0', 'two 100']);
    expect(await seek(table, 100, 'two')).toEqual({ committedEnd: 100, segmentsDropped: 1 });
    expect(await spans()).toEqual(['one 100', 'two 0']);
  });

  test('columns that messages bring are added once, nullable, and told', async () => {
    const table = await createStream();
    const addColumns = async (...names: string[]) =>
      controller.addColumns({ tableId: table.id, columns: names.map(name => ({ name, type: INT })) }, context);
    told.length = 0;
    expect(await addColumns('b', 'A')).toMatchObject({
      version: 2,
      columns: [{ name: 'ts' }, { name: 'a' }, { id: 3, name: 'b', type: INT, nullable: true }],
    });
    expect((await addColumns('b')).version).toBe(2);
    expect(told).toEqual(['changed']);
    await restart();
    expect((await controller.catalog(null, context)).tables[0]!.version).toBe(2);
  });
});
