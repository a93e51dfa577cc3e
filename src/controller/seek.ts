/** Where a partition goes on, and what that does to its segments: decided here, carried out by the controller. */

import { fault } from '../base/fault.ts';
import { noAccounts } from '../catalog/accounts.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { MetaAudit, MetaPartition } from '../meta/store.ts';
import type { TableState } from './state.ts';

export interface SeekPlan {
  readonly committedEnd: number;
  readonly dropped: readonly SegmentEntry[];
  readonly audit: Pick<MetaAudit, 'kind' | 'startOffset' | 'endOffset' | 'accounts'>;
}

/** @throws FaultError NOT_FOUND */
export function partitionOf({ definition, partitions }: TableState, partition: number): MetaPartition {
  const entry = partitions[partition];
  if (entry) return entry;
  throw fault('NOT_FOUND', `table ${definition.name} has no partition ${partition}`, {
    hint: partitions.length === 0 ? 'none is known yet' : `its partitions are 0 to ${partitions.length - 1}`,
  });
}

/**
 * See `ControllerCalls.seek`.
 * @throws FaultError NOT_FOUND, INVALID_REQUEST, OFFSETS_LOST
 */
export function planSeek(
  table: TableState,
  partition: number,
  offset: number,
  streamId: string | null,
  availableFrom: number,
): SeekPlan {
  const entry = partitionOf(table, partition);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw fault('INVALID_REQUEST', `${offset} is no offset`, { hint: 'offsets are whole numbers from 0' });
  const { committedEnd } = entry;
  if (entry.streamId !== null && streamId !== entry.streamId) {
    const audit = {
      kind: 'restart',
      startOffset: committedEnd,
      endOffset: committedEnd,
      accounts: noAccounts,
    } as const;
    return { committedEnd: offset, dropped: [], audit };
  }
  if (offset >= committedEnd) {
    const accounts = { ...noAccounts, skipped: offset - committedEnd };
    const audit = { kind: 'seek', startOffset: committedEnd, endOffset: offset, accounts } as const;
    return { committedEnd: offset, dropped: [], audit };
  }
  const dropped = table.segments.filter(
    segment => segment.partition === partition && sameStream(segment, entry) && segment.endOffset > offset,
  );
  const start = Math.min(offset, ...dropped.map(segment => segment.startOffset));
  if (start < availableFrom)
    throw fault(
      'OFFSETS_LOST',
      `going back to offset ${offset} would drop rows from ${start} on, and the stream begins at ${availableFrom}`,
      {
        hint: `seek to ${firstStartFrom(table, partition, availableFrom)} or later`,
        details: { start, availableFrom },
      },
    );
  const audit = { kind: 'seek', startOffset: committedEnd, endOffset: start, accounts: noAccounts } as const;
  return { committedEnd: start, dropped, audit };
}

/** A topic that was made again left segments behind, whose offsets are others. */
const sameStream = (segment: SegmentEntry, { streamId }: MetaPartition): boolean =>
  (segment.streamId ?? null) === streamId;

/** The earliest offset that a seek can go back to. */
function firstStartFrom({ segments, partitions }: TableState, partition: number, availableFrom: number): number {
  const starts = segments
    .filter(
      segment =>
        segment.partition === partition &&
        sameStream(segment, partitions[partition]!) &&
        segment.startOffset >= availableFrom,
    )
    .map(segment => segment.startOffset);
  return Math.min(partitions[partition]!.committedEnd, ...starts);
}
