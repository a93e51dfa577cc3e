/** What a fragment's run is given; `shard` builds it, `exec` reads it. */
import type { Clock } from '../base/seams.ts';
import type { RowMask } from '../catalog/replacement.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { Batch } from '../column/column.ts';
import type { ArenaViews } from '../kernel/arena.ts';
import type { Block, SegmentReader } from '../segment/block.ts';

/** Rows `[startRow, endRow)` of one block. */
export interface BlockRange {
  readonly block: Block;
  readonly startRow: number;
  readonly endRow: number;
}

/** One committed segment, or one partition's pinned consuming rows (which may lie in several consuming segments). */
export interface ScanUnit {
  /** What the broker expects to be answered: a segment's id, or `consuming-<tableId>-<partition>`. */
  readonly id: string;
  /** Rows that are no rows of the table any more; absent for nearly all units. */
  readonly masks?: readonly RowMask[];
  /** Opens it: reads a manifest, no column. Called when the scan gets there. */
  open(): Promise<{ readonly segment: SegmentReader | null; readonly ranges: readonly BlockRange[] }>;
}

export interface ScanSource {
  readonly definition: TableDefinition;
  readonly units: readonly ScanUnit[];
}

/** Bytes that a query holds beyond the shard's columns; refuses with MEMORY_BUDGET and the number. */
export interface MemoryAccount {
  /** Sets what one holder (a hash table, a sort) has; the sum over holders must stay below the budget. */
  hold(holder: object, sizeBytes: number): void;
  release(holder: object): void;
  readonly peakBytes: number;
}

/** Rows that are ready and not taken yet. */
export interface OutputBacklog {
  readonly backlogBytes: number;
}

export interface ExecContext {
  readonly arena: ArenaViews;
  /** By table id. */
  readonly sources: ReadonlyMap<string, ScanSource>;
  readonly inline: Readonly<Record<string, Batch>>;
  /** Batches of another fragment, from every shard that runs it. */
  exchange(fragment: number): AsyncGenerator<Batch, void, void>;
  readonly nowMs: number;
  readonly timeZone: string;
  readonly clock: Clock;
  readonly memory: MemoryAccount;
  /** Where the fragment's rows end up (set by `runFragment`): a scan gives way when it has more than its reader takes at once. */
  readonly output?: OutputBacklog;
  /** A unit whose bytes are corrupt is left unanswered; rows of it that were read before may be in the answer. */
  readonly allowPartial: boolean;
  /** Told of each damaged part of a segment that was met. @returns What the query is told of it. */
  readonly onDamage?: (unitId: string, part: 'columns' | 'index', error: unknown) => unknown;
  /**
   * Called between blocks and between batches: lets other work of the thread run when this query's slice is over, and
   * throws CANCELLED or TIMEOUT. No address survives it.
   */
  yield(): Promise<void>;
  readonly stats: ExecStats;
  /** Lives as long as the shard: dictionaries shared between segments, compiled shapes. */
  readonly caches: WeakMap<object, unknown>;
}

export interface ExecStats {
  rowsScanned: number;
  rowsMatched: number;
  blocksScanned: number;
  blocksPruned: number;
  /** Units of which at least one block was looked at. */
  unitsScanned: string[];
  unitsAnswered: string[];
  filters: Record<string, number>;
}
