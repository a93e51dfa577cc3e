/**
 * Files → segments of one load, in the order of their rows, staged one by one. Reading is the same every time, so a load
 * that was interrupted reads its files again and stages what comes after its last segment.
 */
import { fault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { type LoadEntry, type LoadReject, loadRejectsKeptMax } from '../catalog/load.ts';
import { attemptDigits, formatLoadSegmentId } from '../catalog/segment-id.ts';
import { loadPartition, type TableDefinition, virtualColumns } from '../catalog/table.ts';
import { ascendingIntegers, equalIntegers } from '../column/integers.ts';
import { LONG, TIMESTAMP } from '../column/type.ts';
import { readFileRows } from '../format/file/read.ts';
import type { FileBatch, FileBytes, FileShape } from '../format/file/types.ts';
import { buildSegment } from '../segment/builder.ts';
import type { SegmentSink } from '../segment/sink.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { LoadCounts } from '../wire/load-calls.ts';
import { type LoadFilesComponents, withFile } from './load-files.ts';
import { PendingRows } from './pending-rows.ts';

/** Between two reports of progress. */
const progressGapMs = 250;

export interface LoadComponents extends LoadFilesComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: SegmentSink;
  readonly controller: Client<ControllerCalls>;
  /** A segment is built when its rows take so much, although there are fewer than the table's `segmentRows`. */
  readonly loadBufferSizeBytes: number;
}

/**
 * Memory: `loadBufferSizeBytes`, the segment made of it, and what a reader holds of a file.
 * @throws FaultError as `TaskCalls.load`
 */
export async function loadFiles(
  definition: TableDefinition,
  load: LoadEntry,
  components: LoadComponents,
  signal: AbortSignal,
): Promise<LoadCounts> {
  const run = new LoadRun(definition, load, components, signal);
  for (const [index, input] of load.inputs.entries()) {
    const shape = load.options.shapes[index] as FileShape;
    await withFile(input, components, file => run.readFile(file, shape));
  }
  return run.finish();
}

