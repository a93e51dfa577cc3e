/** Sealing: the rows of a consuming segment, as its shard gives them, to the files of a committed one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDisk } from '../src/base/node-disk.ts';
import { virtualColumns } from '../src/catalog/table.ts';
import type { Column } from '../src/column/column.ts';
import { Arena } from '../src/kernel/allocator.ts';
import { buildSegment } from '../src/segment/builder.ts';
import { ConsumingPartition } from '../src/segment/consuming-partition.ts';
import { DiskStore } from '../src/store/disk-store.ts';
import { openDuckDb } from './duckdb.ts';
import { median, timeInTurns } from './measure.ts';
import { CodeRows, codesQuery } from './payments/codes.ts';
import { inputOf, paymentsDefinition } from './payments/data.ts';
import { createDuckDbTable, drawCodes } from './payments/draw.ts';
import { type BenchRow, formatCount } from './row.ts';
import type { Suite } from './suite.ts';

const rowsDefault = 1_000_000;
const rowsSmoke = 20_000;
const rowsPerSecondMin = 1_000_000;
/** As the demo has them. */
const lateShare = 0.03;
/** Rows of one append to the consuming segment. */
const batchRows = 10_000;
const arenaSizeBytes = 1 << 30;

export const sealSuite: Suite = {
  name: 'seal',
  summary: 'a million consuming rows sorted, encoded and written as a segment, beside DuckDB',
  async run({ rows, runs, smoke, progress, note }) {
    const rowCount = rows ?? (smoke ? rowsSmoke : rowsDefault);
    const folder = await mkdtemp(join(tmpdir(), 'weir-seal-'));
    const duckDb = await openDuckDb(':memory:', { threads: 1 });
    try {
      progress.update(`seal: drawing ${formatCount(rowCount)} rows`);
      await drawCodes(duckDb, rowCount, lateShare);
      await createDuckDbTable(duckDb);
      const store = new DiskStore(nodeDisk, folder);
      const definition = paymentsDefinition();
      const columns = await consumingColumns(duckDb, rowCount);
      const empty = inputOf(definition, new CodeRows(0, 0));
      let attempt = 0;
      const seal = () =>
        buildSegment(
          {
            ...empty,
            segmentId: `${empty.segmentId}${attempt++}`,
            rowCount,
            endOffset: rowCount,
            column: id => columns.get(id)!,
          },
          store,
          { createdAtMs: 0 },
        );
      await duckDb.connection.run(`ATTACH '${join(folder, 'seal.duckdb')}' AS sealed`);
      const create = async (): Promise<void> => {
        await duckDb.connection.run(`CREATE TABLE sealed.payments_${attempt++} AS SELECT * FROM payments ORDER BY ts`);
        await duckDb.connection.run('CHECKPOINT sealed');
      };
      progress.update('seal: sealing');
      await timeInTurns([seal, create], 1);
      const times = await timeInTurns([seal, create], runs);
      progress.done('seal: done');
      note(
        `Seal: ${formatCount(rowCount)} rows of 14 columns, indexes and checksums included, written and synced. ` +
          'DuckDB: CREATE TABLE AS SELECT … ORDER BY ts, from memory to a file, with a checkpoint, one thread.',
      );
      const row = (engine: string, index: number): BenchRow => ({
        suite: 'seal',
        query: 'seal',
        rows: rowCount,
        engine,
        medianMs: median(times[index]!),
        minMs: Math.min(...times[index]!),
        answersEqual: true,
        measures: { rowsPerSecond: Math.round((rowCount * 1000) / median(times[index]!)) },
      });
      const weir = { ...row('weir', 0), ratio: median(times[0]!) / median(times[1]!) };
      if (smoke) return [weir, row('duckdb', 1)];
      const isFast = weir.measures!.rowsPerSecond! >= rowsPerSecondMin;
      return [
        {
          ...weir,
          target: { text: `≥ ${formatCount(rowsPerSecondMin)} rows/s`, met: isFast },
        },
        row('duckdb', 1),
      ];
    } finally {
      duckDb.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** By id, as the builder is given them: appended in batches to a consuming segment, rolled, exported. */
async function consumingColumns(
  { connection }: Awaited<ReturnType<typeof openDuckDb>>,
  rowCount: number,
): Promise<Map<number, Column>> {
  const definition = paymentsDefinition();
  const ids = definition.columns.map(({ id }) => id);
  const partition = new ConsumingPartition(new Arena(arenaSizeBytes), definition, 0, 0);
  let batch = new CodeRows(batchRows, 0);
  const append = (): void => {
    const { column } = inputOf(definition, batch);
    const { rowCount, firstRow: startOffset } = batch;
    const origin = { startOffset, endOffset: startOffset + rowCount, ingestedAtMs: 0 };
    partition.append(ids, { rowCount, columns: ids.map(id => column(id) as Column) }, origin);
    batch = new CodeRows(batchRows, batch.firstRow + batch.rowCount);
  };
  for await (const chunk of await connection.stream(codesQuery))
    for (let start = 0; start < chunk.rowCount; ) {
      start += batch.append(chunk, start);
      if (batch.rowCount === batchRows) append();
    }
  if (batch.rowCount > 0) append();
  const { startOffset, endOffset } = partition.roll();
  if (endOffset !== rowCount) throw new Error(`${endOffset} rows were appended, not ${rowCount}`);
  return new Map(
    [virtualColumns.offset, virtualColumns.ingestedAt, ...ids].map(id => [id, partition.exportColumn(startOffset, id)]),
  );
}
