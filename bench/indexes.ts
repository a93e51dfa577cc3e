/** Indexes of a committed segment beside the same rows without them: what a filter costs on columns that are not in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDisk } from '../src/base/node-disk.ts';
import { systemClock } from '../src/base/system.ts';
import type { SegmentEntry, TableDefinition } from '../src/catalog/table.ts';
import { defineTable } from '../src/catalog/validate.ts';
import type { Column, RawColumn } from '../src/column/column.ts';
import { integersOf } from '../src/column/integers.ts';
import { BOOLEAN, LONG, STRING, TIMESTAMP, type Type, type Value } from '../src/column/type.ts';
import { rowsOf } from '../src/column/value.ts';
import type { ExecContext, ExecStats } from '../src/exec/context.ts';
import { runFragment } from '../src/exec/run.ts';
import { Arena } from '../src/kernel/allocator.ts';
import type { CompareOperator, Expr } from '../src/plan/expr.ts';
import type { Node } from '../src/plan/node.ts';
import { addIndexes } from '../src/segment/add-indexes.ts';
import { buildSegment } from '../src/segment/builder.ts';
import { SegmentCache } from '../src/segment/cache.ts';
import { OpenFiles } from '../src/segment/files.ts';
import { openSegment } from '../src/segment/reader.ts';
import { DiskStore } from '../src/store/disk-store.ts';
import { type CellRow, difference } from './answers.ts';
import { median, timeInTurns } from './measure.ts';
import { type BenchRow, formatCount } from './row.ts';
import type { Suite } from './suite.ts';

const rowsDefault = 1_000_000;
const rowsSmoke = 100_000;
const arenaSizeBytes = 512 << 20;
/** Amounts are below 2^20: 20 slices. */
const amountMax = 2 ** 20;

const definition: TableDefinition = defineTable(
  {
    name: 'payments',
    columns: [
      { name: 'ts', type: TIMESTAMP, nullable: false },
      { name: 'payment_id', type: STRING, nullable: false },
      { name: 'amount', type: LONG, nullable: false },
    ],
    timeColumn: 'ts',
    indexes: [
      { column: 'amount', kind: 'range' },
      { column: 'payment_id', kind: 'bloom' },
    ],
    settings: {},
  },
  { id: 'beef00000002', createdAtMs: 0 },
);
const withoutIndexes: TableDefinition = { ...definition, indexes: [] };

const idOf = (row: number): string => `pay_${((row * 2_654_435_761) % 2 ** 32).toString(16).padStart(20, '0')}`;
const column = (index: number): Expr => ({ kind: 'column', type: definition.columns[index]!.type, index });
const compare = (index: number, op: CompareOperator, value: Value): Expr => ({
  ...{ kind: 'compare', type: BOOLEAN, op, left: column(index) },
  right: { kind: 'literal', type: definition.columns[index]!.type, value },
});
const and = (...args: Expr[]): Expr => ({ kind: 'and', type: BOOLEAN, args });

interface Question {
  readonly name: string;
  readonly filter: Expr;
  /** Whether the column's blocks are in memory when it is asked. */
  readonly isWarm?: boolean;
}

const questions = (rowCount: number): Question[] => {
  const narrow = and(compare(2, '>=', 500_000n), compare(2, '<', 501_000n));
  return [
    { name: 'amount within 1 ‰', filter: narrow },
    { name: 'amount above the middle', filter: compare(2, '>', BigInt(amountMax / 2)) },
    { name: 'one amount', filter: compare(2, '=', 500_000n) },
    { name: 'amount within 1 ‰, in memory', filter: narrow, isWarm: true },
    { name: 'an id that is there', filter: compare(1, '=', idOf(rowCount >> 1)) },
    { name: 'an id that is not', filter: compare(1, '=', `${idOf(rowCount >> 1)}x`) },
    { name: 'a minute', filter: and(compare(0, '>=', 60_000), compare(0, '<', 120_000)) },
  ];
};

