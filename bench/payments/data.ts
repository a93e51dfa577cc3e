/** The payments on disk, once for each number of rows: DuckDB's file and Weir's data folder of the same rows. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDisk } from '../../src/base/node-disk.ts';
import { folders } from '../../src/boot/folders.ts';
import { formatSegmentId } from '../../src/catalog/segment-id.ts';
import { type TableDefinition, virtualColumns } from '../../src/catalog/table.ts';
import { defineTable } from '../../src/catalog/validate.ts';
import { integersOf } from '../../src/column/integers.ts';
import { TIMESTAMP } from '../../src/column/type.ts';
import { paymentsTable } from '../../src/demo/generator.ts';
import { openSqliteMeta } from '../../src/meta/sqlite.ts';
import { buildSegment } from '../../src/segment/builder.ts';
import { manifestVersion } from '../../src/segment/manifest.ts';
import { bindStatement } from '../../src/sql/bind.ts';
import { parseStatement } from '../../src/sql/parse.ts';
import { DiskStore } from '../../src/store/disk-store.ts';
import { type DuckDb, openDuckDb } from '../duckdb.ts';
import type { Progress } from '../progress.ts';
import { formatCount } from '../row.ts';
import { CodeRows, codesQuery } from './codes.ts';
import { createDuckDbTable, drawCodes, drawVersion } from './draw.ts';

export const paymentsSegmentCount = 40;

export interface PaymentsData {
  readonly duckDbPath: string;
  /** For `weir start --data`. */
  readonly weirFolder: string;
}

/** `payments` as the demo creates it, but kept for ever. @param segmentRows Its segments are full: none are merged. */
export function paymentsDefinition(segmentRows?: number): TableDefinition {
  const statement = bindStatement(parseStatement(paymentsTable), {
    catalog: { tables: [], systemTables: [] },
    parameters: [],
    nowMs: 0,
    timeZone: 'UTC',
  });
  if (statement.kind !== 'createTable') throw new Error('the demo creates its table');
  // The demo's retention would drop rows that are as old as these.
  const settings = { ...statement.request.settings, retentionMs: null, ...(segmentRows && { segmentRows }) };
  return defineTable({ ...statement.request, settings }, { id: 'beef00000001', createdAtMs: 0 });
}

/** Made where it is missing, in the folder for temporary files, and kept there for the next run. */
export async function preparePayments(
  rowCount: number,
  progress: Progress,
  segmentCount = paymentsSegmentCount,
): Promise<PaymentsData> {
  const name = `payments-${rowCount}-v${drawVersion}-in-${segmentCount}-full-segments-v${manifestVersion}`;
  const folder = join(tmpdir(), 'weir-bench', name);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    try {
      await makePayments(rowCount, segmentCount, dataIn(unfinished), progress);
      // Another run may have made the same meanwhile.
      if (!existsSync(folder)) await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  return dataIn(folder);
}

const dataIn = (folder: string): PaymentsData => ({
  duckDbPath: join(folder, 'payments.duckdb'),
  weirFolder: join(folder, 'weir'),
});

async function makePayments(
  rowCount: number,
  segmentCount: number,
  { duckDbPath, weirFolder }: PaymentsData,
  progress: Progress,
): Promise<void> {
  const startedMs = performance.now();
  progress.update(`drawing ${formatCount(rowCount)} payments`);
  const duckDb = await openDuckDb(duckDbPath, { threads: 2 });
  try {
    await drawCodes(duckDb, rowCount);
    progress.update("writing DuckDB's table");
    await createDuckDbTable(duckDb);
    await writeWeirFolder(duckDb, Math.ceil(rowCount / segmentCount), weirFolder, done =>
      progress.update(`writing Weir's segments: ${formatCount(done)} of ${formatCount(rowCount)} rows`),
    );
  } finally {
    duckDb.close();
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  progress.done(`made ${formatCount(rowCount)} payments for both engines in ${seconds} s`);
}

async function writeWeirFolder(
  { connection }: DuckDb,
  segmentRows: number,
  weirFolder: string,
  onRows: (done: number) => void,
): Promise<void> {
  const paths = folders(weirFolder);
  await mkdir(paths.store, { recursive: true });
  const store = new DiskStore(nodeDisk, paths.store);
  const meta = await openSqliteMeta(paths.meta);
  try {
    const definition = paymentsDefinition(segmentRows);
    await meta.createTable(definition);
    for await (const rows of segmentsOf(await connection.stream(codesQuery), segmentRows)) {
      const entry = await buildSegment(inputOf(definition, rows), store, { createdAtMs: rows.lastMs });
      await meta.publish(entry);
      onRows(entry.endOffset);
    }
  } finally {
    await meta.close();
  }
}

type CodeStream = Awaited<ReturnType<DuckDb['connection']['stream']>>;

async function* segmentsOf(codes: CodeStream, segmentRows: number): AsyncGenerator<CodeRows, void, void> {
  let rows = new CodeRows(segmentRows, 0);
  let lastMs = Number.NEGATIVE_INFINITY;
  for await (const chunk of codes) {
    for (let start = 0; start < chunk.rowCount; ) {
      start += rows.append(chunk, start);
      if (rows.rowCount < segmentRows) continue;
      if (rows.firstMs < lastMs) throw new Error('DuckDB gave the rows in another order than it drew them');
      lastMs = rows.lastMs;
      yield rows;
      rows = new CodeRows(segmentRows, rows.firstRow + segmentRows);
    }
  }
  if (rows.rowCount > 0) yield rows;
}

export function inputOf(definition: TableDefinition, rows: CodeRows): Parameters<typeof buildSegment>[0] {
  const { firstRow, rowCount } = rows;
  const names = new Map(definition.columns.map(({ id, name }) => [id, name]));
  return {
    definition,
    segmentId: formatSegmentId({
      tableId: definition.id,
      partition: 0,
      startOffset: firstRow,
      attempt: firstRow.toString(16).padStart(8, '0'),
    }),
    partition: 0,
    startOffset: firstRow,
    endOffset: firstRow + rowCount,
    rowCount,
    column: id => {
      if (id === virtualColumns.offset) return rows.offsets();
      if (id === virtualColumns.ingestedAt) return integersOf(TIMESTAMP, rowCount, () => definition.createdAtMs);
      return rows.column(names.get(id)!);
    },
  };
}
