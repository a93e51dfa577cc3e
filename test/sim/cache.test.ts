/** A server's cache on a disk that fills up, fails and loses its power: what is announced is there, whole. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fault } from '../../src/base/fault.ts';
import { type Clock, silentLog } from '../../src/base/seams.ts';
import { systemClock } from '../../src/base/system.ts';
import { formatSegmentId } from '../../src/catalog/segment-id.ts';
import { defineTable } from '../../src/catalog/validate.ts';
import { batchOf } from '../../src/column/builder.ts';
import type { Value } from '../../src/column/type.ts';
import { INT } from '../../src/column/type.ts';
import { storeDoor } from '../../src/controller/store-door.ts';
import { buildSegment } from '../../src/segment/builder.ts';
import { CacheFolder } from '../../src/server/cache-folder.ts';
import { Holdings } from '../../src/server/holdings.ts';
import { createLoader, type Loader } from '../../src/server/loader.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Handlers } from '../../src/wire/call.ts';
import type { MemberCalls, PlacedSegment, StoreCalls } from '../../src/wire/cluster-calls.ts';
import { local } from '../../src/wire/local.ts';
import { seededRandom } from '../support/random.ts';
import { withRowColumns } from '../support/row-columns.ts';
import { diskError, FaultDisk } from './fault-disk.ts';

/** Delays pass at once. */
const clock: Clock = { ...systemClock, sleep: (_, signal) => systemClock.sleep(1, signal) };
const definition = defineTable(
  { name: 't', columns: [{ name: 'a', type: INT, nullable: true }], timeColumn: null, indexes: [], settings: {} },
  { id: '0123456789ab', createdAtMs: 0 },
);
const ref = { memberId: 'server-a', incarnation: 'x' };

let store: MemoryStore;
let disk: FaultDisk;
let placed: PlacedSegment[];
let version: number;
/** As the controller has it: generations by segment id. */
let announced: Map<string, number>;
let evicted: string[];
let holdings: Holdings;
let loader: Loader;
let stopping: AbortController;
let running: Promise<void>;
let storeIsAway: boolean;

const build = async (number: number): Promise<PlacedSegment> => {
  const rows = Array.from({ length: 10 }, (_, row): Value[] => [row]);
  const batch = batchOf([INT], rows);
  const entry = await buildSegment(
    {
      ...{ definition, partition: 0, startOffset: number * 10, endOffset: number * 10 + 10, rowCount: 10 },
      segmentId: formatSegmentId({ tableId: definition.id, partition: 0, startOffset: number * 10, attempt: 'abc' }),
      column: withRowColumns(number * 10, 10, () => batch.columns[0]!),
    },
    store,
    { createdAtMs: 0 },
  );
  return { id: entry.id, tableId: entry.tableId, generation: entry.generation };
};

const members = {
  assignment: async ({ since }: MemberCalls['assignment']['in'], { signal }: { signal: AbortSignal }) => {
    while (since === version && !signal.aborted) await systemClock.sleep(1);
    return { version, segments: placed };
  },
  announce({ all, added, removed }: MemberCalls['announce']['in']) {
    if (all) announced = new Map();
    for (const id of removed) announced.delete(id);
    for (const { id, generation } of added) announced.set(id, generation);
    return null;
  },
} as unknown as Handlers<MemberCalls>;

function start(): void {
  holdings = new Holdings();
  stopping = new AbortController();
  const door = storeDoor(store);
  loader = createLoader(ref, {
    ...{ clock, log: silentLog, holdings, cache: new CacheFolder(disk, '/cache') },
    members: local<MemberCalls>(members),
    store: local<StoreCalls>({
      size: (...args) => door.size(...args),
      read(...args) {
        if (storeIsAway) throw fault('UNAVAILABLE', 'the controller is away');
        return door.read(...args);
      },
    }),
    evict: async ids => void evicted.push(...ids),
  });
  running = loader.run(stopping.signal);
  loader.registered();
}
const stop = async (): Promise<void> => {
  stopping.abort();
  await running;
};
async function until(holds: () => boolean): Promise<void> {
  for (let wait = 0; !holds(); wait++) {
    if (wait > 5_000) throw new Error('it does not come');
    await systemClock.sleep(1);
  }
}
const place = (segments: PlacedSegment[]): void => {
  placed = segments;
  version++;
};
const isAnnounced = (): boolean =>
  announced.size === placed.length && placed.every(({ id, generation }) => announced.get(id) === generation);
