import { expect, test } from 'vitest';
import { unboundAccounts } from '../../../src/base/accounts.ts';
import type { SegmentEntry } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import { LONG, STRING } from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { buildSegment } from '../../../src/segment/builder.ts';
import { SegmentCache } from '../../../src/segment/cache.ts';
import { OpenFiles } from '../../../src/segment/files.ts';
import { OpenSegments } from '../../../src/shard/open-segments.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { withRowColumns } from '../../support/row-columns.ts';
import { definition, tableId } from './shard-fixtures.ts';

async function openStore(segmentCount: number, countMax: number) {
  const store = new MemoryStore();
  const entries: SegmentEntry[] = [];
  for (let segment = 0; segment < segmentCount; segment++) {
    const column = withRowColumns(segment, 1, id =>
      id === 2 ? columnOf(STRING, ['a']) : columnOf(LONG, [BigInt(segment)]),
    );
    const range = { startOffset: segment, endOffset: segment + 1, rowCount: 1, partition: 0 };
    const segmentId = `${tableId}-0-${segment}-aa`;
    entries.push(await buildSegment({ definition, segmentId, ...range, column }, store, { createdAtMs: 0 }));
  }
  const arena = new Arena(1 << 22);
  const { account: accountOf } = unboundAccounts();
  const account = accountOf('metadata');
  return {
    ...{ store, entries, arena, account },
    segments: new OpenSegments(new OpenFiles(store), new SegmentCache(arena), account, countMax),
  };
}

test('a segment is opened once, and stays while it is used', async () => {
  const { entries, arena, segments } = await openStore(1, 10);
  const [first, second] = await Promise.all([segments.use(entries[0]!), segments.use(entries[0]!)]);
  expect(first.segment).toBe(second.segment);
  await first.segment.blocks[0]!.load([1]);
  segments.evict([entries[0]!.id]);
  first.release();
  first.release();
  expect(second.segment.blocks[0]!.column(1)!.form).toBe('i32');
  const fresh = await segments.use(entries[0]!);
  expect(fresh.segment, 'evicted: opened again').not.toBe(first.segment);
  second.release();
  fresh.release();
  segments.evict([entries[0]!.id]);
  await Promise.resolve();
  await Promise.resolve();
  expect([segments.count, arena.usedBytes]).toEqual([0, 0]);
});

test('at the limit the least recently used idle segment closes', async () => {
  const { entries, segments } = await openStore(4, 2);
  const inUse = await segments.use(entries[0]!);
  const second = await segments.use(entries[1]!);
  second.release();
  (await segments.use(entries[2]!)).release();
  expect(segments.count).toBe(2);
  expect((await segments.use(entries[0]!)).segment, 'in use, so kept').toBe(inUse.segment);
  expect((await segments.use(entries[1]!)).segment, 'idle, so closed').not.toBe(second.segment);
});

test('a segment that failed to open is tried again', async () => {
  const { store, entries, segments } = await openStore(1, 2);
  const key = [...store.objects.keys()].find(name => name.includes('manifest'))!;
  const manifest = store.objects.get(key)!;
  store.objects.delete(key);
  await expect(segments.use(entries[0]!)).rejects.toThrow('missing');
  expect(segments.count).toBe(0);
  store.objects.set(key, manifest);
  expect((await segments.use(entries[0]!)).segment.rowCount).toBe(1);
});
