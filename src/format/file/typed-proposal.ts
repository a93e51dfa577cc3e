/** Of formats that have types the schema says what the columns are; a first batch says how the values are. */
import type { Column } from '../../column/column.ts';
import { isPresent } from '../../column/column.ts';
import { isPooled, type Type } from '../../column/type.ts';
import { pooledValue } from '../../column/value.ts';
import { areFew, distinctMax } from '../evidence.ts';
import { sampleRowsMax } from '../limits.ts';
import { arrowBatches } from './arrow-rows.ts';
import { openContainer } from './avro/container.ts';
import { leavesOf, partsOf } from './avro/fields.ts';
import { readMetadata } from './parquet/metadata.ts';
import { fieldsOf } from './parquet/rows.ts';
import type { ProposedField, ProposedFile } from './proposal.ts';
import { readFileRows } from './read.ts';
import type { FileBytes, FileShape } from './types.ts';

interface TypedField {
  readonly path: readonly string[];
  readonly type: Type;
}

export async function proposeTyped(file: FileBytes, shape: FileShape): Promise<ProposedFile> {
  const fields = await fieldsIn(file, shape);
  const columns = fields.map(({ type }, index) => {
    return { id: index + 1, name: `c${index + 1}`, type, nullable: true, defaultValue: null };
  });
  const places = fields.map(({ path }, index) => ({ column: `c${index + 1}`, path, times: null, nullTexts: [] }));
  const sample = fields.length === 0 ? null : await firstBatch(file, { ...shape, fields: places }, { columns });
  const rowCount = Math.min(sample?.rowCount ?? 0, sampleRowsMax);
  return {
    ...{ shape, rowCount, notes: [] },
    fields: fields.map(({ path, type }, index): ProposedField => {
      const column = sample?.columns[index] ?? null;
      return { path, type, times: null, nullTexts: [], note: null, ...factsOf(column, rowCount) };
    }),
  };
}

async function fieldsIn(file: FileBytes, { format, nested }: FileShape): Promise<readonly TypedField[]> {
  if (format === 'parquet') {
    const fields = fieldsOf(await readMetadata(file), nested);
    return fields.map(({ path, node }) => {
      const isPlain = node.kind === 'leaf' && node.repetition !== 'repeated';
      return { path, type: isPlain ? node.leaves[0]!.conversion.proposed : { name: 'JSON' } };
    });
  }
  if (format === 'avro') {
    const { record } = await openContainer(file);
    return leavesOf(partsOf(record, nested)).map(({ path, reader }) => ({ path, type: reader.type }));
  }
  let shown: readonly TypedField[] = [];
  let index = 0;
  // The first batch shows the columns without rows; what a dictionary's entries are, only one with rows does.
  for await (const { columns } of arrowBatches(file, nested, { readBytes: 0 })) {
    shown = columns.map(({ path, column }) => ({ path, type: column.type }));
    if (index++ === 1) break;
  }
  return shown;
}

async function firstBatch(file: FileBytes, shape: FileShape, target: Parameters<typeof readFileRows>[2]) {
  for await (const { batch } of readFileRows(file, shape, target)) return batch;
  return null;
}

function factsOf(column: Column | null, rowCount: number): Pick<ProposedField, 'full' | 'lowCardinality'> {
  if (column === null) return { full: false, lowCardinality: false };
  let present = 0;
  const distinct = new Set<unknown>();
  const isText = isPooled(column.type) && column.type.name === 'STRING' && column.form !== 'fixed';
  for (let row = 0; row < rowCount; row++) {
    if (!isPresent(column.validity, row)) continue;
    present++;
    if (!isText || distinct.size > distinctMax) continue;
    if (column.form === 'dictionary') distinct.add(column.codes[row]);
    else distinct.add(pooledValue(column.type, column.bytes, column.offsets[row]!, column.offsets[row + 1]!));
  }
  return { full: present === rowCount, lowCardinality: isText && areFew(distinct.size, present) };
}