export const indexesSuite: Suite = {
  name: 'indexes',
  summary: 'range index and Bloom filter beside a scan of the same segment, its columns on disk',
  async run({ rows, runs, smoke, progress, note }) {
    const rowCount = rows ?? (smoke ? rowsSmoke : rowsDefault);
    const folder = await mkdtemp(join(tmpdir(), 'weir-indexes-'));
    try {
      progress.update(`indexes: building ${formatCount(rowCount)} rows`);
      const store = new DiskStore(nodeDisk, folder);
      const plain = await build(store, rowCount);
      const startedMs = performance.now();
      const indexed = await addIndexes(plain, definition, store, store);
      note(
        `Indexes: ${formatCount(plain.sizeBytes)} bytes without, ${formatCount(indexed.sizeBytes - plain.sizeBytes)} more with them, ` +
          `added in ${formatCount(performance.now() - startedMs)} ms. COUNT(*) over ${formatCount(rowCount)} rows; ` +
          'the segment is opened anew each time, its files being in the page cache.',
      );
      const found: BenchRow[] = [];
      for (const question of questions(rowCount)) {
        progress.update(`indexes: ${question.name}`);
        found.push(...(await compareBoth(question, store, [indexed, plain], rowCount, runs)));
      }
      progress.done('indexes: done');
      return found;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function compareBoth(
  { name, filter, isWarm = false }: Question,
  store: DiskStore,
  entries: readonly [indexed: SegmentEntry, plain: SegmentEntry],
  rowCount: number,
  runs: number,
): Promise<BenchRow[]> {
  const contestants = entries.map(entry => counter(entry, store, filter, isWarm));
  const [indexed, plain] = [await contestants[0]!(), await contestants[1]!()];
  const times = await timeInTurns(contestants, runs);
  const answersEqual = difference(indexed.rows, plain.rows) === null;
  const row = (engine: string, index: number, { filters }: ExecStats): BenchRow => ({
    ...{ suite: 'indexes', query: name, rows: rowCount, engine, answersEqual },
    medianMs: median(times[index]!),
    minMs: Math.min(...times[index]!),
    note: Object.entries(filters)
      .map(([how, blocks]) => `${how} ${blocks}`)
      .join(', '),
  });
  const weir = row('weir', 0, indexed.stats);
  return [
    {
      ...weir,
      ratio: median(times[0]!) / median(times[1]!),
      measures: Object.fromEntries(Object.entries(indexed.stats.filters).map(([how, blocks]) => [how, blocks])),
    },
    row('scan', 1, plain.stats),
  ];
}

/** Counts the rows that hold. Where it is not warm, the segment is opened for each count and forgotten behind it. */
function counter(entry: SegmentEntry, store: DiskStore, filter: Expr, isWarm: boolean) {
  const arena = new Arena(arenaSizeBytes);
  const cache = new SegmentCache(arena);
  const files = new OpenFiles(store);
  const opened = isWarm ? openSegment(entry, files, cache) : null;
  const scan: Node = {
    kind: 'scan',
    tableId: definition.id,
    table: definition.name,
    columns: definition.columns,
    filter,
    limit: null,
  };
  const count = { function: 'count', args: [], distinct: false, filter: null, type: LONG };
  const root: Node = { kind: 'aggregate', mode: 'single', source: scan, keys: [], calls: [count] };
  return async (): Promise<{ rows: CellRow[]; stats: ExecStats }> => {
    const segment = await (opened ?? openSegment(entry, files, cache));
    if (isWarm) for (const block of segment.blocks) await block.load([3]);
    const ranges = segment.blocks.map(block => ({ block, startRow: 0, endRow: block.rowCount }));
    const stats: ExecStats = {
      ...{ rowsScanned: 0, rowsMatched: 0, blocksScanned: 0, blocksPruned: 0 },
      ...{ unitsScanned: [], unitsAnswered: [], filters: {} },
    };
    const units = [{ id: entry.id, open: async () => ({ segment, ranges }) }];
    const context: ExecContext = {
      arena,
      sources: new Map([[definition.id, { definition, units }]]),
      inline: {},
      exchange: () => {
        throw new Error('one fragment has no exchange');
      },
      nowMs: 0,
      timeZone: 'UTC',
      clock: systemClock,
      memory: { hold() {}, release() {}, peakBytes: 0 },
      allowPartial: false,
      yield: async () => {},
      stats,
      caches: new WeakMap(),
    };
    const rows: CellRow[] = [];
    for await (const batch of runFragment(root, context)) rows.push(...(rowsOf(batch) as CellRow[]));
    if (!isWarm) segment.close();
    return { rows, stats };
  };
}

const longs = (type: Type, rowCount: number, numberOf: (row: number) => number): Column =>
  integersOf(type, rowCount, numberOf);

function ids(rowCount: number): RawColumn {
  const bytes = Buffer.from(Array.from({ length: rowCount }, (_, row) => idOf(row)).join(''), 'latin1');
  const sizeBytes = bytes.length / rowCount;
  const offsets = Uint32Array.from({ length: rowCount + 1 }, (_, row) => row * sizeBytes);
  return { form: 'raw', type: STRING, length: rowCount, validity: null, offsets, bytes };
}

const build = (store: DiskStore, rowCount: number): Promise<SegmentEntry> =>
  buildSegment(
    {
      definition: withoutIndexes,
      segmentId: `${definition.id}-0-0-aaaa`,
      partition: 0,
      startOffset: 0,
      endOffset: rowCount,
      rowCount,
      column(id) {
        if (id === 2) return ids(rowCount);
        // No rhythm: what follows an amount in the next row says nothing.
        if (id === 3) return longs(LONG, rowCount, row => Math.imul(row, 0x9e37_79b1) >>> 12);
        return longs(id === -1 ? LONG : TIMESTAMP, rowCount, row => row);
      },
    },
    store,
    { createdAtMs: 0 },
  );
