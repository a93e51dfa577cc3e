/** Runs a plan: subqueries first, then prune, scatter, and pass the answer's frames on; then compares expected with answered. */
import { fault } from '../base/fault.ts';
import { damagedSegment } from '../catalog/damaged.ts';
import { decodeBatch } from '../column/frame.ts';
import type { Value } from '../column/type.ts';
import { valueAt } from '../column/value.ts';
import type { QueryPlan } from '../plan/node.ts';
import { resolveSubplans } from '../sql/optimize/subquery.ts';
import type { QueryStats } from '../wire/broker-calls.ts';
import type { Client, FrameStream } from '../wire/call.ts';
import type { ServerCalls, ServerScan } from '../wire/server-calls.ts';
import { masksOf, visibleSegments } from './hidden.ts';
import { pruneSegments, scansOf } from './prune.ts';
import type { Snapshot } from './snapshot.ts';

export interface SelectRun {
  readonly queryId: string;
  readonly snapshot: Snapshot;
  readonly inline: Readonly<Record<string, Uint8Array>>;
  readonly server: Client<ServerCalls>;
  readonly nowMs: number;
  readonly timeZone: string;
  /** What is left of the query's time. */
  remainingMs(): number;
  readonly memoryBytes: number;
  readonly signal: AbortSignal;
  readonly allowPartial: boolean;
  /** Added to as the run goes on. */
  readonly stats: QueryStats;
}

/** Frames of the result; returns the scan units that nobody answered (empty unless partial answers are allowed). */
export async function* runPlan(plan: QueryPlan, run: SelectRun): FrameStream<string[]> {
  const values: Value[] = [];
  const missing: string[] = [];
  for (const subplan of plan.subplans) {
    const { value, missing: unanswered } = await runScalar(subplan, run);
    values.push(value);
    missing.push(...unanswered);
  }
  const { fragments } = resolveSubplans(plan, values, run);
  const planned = planScans(fragments, run);
  const expected = planned.flatMap(({ tableId, segments, ranges }) => [
    ...segments.map(({ id }) => id),
    ...ranges.map(({ partition }) => `consuming-${tableId}-${partition}`),
  ]);
  const scans = planned.map(scan => withoutDamaged(scan, run));
  const { queryId, inline, nowMs, memoryBytes, stats } = run;
  const stream = run.server.stream(
    'run',
    {
      queryId,
      fragments,
      scans,
      inline,
      nowMs,
      timeoutMs: run.remainingMs(),
      memoryBytes,
      allowPartial: run.allowPartial,
    },
    { signal: run.signal },
  );
  const ran = yield* stream;
  stats.rowsScanned += ran.rowsScanned;
  stats.rowsMatched += ran.rowsMatched;
  stats.blocksScanned += ran.blocksScanned;
  stats.blocksPruned += ran.blocksPruned;
  stats.memoryPeakBytes = Math.max(stats.memoryPeakBytes, ran.memoryPeakBytes);
  for (const [how, count] of Object.entries(ran.filters)) stats.filters[how] = (stats.filters[how] ?? 0) + count;
  const answered = new Set(ran.unitsAnswered);
  const scanned = new Set(ran.unitsScanned);
  stats.segmentsScanned += scanned.size;
  stats.segmentsPruned += [...answered].filter(unit => !scanned.has(unit)).length;
  const unanswered = expected.filter(unit => !answered.has(unit));
  stats.segmentsExpected += expected.length;
  stats.segmentsAnswered += expected.length - unanswered.length;
  if (unanswered.length > 0 && !run.allowPartial)
    throw fault('INCOMPLETE', `${unanswered.length} of ${expected.length} segments were not answered`, {
      hint: 'try again, or allow a partial answer with "allowPartial": true',
      details: { missing: unanswered.slice(0, 20) },
    });
  return [...missing, ...unanswered];
}

/**
 * Whether the plan scans at most so many rows: of the segments and ranges that are left after pruning, before subqueries
 * are known. Pruning is asked only where the tables have more.
 */
export function scansAtMost(
  rowCountMax: number,
  plan: QueryPlan,
  snapshot: Snapshot,
  context: { readonly nowMs: number; readonly timeZone: string },
): boolean {
  const plans = [plan, ...plan.subplans];
  const rowCount = (isPruned: boolean): number =>
    plans.reduce(
      (sum, { fragments }) => sum + scannedRowCount(scansOf(fragments), snapshot, isPruned ? context : null),
      0,
    );
  return rowCount(false) <= rowCountMax || rowCount(true) <= rowCountMax;
}

/** @param context null: without pruning. */
function scannedRowCount(
  nodes: ReturnType<typeof scansOf>,
  { tables }: Snapshot,
  context: { readonly nowMs: number; readonly timeZone: string } | null,
): number {
  let rowCount = 0;
  for (const { definition, segments, ranges } of tables) {
    const scans = nodes.filter(node => node.tableId === definition.id);
    if (scans.length === 0) continue;
    const kept = context ? pruneSegments(scans, definition, segments, context) : segments;
    for (const segment of kept) rowCount += segment.rowCount;
    for (const { startOffset, endOffset } of ranges) rowCount += endOffset - startOffset;
  }
  return rowCount;
}

/** Pruned scans of the plan's tables. */
function planScans(fragments: QueryPlan['fragments'], run: SelectRun): ServerScan[] {
  const nodes = scansOf(fragments);
  return run.snapshot.tables.flatMap(table => {
    const { definition, segments, ranges } = table;
    const scans = nodes.filter(node => node.tableId === definition.id);
    if (scans.length === 0) return [];
    const visible = visibleSegments(table);
    const kept = pruneSegments(scans, definition, visible, run);
    run.stats.segmentsPruned += segments.length - kept.length;
    return [{ tableId: definition.id, definition, segments: kept, ranges, masks: masksOf(table, kept, ranges) }];
  });
}

/** Without the segments that are known to be damaged. @throws FaultError CORRUPT_SEGMENT where nothing may be missing */
function withoutDamaged(scan: ServerScan, { snapshot: { quarantine }, allowPartial }: SelectRun): ServerScan {
  const damaged = scan.segments.find(({ id }) => quarantine.has(id));
  if (!damaged) return scan;
  if (!allowPartial) throw damagedSegment(scan.definition, damaged, quarantine.get(damaged.id)!);
  return { ...scan, segments: scan.segments.filter(({ id }) => !quarantine.has(id)) };
}

async function runScalar(plan: QueryPlan, run: SelectRun): Promise<{ value: Value; missing: string[] }> {
  let value: Value = null;
  let rowCount = 0;
  const frames = runPlan(plan, run);
  let next = await frames.next();
  while (!next.done) {
    const batch = decodeBatch(next.value);
    if (rowCount === 0 && batch.rowCount > 0) value = valueAt(batch.columns[0]!, 0);
    rowCount += batch.rowCount;
    if (rowCount > 1) {
      await frames.return([]);
      throw fault('CONSTRAINT', 'a subquery used as a value returned more than one row', {
        hint: 'add LIMIT 1, or an aggregate such as MAX',
      });
    }
    next = await frames.next();
  }
  return { value, missing: next.value };
}

export const emptyStats = (): QueryStats => ({
  rowsScanned: 0,
  rowsMatched: 0,
  rowsReturned: 0,
  blocksScanned: 0,
  blocksPruned: 0,
  segmentsExpected: 0,
  segmentsAnswered: 0,
  segmentsScanned: 0,
  segmentsPruned: 0,
  memoryPeakBytes: 0,
  filters: {},
  parseMs: 0,
  planMs: 0,
  pinMs: 0,
  runMs: 0,
  totalMs: 0,
});
