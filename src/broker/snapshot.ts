/**
 * A query's one view of its tables: committed segments at one metadata version, and per partition the consuming rows
 * `[committedEnd, pinnedEnd)`. Everything that the query reads, also twice, it reads from here.
 *
 * Consuming rows are pinned (and leased) before the metadata is read. A segment published in between only moves rows from
 * the second part to the first: its offsets lie below the committed end that is read afterwards. The other order could
 * find rows dropped that the older metadata still calls consuming.
 */

import { FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { TableFreshness } from '../wire/broker-calls.ts';
import type { QuarantinedSegment } from '../wire/controller-calls.ts';
import type { PinnedPartition } from '../wire/server-calls.ts';
import type { ScanTask } from '../wire/shard-calls.ts';
import type { IngestWatch } from './ingest-watch.ts';
import type { SnapshotSource } from './snapshot-source.ts';

/** A seek takes a few milliseconds between the metadata and the shard. */
const attemptsMax = 50;
const retryDelayMs = 10;

export interface Snapshot {
  readonly tables: readonly (TableSnapshot & { readonly ranges: ScanTask['ranges'] })[];
  /** By segment, why no query reads it. */
  readonly quarantine: ReadonlyMap<string, string>;
  /** By table name. */
  readonly freshness: Readonly<Record<string, TableFreshness>>;
  /** Gives up every lease; nobody need wait for that. Called exactly once. */
  release(): void;
}

/** @param partitionCounts By table id, as last known; a stream's partitions that came since are found. */
export async function openSnapshot(
  leaseId: string,
  definitions: readonly TableDefinition[],
  partitionCounts: Readonly<Record<string, number>>,
  source: SnapshotSource,
  watch: IngestWatch,
  clock: Clock,
): Promise<Snapshot> {
  const release = (): void => {
    // A release that fails finds a role that is gone, and its leases with it.
    source.release(leaseId).catch(() => {});
  };
  if (definitions.length === 0) return { tables: [], quarantine: new Map(), freshness: {}, release: () => {} };
  try {
    const tableIds = definitions.map(({ id }) => id);
    await watch.refresh();
    let counts = partitionCounts;
    for (let attempt = 1; ; attempt++) {
      const partitions = tableIds.flatMap(tableId =>
        Array.from({ length: counts[tableId] ?? 0 }, (_, partition) => ({ tableId, partition })),
      );
      const { pins, tables, quarantine } = await source.open(leaseId, partitions, tableIds);
      const known = Object.fromEntries(
        tables.map(({ definition, committedEnds }) => [definition.id, committedEnds.length]),
      );
      const isWhole = tableIds.every(id => known[id]! <= (counts[id] ?? 0));
      const moved = pins.find(pin => tables.some(table => isMoved(table, pin)));
      if (isWhole && !moved) return snapshotOf(tables, quarantine, pins, watch, release);
      if (attempt === attemptsMax)
        throw fault('INCOMPLETE', `partition ${moved?.partition ?? 'count'} of a table is being moved by a seek`, {
          hint: 'try again',
        });
      // Partitions came between the two, or one was moved: both are asked again.
      await source.release(leaseId);
      if (moved) await clock.sleep(retryDelayMs);
      counts = known;
    }
  } catch (error) {
    release();
    throw explained(
      error,
      definitions.map(({ id }) => id),
      watch,
    );
  }
}

/** Rows that nobody answers for, since their partition cannot be opened: that is what the caller can do something about. */
function explained(error: unknown, tableIds: readonly string[], watch: IngestWatch): unknown {
  const { code } = toFault(error);
  const cause = code === 'UNAVAILABLE' || code === 'INCOMPLETE' ? watch.failure(tableIds) : null;
  return cause?.kind === 'corrupt' ? new FaultError(cause, { cause: error }) : error;
}

/** The pinned rows are of another epoch than the metadata. */
const isMoved = ({ definition, epochs }: TableSnapshot, pin: PinnedPartition): boolean =>
  pin.tableId === definition.id && (epochs[pin.partition] ?? pin.epoch) !== pin.epoch;

const snapshotOf = (
  tables: readonly TableSnapshot[],
  quarantine: readonly QuarantinedSegment[],
  pins: readonly PinnedPartition[],
  watch: IngestWatch,
  release: () => void,
): Snapshot => ({
  quarantine: new Map(quarantine.map(({ segmentId, cause }) => [segmentId, cause])),
  tables: tables.map(table => ({ ...table, ranges: rangesOf(table, pins) })),
  freshness: Object.fromEntries(tables.map(table => [table.definition.name, freshnessOf(table, pins, watch)])),
  release,
});

function rangesOf({ definition, committedEnds }: TableSnapshot, pins: readonly PinnedPartition[]): ScanTask['ranges'] {
  return committedEnds.flatMap((committedEnd, partition) => {
    const pin = pins.find(candidate => candidate.tableId === definition.id && candidate.partition === partition);
    if (!pin)
      throw fault('INCOMPLETE', `nobody answers for the consuming rows of ${definition.name}, partition ${partition}`);
    if (pin.endOffset <= committedEnd) return [];
    if (pin.startOffset > committedEnd)
      throw fault(
        'INCOMPLETE',
        `rows ${committedEnd} to ${pin.startOffset} of ${definition.name}, partition ${partition}, are neither committed nor held`,
        { hint: 'try again; if it stays, ingestion of this partition is behind its metadata' },
      );
    return [{ partition, startOffset: committedEnd, endOffset: pin.endOffset }];
  });
}

/** The table's watermark is the least over partitions that are not idle; over all of them when all are. */
function freshnessOf(
  { definition }: TableSnapshot,
  pins: readonly PinnedPartition[],
  watch: IngestWatch,
): TableFreshness {
  const partitions = pins
    .filter(pin => pin.tableId === definition.id)
    .map(pin => watch.merge(definition.id, pin.freshness));
  const topic = watch.topic(definition.id);
  if (topic && partitions.length === 0) return { watermarkMs: null, partitions: [topic] };
  const active = partitions.filter(({ state }) => state !== 'idle');
  const marks = (active.length > 0 ? active : partitions).map(({ watermarkMs }) => watermarkMs);
  const known = marks.filter(mark => mark !== null);
  return { watermarkMs: known.length > 0 ? Math.min(...known) : null, partitions };
}
