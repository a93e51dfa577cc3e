/** The builder role: a thread of low priority beside ingestion that turns rolled segments into committed ones. */

import { type Accounts, unboundAccounts } from '../base/accounts.ts';
import { fault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { WorkMemory } from '../base/work-memory.ts';
import { attemptDigits, formatSegmentId } from '../catalog/segment-id.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import { decodeBatch } from '../column/frame.ts';
import { buildSegment, type SegmentInput } from '../segment/builder.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { BuilderCalls } from '../wire/builder-calls.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';

/** None so far. */
export type BuilderSettings = Readonly<Record<string, never>>;

export interface BuilderComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: DeepStore;
  /** By number. */
  readonly shards: readonly Client<ShardCalls>[];
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
}

/** Of a column's frame: itself, and what it is encoded to, which stays until the segment is written. */
const columnFactor = 1.5;

/**
 * One build at a time, in the order asked for: it holds a segment's size in memory, on the account of builds. Columns are pulled one by one from the
 * shard that has the rows, which answers queries in between. A build that fails or is cancelled leaves files that no
 * metadata names: they are removed, or, after a crash, collected by the controller.
 */
export function createBuilder(_settings: BuilderSettings, components: BuilderComponents): Handlers<BuilderCalls> {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    build(input, { signal }) {
      const built = turn.then(async () => {
        const memory = new WorkMemory((components.accounts ?? unboundAccounts()).account('builds'), components.clock);
        try {
          return await build(input, signal, memory, components);
        } finally {
          memory.close();
        }
      });
      turn = built.catch(() => {});
      return built;
    },
  };
}

async function build(
  { definition, partition, startOffset, endOffset, rowCount, accounts, shard }: BuilderCalls['build']['in'],
  signal: AbortSignal,
  memory: WorkMemory,
  { clock, random, log, store, shards }: BuilderComponents,
): Promise<BuilderCalls['build']['out']> {
  signal.throwIfAborted();
  const source = shards[shard];
  if (!source) throw fault('INVALID_REQUEST', `there is no shard ${shard}`);
  const tableId = definition.id;
  const startedMs = clock.monotonicMs();
  const segmentId = formatSegmentId({ tableId, partition, startOffset, attempt: random.hex(attemptDigits) });
  const rolled: SegmentInput = {
    ...{ definition, segmentId, partition, startOffset, endOffset, rowCount, accounts },
    async column(columnId) {
      signal.throwIfAborted();
      const { frame } = await source.call('exportColumn', { tableId, partition, startOffset, columnId }, { signal });
      await memory.hold(Math.ceil(frame.length * columnFactor), signal);
      const [column, ...others] = decodeBatch(frame).columns;
      if (column && others.length === 0) return column;
      throw fault('CORRUPT_FRAME', `shard ${shard} gave ${others.length + (column ? 1 : 0)} columns for one`);
    },
  };
  let segment: SegmentEntry;
  try {
    segment = await buildSegment(await merged(rolled, clock), store, { createdAtMs: clock.nowMs() });
  } catch (error) {
    // Nobody names its files, and each attempt has its own: on a full disk they would take what room there is.
    await store.remove(`${tableId}/${segmentId}`).catch(() => {});
    throw error;
  }
  const elapsedMs = Math.round(clock.monotonicMs() - startedMs);
  log.info('built a segment', {
    table: definition.name,
    segment: segmentId,
    rowCount,
    sizeBytes: segment.sizeBytes,
    elapsedMs,
  });
  return { segment, rowsIn: rowCount };
}

/** The code of rollups, and of SQL, is loaded only for tables that may have one. */
async function merged(input: SegmentInput, clock: Clock): Promise<SegmentInput> {
  const { source } = input.definition;
  if (source.kind !== 'kafka' || source.transform === null) return input;
  const { rollUpSegment } = await import('./rollup.ts');
  return rollUpSegment(input, clock);
}
