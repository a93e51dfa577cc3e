import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { dealTasks } from '../../../src/server/deal.ts';
import { createServer } from '../../../src/server/server.ts';
import type { Client, FrameStream } from '../../../src/wire/call.ts';
import type { ServerRunInput } from '../../../src/wire/server-calls.ts';
import type { RunInput, RunStats, ShardCalls } from '../../../src/wire/shard-calls.ts';

const definition: TableDefinition = {
  id: '00000000000a',
  name: 't',
  version: 1,
  columns: [],
  timeColumnId: null,
  indexes: [],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1, segmentAgeMs: 1, retentionMs: null },
  createdAtMs: 0,
};

const segment = (number: number, rowCount: number): SegmentEntry => ({
  id: `${definition.id}-0-${number}-abcdef12`,
  tableId: definition.id,
  partition: 0,
  startOffset: 0,
  endOffset: rowCount,
  rowCount,
  sizeBytes: 1,
  generation: 1,
  tableVersion: 1,
  minTimeMs: null,
  maxTimeMs: null,
  zones: {},
  createdAtMs: 0,
});

const input = (segments: readonly SegmentEntry[], partitions: number): ServerRunInput =>
  ({
    queryId: 'q',
    fragments: [
      { kind: 'exchange', mode: 'gather', fragment: 1, types: [] },
      { kind: 'scan', tableId: definition.id, table: 't', columns: [], filter: null, limit: null },
    ],
    scans: [
      {
        tableId: definition.id,
        definition,
        segments,
        ranges: Array.from({ length: partitions }, (_, partition) => ({ partition, start: 0, end: 1, leaseId: 'l' })),
      },
    ],
    inline: {},
    nowMs: 0,
    timeoutMs: 1,
    memoryBytes: 1,
    allowPartial: false,
  }) as unknown as ServerRunInput;

test('every block and every consuming range is dealt exactly once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 * blockRows }), { maxLength: 8 }),
      fc.nat(4),
      fc.integer({ min: 1, max: 7 }),
      (rows, partitions, shardCount) => {
        const segments = rows.map((count, number) => segment(number, count));
        const tasks = dealTasks(input(segments, partitions), shardCount);
        const blocks = tasks.flatMap(({ scans }) =>
          scans.flatMap(scan =>
            scan.segments.flatMap(({ entry, blocks }) => blocks.map(block => `${entry.id} ${block}`)),
          ),
        );
        const expected = segments.flatMap(({ id, rowCount }) =>
          Array.from({ length: Math.ceil(rowCount / blockRows) }, (_, block) => `${id} ${block}`),
        );
        expect(blocks.sort()).toEqual(expected.sort());
        const ranges = tasks.flatMap(({ scans }) =>
          scans.flatMap(scan => scan.ranges.map(({ partition }) => partition)),
        );
        expect(ranges.sort()).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
        for (const { shard, fragment } of tasks) expect([shard < shardCount, fragment]).toEqual([true, 1]);
      },
    ),
  );
});

test('a segment is answered only when every shard that was dealt a part of it answered', async () => {
  const shardCount = 3;
  const entry = segment(0, 40 * blockRows);
  let answered: string[] = [];
  let deals = 0;
  const shard: Client<ShardCalls> = {
    call: async () => {
      throw new Error('not called');
    },
    async *stream(_: string, run: unknown): AsyncGenerator<Uint8Array, unknown, void> {
      deals = (run as RunInput).tasks.length;
      yield new Uint8Array(0);
      return { unitsAnswered: answered } as unknown as RunStats;
    },
  } as unknown as Client<ShardCalls>;
  const server = createServer([shard, shard, shard]);
  const unitsAnswered = async (count: number): Promise<readonly string[]> => {
    answered = Array.from({ length: count }, () => entry.id);
    const signal = new AbortController().signal;
    const frames = server.run(input([entry], 0), { signal } as never) as FrameStream<RunStats>;
    for (let next = await frames.next(); ; next = await frames.next()) if (next.done) return next.value.unitsAnswered;
  };
  expect(await unitsAnswered(0)).toEqual([]);
  expect(deals).toBe(shardCount);
  expect(await unitsAnswered(shardCount - 1)).toEqual([]);
  expect(await unitsAnswered(shardCount)).toEqual([entry.id]);
});
