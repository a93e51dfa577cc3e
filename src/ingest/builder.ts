/** The builder role: a thread of low priority beside ingestion that turns rolled segments into committed ones. */

import { fault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { formatSegmentId } from '../catalog/segment-id.ts';
import { decodeBatch } from '../column/frame.ts';
import { buildSegment, type SegmentInput } from '../segment/builder.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { BuilderCalls, ShardCalls } from '../wire/calls.ts';

/** None so far. */
export type BuilderSettings = Readonly<Record<string, never>>;

export interface BuilderComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: DeepStore;
  /** By number. */
  readonly shards: readonly Client<ShardCalls>[];
}

/** Digits of an attempt: no two builds of one range share a folder, also across restored copies. */
const attemptDigits = 12;

/**
 * One build at a time, in the order asked for: it holds a segment's size in memory. Columns are pulled one by one from the
 * shard that has the rows, which answers queries in between. A build that fails or is cancelled leaves files that no
 * metadata names; the controller collects them.
 */
export function createBuilder(_settings: BuilderSettings, components: BuilderComponents): Handlers<BuilderCalls> {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    build(input, { signal }) {
      const built = turn.then(() => build(input, signal, components));
      turn = built.catch(() => {});
      return built;
    },
  };
}

async function build(
  { definition, partition, startOffset, endOffset, rowCount, accounts, shard }: BuilderCalls['build']['in'],
  signal: AbortSignal,
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
      const [column, ...others] = decodeBatch(frame).columns;
      if (column && others.length === 0) return column;
      throw fault('CORRUPT_FRAME', `shard ${shard} gave ${others.length + (column ? 1 : 0)} columns for one`);
    },
  };
  const segment = await buildSegment(await merged(rolled, clock), store, { createdAtMs: clock.nowMs() });
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
