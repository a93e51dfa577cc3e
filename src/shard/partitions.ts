import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { decodeBatch } from '../column/frame.ts';
import type { Arena } from '../kernel/allocator.ts';
import { ConsumingPartition, type OffsetRange } from '../segment/consuming-partition.ts';
import type { PartitionFreshness, PartitionRef } from '../wire/calls.ts';
import type { ShardCalls, ShardStatus } from '../wire/shard-calls.ts';

/** A partition without a row for so long is idle: its watermark stands still because nothing happens, not because it is late. */
export const idleAfterMs = 10_000;

interface Owned {
  readonly rows: ConsumingPartition;
  readonly epoch: number;
  /** Largest event time seen. */
  watermarkMs: number | null;
  /** When rows came last, by the monotonic clock. */
  appendedAtMs: number | null;
  /** Where the stream ended when ingestion last looked. */
  streamEnd: { readonly endOffset: number; readonly observedAtMs: number } | null;
}

type Append = ShardCalls['append']['in'];

const keyOf = ({ tableId, partition }: PartitionRef): string => `${tableId}-${partition}`;

/** Consuming rows of the partitions that one shard owns, and the leases on them. Synchronous: each call is one step. */
export class Partitions {
  readonly #arena: Arena;
  readonly #clock: Clock;
  readonly #owned = new Map<string, Owned>();
  /** By lease, the partitions it holds, also those closed since. */
  readonly #leases = new Map<string, Set<ConsumingPartition>>();
  /** Closed, but leased. */
  readonly #closing = new Set<ConsumingPartition>();

  constructor(arena: Arena, clock: Clock) {
    this.#arena = arena;
    this.#clock = clock;
  }

  /** @throws FaultError INVALID_REQUEST when it is open already and ends at another offset */
  open({ definition, partition, startOffset, epoch, watermarkMs }: ShardCalls['openPartition']['in']): void {
    const key = keyOf({ tableId: definition.id, partition });
    const known = this.#owned.get(key);
    if (!known) {
      const rows = new ConsumingPartition(this.#arena, definition, partition, startOffset);
      this.#owned.set(key, { rows, epoch, watermarkMs, appendedAtMs: null, streamEnd: null });
    } else if (known.rows.endOffset === startOffset && known.epoch === epoch) known.rows.define(definition);
    else
      throw fault(
        'INVALID_REQUEST',
        `partition ${partition} of ${definition.name} is open and ends at offset ${known.rows.endOffset}, not ${startOffset}`,
        { hint: 'close it before its rows are read from the log again' },
      );
  }

  close(ref: PartitionRef): void {
    const owned = this.#owned.get(keyOf(ref));
    if (!owned) return;
    this.#owned.delete(keyOf(ref));
    owned.rows.close();
    if (!owned.rows.isEmpty) this.#closing.add(owned.rows);
  }

  append({ startOffset, endOffset, columnIds, frame, ingestedAtMs, watermarkMs, streamEnd, ...ref }: Append): {
    endOffset: number;
  } {
    const owned = this.#get(ref);
    const batch = decodeBatch(frame);
    const end = owned.rows.append(columnIds, batch, { startOffset, endOffset, ingestedAtMs });
    if (watermarkMs !== null) owned.watermarkMs = Math.max(watermarkMs, owned.watermarkMs ?? watermarkMs);
    if (batch.rowCount > 0) owned.appendedAtMs = this.#clock.monotonicMs();
    owned.streamEnd = streamEnd;
    return { endOffset: end };
  }

  pin({ leaseId, ...ref }: ShardCalls['pin']['in']): ShardCalls['pin']['out'] {
    const owned = this.#get(ref);
    const range = owned.rows.pin(leaseId);
    this.#note(leaseId, owned.rows);
    return { ...range, epoch: owned.epoch, freshness: this.#freshnessOf(owned, range) };
  }

  /** Keeps the rows of a range for one run, which the query's own lease need not outlive. @throws FaultError UNAVAILABLE */
  retain(leaseId: string, ref: PartitionRef, range: OffsetRange): ConsumingPartition {
    const { rows } = this.#get(ref);
    rows.retain(leaseId, range);
    this.#note(leaseId, rows);
    return rows;
  }

  release(leaseId: string): void {
    for (const rows of this.#leases.get(leaseId) ?? []) {
      rows.release(leaseId);
      if (rows.isEmpty) this.#closing.delete(rows);
    }
    this.#leases.delete(leaseId);
  }

  /** @throws FaultError UNAVAILABLE where this shard does not own the partition (yet) */
  rowsOf(ref: PartitionRef): ConsumingPartition {
    return this.#get(ref).rows;
  }

  /** Segments that are published, and kept for leases alone. */
  get retiredCount(): number {
    const all = [...this.#closing, ...[...this.#owned.values()].map(({ rows }) => rows)];
    return all.reduce((sum, rows) => sum + rows.retiredCount, 0);
  }

  status(): ShardStatus['consuming'] {
    return [...this.#owned.values()].map(({ rows: { tableId, partition, rowCount, startOffset, endOffset } }) => ({
      tableId,
      partition,
      rowCount,
      startOffset,
      endOffset,
    }));
  }

  #get(ref: PartitionRef): Owned {
    const owned = this.#owned.get(keyOf(ref));
    if (owned) return owned;
    throw fault('UNAVAILABLE', `partition ${ref.partition} of table ${ref.tableId} is not open here`, {
      hint: 'ingestion opens it when it starts; try again',
    });
  }

  #note(leaseId: string, rows: ConsumingPartition): void {
    const held = this.#leases.get(leaseId);
    if (held) held.add(rows);
    else this.#leases.set(leaseId, new Set([rows]));
  }

  /** Rows of the embedded log are taken the moment they are durable: the end that is pinned is the end of the log. */
  #freshnessOf({ rows, watermarkMs, appendedAtMs, streamEnd }: Owned, { endOffset }: OffsetRange): PartitionFreshness {
    const nowMs = this.#clock.nowMs();
    const observedAtMs = streamEnd?.observedAtMs ?? nowMs;
    return {
      partition: rows.partition,
      ingestedOffset: endOffset,
      endOffset: Math.max(endOffset, streamEnd?.endOffset ?? 0),
      observedAtMs,
      lagMs: 0,
      watermarkMs,
      state: appendedAtMs !== null && this.#clock.monotonicMs() - appendedAtMs < idleAfterMs ? 'consuming' : 'idle',
      cause: null,
    };
  }
}
