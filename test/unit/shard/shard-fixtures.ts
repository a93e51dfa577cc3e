import { MessageChannel } from 'node:worker_threads';
import { type Clock, silentLog } from '../../../src/base/seams.ts';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import { decodeBatch, encodeBatch } from '../../../src/column/frame.ts';
import { LONG, STRING, type Value } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import type { Node } from '../../../src/plan/node.ts';
import { buildSegment } from '../../../src/segment/builder.ts';
import { createShard } from '../../../src/shard/shard.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { Client } from '../../../src/wire/call.ts';
import { connect } from '../../../src/wire/connect.ts';
import { local } from '../../../src/wire/local.ts';
import { messagePortPort } from '../../../src/wire/port.ts';
import { serve } from '../../../src/wire/serve.ts';
import type { RunInput, RunStats, ScanTask, ShardCalls } from '../../../src/wire/shard-calls.ts';

/** Rows are (their offset, a name). */
export const definition: TableDefinition = {
  id: 'a0a0a0a0a0a0',
  name: 'events',
  version: 1,
  columns: [
    { id: 1, name: 'id', type: LONG, nullable: false, defaultValue: null },
    { id: 2, name: 'name', type: STRING, nullable: true, defaultValue: null },
  ],
  timeColumnId: null,
  indexes: [],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1_000_000, segmentAgeMs: 3_600_000, retentionMs: null },
  createdAtMs: 0,
};
export const tableId = definition.id;

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: () => Promise.reject(new Error('nothing in a shard sleeps')),
};

export const scanNode: Node = {
  kind: 'scan',
  tableId,
  table: 'events',
  columns: [
    { id: 1, name: 'id', type: LONG },
    { id: 2, name: 'name', type: STRING },
  ],
  filter: null,
  limit: null,
};

export const gatherNode: Node = { kind: 'exchange', mode: 'gather', fragment: 1, types: [LONG, STRING] };

export type Carrier = 'one thread' | 'MessageChannels';

export interface Cluster {
  readonly shards: readonly Client<ShardCalls>[];
  readonly store: MemoryStore;
  close(): void;
}

/** So many shards in this thread, joined by the carrier to each other and to the test. */
export function openCluster(carrier: Carrier, count: number, arenaBytes = 1 << 25, clock = realClock): Cluster {
  const store = new MemoryStore();
  const ports: { close(): void }[] = [];
  const shards: Client<ShardCalls>[] = [];
  // Filled before the first call: shards know each other by this list.
  const handlers = Array.from({ length: count }, (_, shard) => {
    const peers = Array.from(
      { length: count },
      (_, peer): Client<ShardCalls> => ({
        call: (name, input, options) => shards[peer]!.call(name, input, options),
        stream: (name, input, options) => shards[peer]!.stream(name, input, options),
      }),
    );
    return createShard({ shard, arenaBytes }, { clock, log: silentLog, files: store, peers });
  });
  for (const one of handlers) {
    if (carrier === 'one thread') shards.push(local(one));
    else {
      const { port1, port2 } = new MessageChannel();
      ports.push(serve(messagePortPort(port1), one));
      shards.push(connect<ShardCalls>(messagePortPort(port2)));
    }
  }
  const close = (): void => {
    for (const port of ports) port.close();
  };
  return { shards, store, close };
}

export const nameOf = (offset: number): Value => (offset % 5 === 0 ? null : `name ${offset % 13}`);

export async function appendRows(shard: Client<ShardCalls>, startOffset: number, count: number): Promise<number> {
  const offsets = Array.from({ length: count }, (_, row) => startOffset + row);
  const columns = [columnOf(LONG, offsets.map(BigInt)), columnOf(STRING, offsets.map(nameOf))];
  const frame = encodeBatch({ rowCount: count, columns });
  const input = {
    ...{ tableId, partition: 0, startOffset, endOffset: startOffset + count, columnIds: [1, 2], frame },
    ...{ ingestedAtMs: 0, watermarkMs: startOffset + count, streamEnd: null },
  };
  return (await shard.call('append', input, { transfer: [frame.buffer] })).endOffset;
}

/** Builds a rolled segment out of what the shard exports. */
export const commit = (
  shard: Client<ShardCalls>,
  store: MemoryStore,
  { startOffset, endOffset }: { startOffset: number; endOffset: number },
): Promise<SegmentEntry> =>
  buildSegment(
    {
      definition,
      segmentId: `${tableId}-0-${startOffset}-aa`,
      partition: 0,
      startOffset,
      endOffset,
      rowCount: endOffset - startOffset,
      column: async columnId => {
        const { frame } = await shard.call('exportColumn', { tableId, partition: 0, startOffset, columnId });
        return decodeBatch(frame).columns[0]!;
      },
    },
    store,
    { createdAtMs: 0 },
  );

export const taskOf = (
  segments: readonly SegmentEntry[],
  range: { startOffset: number; endOffset: number } | null,
): ScanTask => ({
  tableId,
  definition,
  segments: segments.map(entry => ({
    entry,
    blocks: Array.from({ length: Math.ceil(entry.rowCount / 65_536) }, (_, block) => block),
  })),
  ranges: range ? [{ partition: 0, ...range }] : [],
  masks: {},
});

export const runInput = (input: Partial<RunInput>): RunInput => ({
  queryId: 'q1',
  fragments: [gatherNode, scanNode],
  fragment: 0,
  tasks: [],
  scans: [],
  inline: {},
  nowMs: Date.now(),
  timeoutMs: 60_000,
  memoryBytes: 1 << 24,
  allowPartial: false,
  ...input,
});

export async function readRun(
  shard: Client<ShardCalls>,
  input: RunInput,
  signal?: AbortSignal,
): Promise<{ rows: Value[][]; stats: RunStats }> {
  const rows: Value[][] = [];
  const stream = shard.stream('run', input, signal && { signal });
  for (;;) {
    const next = await stream.next();
    if (next.done) return { rows, stats: next.value };
    rows.push(...rowsOf(decodeBatch(next.value)));
  }
}

export const rowsBetween = (start: number, end: number): Value[][] =>
  Array.from({ length: Math.max(0, end - start) }, (_, row) => [BigInt(start + row), nameOf(start + row)]);

export const byId = (rows: readonly Value[][]): Value[][] =>
  [...rows].sort((a, b) => Number((a[0] as bigint) - (b[0] as bigint)));
