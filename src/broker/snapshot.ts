/**
 * A query's one view of its tables: committed segments at one metadata version, and per partition the consuming rows
 * `[committedEnd, pinnedEnd)`. Everything that the query reads, also twice, it reads from here.
 *
 * Consuming rows are pinned (and leased) before the metadata is read. A segment published in between only moves rows from
 * the second part to the first: its offsets lie below the committed end that is read afterwards. The other order could
 * find rows dropped that the older metadata still calls consuming.
 */

import { fault } from '../base/fault.ts';
import type { TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls, PinnedPartition, ScanTask, ServerCalls, TableFreshness } from '../wire/calls.ts';
import type { IngestWatch } from './ingest-watch.ts';

export interface Snapshot {
  readonly tables: readonly (TableSnapshot & { readonly ranges: ScanTask['ranges'] })[];
  /** By table name. */
  readonly freshness: Readonly<Record<string, TableFreshness>>;
  /** Gives up every lease; nobody need wait for that. Called exactly once. */
  release(): void;
}

export async function openSnapshot(
  leaseId: string,
  definitions: readonly TableDefinition[],
  controller: Client<ControllerCalls>,
  server: Client<ServerCalls>,
  watch: IngestWatch,
): Promise<Snapshot> {
  const release = (): void => {
    // A release that fails finds a role that is gone, and its leases with it.
    server.call('release', { leaseId }).catch(() => {});
    controller.call('release', { leaseId }).catch(() => {});
  };
  if (definitions.length === 0) return { tables: [], freshness: {}, release: () => {} };
  try {
    const partitions = definitions.flatMap(({ id, source }) =>
      Array.from({ length: source.partitionCount }, (_, partition) => ({ tableId: id, partition })),
    );
    const pins = await server.call('pin', { leaseId, partitions });
    const { tables } = await controller.call('snapshot', { leaseId, tableIds: definitions.map(({ id }) => id) });
    return {
      tables: tables.map(table => ({ ...table, ranges: rangesOf(table, pins) })),
      freshness: Object.fromEntries(tables.map(table => [table.definition.name, freshnessOf(table, pins, watch)])),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

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
  const active = partitions.filter(({ state }) => state !== 'idle');
  const marks = (active.length > 0 ? active : partitions).map(({ watermarkMs }) => watermarkMs);
  const known = marks.filter(mark => mark !== null);
  return { watermarkMs: known.length > 0 ? Math.min(...known) : null, partitions };
}
