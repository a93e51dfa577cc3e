import { expect, test } from 'vitest';
import { Arena, pageSizeBytes } from '../../../src/kernel/allocator.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildIntSegment, openTestSegment } from './stored-fixtures.ts';

/** An INT column of a full block is four pages; the first page of an arena is never given out. */
const columnPages = 4;
const arenaFor = (columns: number): Arena => new Arena((1 + columns * columnPages) * pageSizeBytes);
const budget = expect.objectContaining({ fault: expect.objectContaining({ code: 'MEMORY_BUDGET' }) });

const blockCount = 3;
const store = new MemoryStore();
const entry = await buildIntSegment(store, 3, blockCount);
const open = (columns: number) => openTestSegment(entry, store, arenaFor(columns));
type Opened = Awaited<ReturnType<typeof open>>;

/** One synchronous stretch over a block, as a kernel makes it: addresses first, then every row of each column. */
function checkBlock({ segment, arena }: Opened, index: number, ids: readonly number[]): void {
  const addresses = ids.map(id => segment.blocks[index]!.column(id)!.address);
  ids.forEach((id, position) => {
    const at = addresses[position]! / 4;
    let wrong = 0;
    for (let row = 0; row < blockRows; row++) if (arena.i32[at + row] !== (index * blockRows + row) * id) wrong++;
    expect([id, wrong]).toEqual([id, 0]);
  });
}

async function scan(opened: Opened, ids: readonly number[], order: readonly number[]): Promise<void> {
  for (const index of order) {
    await opened.segment.blocks[index]!.load(ids);
    checkBlock(opened, index, ids);
  }
}

test('scans interleave in an arena that holds the columns of one block alone', async () => {
  const opened = await open(2);
  const forward = [0, 1, 2];
  await Promise.all([
    scan(opened, [1, 2], [...forward, ...forward]),
    scan(opened, [2, 3], forward.toReversed()),
    scan(opened, [3, 1], [1, 1, 0, 2]),
  ]);
  const { evictCount, usedBytes } = opened.cache.stats;
  expect(evictCount).toBeGreaterThan(10);
  expect(usedBytes).toBeLessThanOrEqual(2 * columnPages * pageSizeBytes);
});

test('a scan through wrappers that await on the way is as safe', async () => {
  const opened = await open(2);
  const wrapped = async (index: number, ids: readonly number[]): Promise<void> => {
    const load = async (): Promise<void> => {
      await opened.segment.blocks[index]!.load(ids);
      await Promise.resolve();
    };
    await load();
    await null;
    checkBlock(opened, index, ids);
  };
  await Promise.all([0, 1, 2, 0, 1].map(index => wrapped(index, [1, 3])));
  expect(opened.cache.stats.evictCount).toBeGreaterThan(0);
});

test('what is asked for twice is read once while it stays', async () => {
  const opened = await open(9);
  await scan(opened, [1, 2, 3], [0, 1, 2, 0, 1, 2]);
  expect(opened.cache.stats).toMatchObject({ loadCount: 9, evictCount: 0, residentCount: 9 });
});

test('the least recently used leaves first', async () => {
  const opened = await open(3);
  await scan(opened, [1], [0]);
  await scan(opened, [2], [0]);
  await scan(opened, [3], [0]);
  await opened.cache.nextTurn();
  await scan(opened, [1], [0]);
  await opened.cache.nextTurn();
  await scan(opened, [1], [1]);
  const { loadCount } = opened.cache.stats;
  await scan(opened, [1, 3], [0]);
  expect(opened.cache.stats.loadCount).toBe(loadCount);
  await scan(opened, [2], [0]);
  expect(opened.cache.stats.loadCount).toBe(loadCount + 1);
});

test('more than fits at once is refused with the numbers, and leaves the cache usable', async () => {
  const opened = await open(2);
  await expect(opened.segment.blocks[0]!.load([1, 2, 3])).rejects.toThrow(budget);
  await expect(opened.segment.blocks[0]!.load([1, 2, 3])).rejects.toThrow(/has 589824 bytes/);
  await scan(opened, [1, 2], [0, 1]);
});

test('a column that was evicted after another await is read again', async () => {
  const opened = await open(2);
  const [first, second] = opened.segment.blocks;
  await first!.load([1, 2]);
  await opened.cache.nextTurn();
  await second!.load([1, 2]);
  await opened.cache.nextTurn();
  checkBlock(opened, 0, [1, 2]);
});

test('whoever else allocates in the arena evicts columns, but none touched in this turn', async () => {
  const opened = await open(2);
  const block = opened.segment.blocks[0]!;
  await block.load([1, 2]);
  const size = columnPages * pageSizeBytes;
  block.column(1);
  expect(() => opened.arena.allocate(size)).toThrow(budget);
  checkBlock(opened, 0, [1, 2]);
  await opened.cache.nextTurn();
  const address = opened.arena.allocate(size);
  expect(opened.cache.stats.evictCount).toBe(1);
  await expect(block.load([1, 2])).rejects.toThrow(budget);
  opened.arena.free(address);
  await scan(opened, [1, 2], [0]);
});

test('turns end by themselves', async () => {
  const opened = await open(2);
  await opened.segment.blocks[0]!.load([1, 2]);
  await new Promise(resolve => setImmediate(resolve));
  expect(opened.arena.allocate(columnPages * pageSizeBytes)).toBeGreaterThan(0);
});

test('a closed segment gives everything back', async () => {
  const opened = await open(9);
  await scan(opened, [1, 2, 3], [0, 1, 2]);
  opened.segment.close();
  expect(opened.cache.stats).toMatchObject({ usedBytes: 0, residentCount: 0 });
  expect(opened.arena.usedBytes).toBe(0);
});