const isWhole = ({ tableId, id }: PlacedSegment): boolean =>
  [...store.objects].every(
    ([key, bytes]) =>
      !key.startsWith(`${tableId}/${id}/`) ||
      (disk.paths.includes(`/cache/${key}`) && Buffer.compare(disk.bytes(`/cache/${key}`), bytes) === 0),
  );

beforeEach(async () => {
  store = new MemoryStore();
  disk = new FaultDisk(seededRandom(7));
  announced = new Map();
  evicted = [];
  version = 1;
  storeIsAway = false;
  placed = [await build(0), await build(1), await build(2)];
  start();
});
afterEach(() => stop());

test('what is placed is fetched and announced; what is not any more is dropped', async () => {
  await until(isAnnounced);
  expect(placed.every(isWhole)).toBe(true);
  const [first] = placed;
  place(placed.slice(1));
  await until(() => isAnnounced() && !disk.paths.some(path => path.includes(first!.id)));
  expect(evicted).toEqual([first!.id]);
});

test('a segment that is being read is dropped when its reader is done', async () => {
  await until(isAnnounced);
  const [first] = placed;
  const entry = { ...first!, zones: {} } as never;
  const use = holdings.use([{ tableId: definition.id, definition, segments: [entry], ranges: [], masks: {} }]);
  expect(use.scans[0]!.segments).toHaveLength(1);
  place(placed.slice(1));
  await until(isAnnounced);
  expect(isWhole(first!)).toBe(true);
  expect(
    holdings.use([{ tableId: definition.id, definition, segments: [entry], ranges: [], masks: {} }]).scans[0]!.segments,
  ).toEqual([]);
  use.release();
  await until(() => !disk.paths.some(path => path.includes(first!.id)));
});

test('a full disk: nothing half is announced, and the rest follows when there is room', async () => {
  await until(isAnnounced);
  let isFull = true;
  disk.onStep = (step, path) => (isFull && step === 'write' ? diskError('ENOSPC', path) : null);
  const more = await build(3);
  place([...placed, more]);
  await systemClock.sleep(50);
  expect(announced.has(more.id)).toBe(false);
  expect(disk.paths.some(path => path.endsWith('.tmp'))).toBe(false);
  isFull = false;
  await until(isAnnounced);
  expect(isWhole(more)).toBe(true);
});

test('while the store is away nothing is lost, and what was held stays', async () => {
  await until(isAnnounced);
  storeIsAway = true;
  const more = await build(3);
  place([...placed, more]);
  await systemClock.sleep(50);
  expect(announced.size).toBe(3);
  storeIsAway = false;
  await until(isAnnounced);
});

test('damaged files are dropped and fetched again', async () => {
  await until(isAnnounced);
  const [first] = placed;
  disk.bytes(`/cache/${first!.tableId}/${first!.id}/columns.arrow`).fill(0);
  loader.damaged([first!.id]);
  await until(() => evicted.includes(first!.id) && isAnnounced() && isWhole(first!));
});

test('another controller is told everything anew', async () => {
  await until(isAnnounced);
  announced = new Map();
  loader.registered();
  await until(isAnnounced);
});

test.each(Array.from({ length: 40 }, (_, cut) => [cut]))(
  'a power cut after %d steps: what is announced afterwards is whole',
  async cut => {
    await stop();
    disk = new FaultDisk(seededRandom(cut));
    announced = new Map();
    start();
    disk.cutPowerAfter(cut);
    await systemClock.sleep(5);
    await stop().catch(() => {});
    disk = disk.restart();
    announced = new Map();
    start();
    await until(isAnnounced);
    // A file whose name survived without all of its bytes would be found by its checksums; syncs before names keep it from that.
    expect(placed.every(isWhole)).toBe(true);
  },
);