class LoadRun {
  readonly #definition: TableDefinition;
  readonly #load: LoadEntry;
  readonly #components: LoadComponents;
  readonly #signal: AbortSignal;
  readonly #pending = new PendingRows();
  /** Of all files so far, up to the end of the last batch. */
  #counts: LoadCounts;
  /** Accepted rows in staged segments. */
  #rowsStaged: number;
  /** Of the files before the one that is read. */
  #rowsBefore = 0;
  #bytesBefore = 0;
  #bytesRead = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(definition: TableDefinition, load: LoadEntry, components: LoadComponents, signal: AbortSignal) {
    this.#definition = definition;
    this.#load = load;
    this.#components = components;
    this.#signal = signal;
    const { rowsSettled, rowsRejected, rejects, rowsLoaded } = load;
    this.#counts = { rowsSettled, rowsRejected, rejects };
    this.#rowsStaged = rowsLoaded;
  }

  async readFile(file: FileBytes, shape: FileShape): Promise<void> {
    let rowsOfFile = 0;
    for await (const batch of readFileRows(file, shape, this.#definition)) {
      this.#signal.throwIfAborted();
      rowsOfFile = batch.firstRow + batch.rowCount + batch.rejected;
      await this.#take(file.name, batch);
      this.#bytesRead = this.#bytesBefore + batch.readBytes;
      await this.#report(false);
    }
    this.#rowsBefore += rowsOfFile;
    this.#bytesBefore += file.sizeBytes;
  }

  /** Stages what is left. */
  async finish(): Promise<LoadCounts> {
    if (this.#pending.rowCount > 0) await this.#stage(this.#pending.rowCount, this.#counts);
    this.#bytesRead = this.#bytesBefore;
    await this.#report(true);
    return this.#counts;
  }

  async #take(file: string, batch: FileBatch): Promise<void> {
    const before = this.#counts;
    const firstRow = this.#rowsBefore + batch.firstRow;
    const end = firstRow + batch.rowCount + batch.rejected;
    // Settled by the run that was interrupted.
    if (end <= before.rowsSettled) return;
    if (firstRow !== before.rowsSettled)
      throw fault('CONSTRAINT', `${file} is read in other batches than by the run that was interrupted`, {
        hint: 'ask for the load again: it begins anew',
      });
    this.#counts = {
      rowsSettled: end,
      rowsRejected: before.rowsRejected + batch.rejected,
      rejects: withRejects(before.rejects, file, batch),
    };
    await this.#checkRejects();
    // Of a batch in whose middle the last staged segment ends, the first rows are staged.
    const taken = before.rowsSettled - before.rowsRejected;
    const inSegments = Math.max(0, this.#rowsStaged + this.#pending.rowCount - taken);
    this.#pending.add(batch.batch, inSegments);
    const { segmentRows } = this.#definition.settings;
    while (this.#pending.rowCount >= segmentRows)
      await this.#stage(segmentRows, this.#pending.rowCount === segmentRows ? this.#counts : before);
    if (this.#pending.sizeBytes >= this.#components.loadBufferSizeBytes && this.#pending.rowCount > 0)
      await this.#stage(this.#pending.rowCount, this.#counts);
  }

  async #checkRejects(): Promise<void> {
    const { rejectsMax } = this.#load.options;
    const { rowsRejected, rejects } = this.#counts;
    if (rejectsMax === null || rowsRejected <= rejectsMax) return;
    await this.#report(true);
    const [first] = rejects;
    throw fault('INVALID_ROWS', `${rowsRejected} rows are rejected, and ${rejectsMax} may be`, {
      hint: first ? `${first.file}, line ${first.line}: ${first.reason}` : 'allow more, or correct the files',
    });
  }

  /** @param counts Of the batches of which no row is left pending. */
  async #stage(rowCount: number, counts: LoadCounts): Promise<void> {
    const { clock, random, store, controller, log } = this.#components;
    const startedMs = clock.monotonicMs();
    const startOffset = this.#rowsStaged;
    const rows = this.#pending.take(rowCount);
    const ids = this.#definition.columns.map(({ id }) => id);
    const createdAtMs = clock.nowMs();
    const segment = await buildSegment(
      {
        definition: this.#definition,
        segmentId: formatLoadSegmentId(this.#load, startOffset, random.hex(attemptDigits)),
        ...{ partition: loadPartition, startOffset, endOffset: startOffset + rowCount, rowCount },
        column: columnId => {
          this.#signal.throwIfAborted();
          if (columnId === virtualColumns.offset) return ascendingIntegers(LONG, rowCount, startOffset);
          if (columnId === virtualColumns.ingestedAt) return equalIntegers(TIMESTAMP, rowCount, createdAtMs);
          return rows.column(ids.indexOf(columnId));
        },
      },
      store,
      { createdAtMs },
    );
    await controller.call('stageSegment', { loadId: this.#load.id, segment, ...counts }, { signal: this.#signal });
    this.#rowsStaged += rowCount;
    const elapsedMs = Math.round(clock.monotonicMs() - startedMs);
    log.info('staged a segment of a load', { load: this.#load.id, segment: segment.id, rowCount, elapsedMs });
  }

  /** Also how it learns that the load has ended otherwise. */
  async #report(now: boolean): Promise<void> {
    const { clock, controller } = this.#components;
    if (!now && clock.monotonicMs() - this.#reportedMs < progressGapMs) return;
    this.#reportedMs = clock.monotonicMs();
    const { rowsSettled, rowsRejected, rejects } = this.#counts;
    const progress = {
      loadId: this.#load.id,
      bytesRead: this.#bytesRead,
      rowsRead: rowsSettled,
      rowsRejected,
      rejects,
    };
    await controller.call('loadProgress', progress, { signal: this.#signal });
  }
}

function withRejects(known: readonly LoadReject[], file: string, { rejects }: FileBatch): readonly LoadReject[] {
  const room = loadRejectsKeptMax - known.length;
  if (room <= 0 || rejects.length === 0) return known;
  return [...known, ...rejects.slice(0, room).map(({ line, column, reason }) => ({ file, line, column, reason }))];
}
