/** A table for files, out of their beginnings. */
import { fault } from '../../base/fault.ts';
import { Evidence } from '../evidence.ts';
import { FieldTree } from '../field-tree.ts';
import { sampleFilesMax, sampleRowsMax } from '../limits.ts';
import { skipSpace, skipValue } from '../scan.ts';
import { CsvSample } from './csv-sample.ts';
import { type ProposedField, type ProposedFile, proposeTable } from './proposal.ts';
import { readSample } from './sniff.ts';
import { proposeTyped } from './typed-proposal.ts';
import type { FileBytes, FileShape, InferredFileTable } from './types.ts';

/**
 * A proposal out of a bounded sample: the first rows of the first files. Columns stand in the order in which their fields
 * appear; all are nullable (a sample proves no NOT NULL), but for a time column that every row has. What is ambiguous
 * stays text, with a note.
 * @param shapes Of `sniffFile`, one for each file. What was found is in the shapes that the answer holds.
 * @throws FaultError INVALID_ROWS for files without a single row, and as `readFileRows`
 */
export async function inferFile(files: readonly FileBytes[], shapes: readonly FileShape[]): Promise<InferredFileTable> {
  const proposals: ProposedFile[] = [];
  for (const [index, file] of files.slice(0, sampleFilesMax).entries())
    proposals.push(await proposeFile(file, shapes[index]!));
  const table = proposeTable(proposals);
  const isText = shapes.some(({ format }) => format === 'csv' || format === 'ndjson' || format === 'json');
  if (table.columns.length === 0 || (isText && table.rowCount === 0))
    throw fault(
      'INVALID_ROWS',
      `no rows were found in ${files
        .map(({ name }) => name)
        .join(', ')
        .slice(0, 500)}`,
      {
        hint: 'a table needs at least one row of a sample; or create it with CREATE TABLE',
      },
    );
  const { fields } = table.shapes[0]!;
  const rest = shapes.slice(sampleFilesMax).map(shape => ({ ...shape, fields }));
  return { ...table, shapes: [...table.shapes, ...rest] };
}

async function proposeFile(file: FileBytes, shape: FileShape): Promise<ProposedFile> {
  switch (shape.format) {
    case 'csv':
      return proposeCsv(file, shape);
    case 'ndjson':
    case 'json':
      return proposeJson(file, shape);
    default:
      return proposeTyped(file, shape);
  }
}

async function proposeCsv(file: FileBytes, shape: FileShape): Promise<ProposedFile> {
  const { text, ended } = await readSample(file, shape.compression);
  const dialect = shape.dialect!;
  const sample = new CsvSample(text, ended, dialect);
  const records = sample.records(sampleRowsMax + 1).slice(dialect.header ? 1 : 0);
  const rows = records.filter(({ length }) => length === dialect.names.length);
  const evidence = dialect.names.map(() => new Evidence());
  for (const row of rows)
    row.forEach((value, index) => {
      if (value !== null && !dialect.nullTexts.includes(value)) evidence[index]!.addField(value);
    });
  const fields = dialect.names.map((name, index) => proposed([name], evidence[index]!, rows.length));
  const notes = [dialectNote(shape)];
  const bad = records.length - rows.length + sample.brokenCount;
  if (bad > 0)
    notes.push(
      `${bad} of the first ${records.length + sample.brokenCount} rows do not have ${dialect.names.length} fields`,
    );
  return { shape, fields, rowCount: rows.length, notes };
}

function dialectNote({ dialect }: FileShape): string {
  const { delimiter, quote, header } = dialect!;
  const fields = delimiter === '\t' ? 'tabs' : delimiter;
  return `CSV with fields between ${fields}, ${quote === null ? 'no quotes' : `quotes ${quote}`}, ${
    header ? 'names in the first line' : 'no names: c1, c2 …'
  }`;
}

async function proposeJson(file: FileBytes, shape: FileShape): Promise<ProposedFile> {
  const { text } = await readSample(file, shape.compression);
  // Part of no token: no scanner reads past it.
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text);
  const tree = new FieldTree(shape.nested === 'flatten');
  for (let at = 0; at < text.length && tree.rowCount < sampleRowsMax; ) {
    at = skipSpace(bytes, at, true);
    if (bytes[at] !== 123) {
      // A bracket or a comma around the objects; of what is none of these, the next byte may be.
      at++;
      continue;
    }
    const end = skipValue(bytes, at, true);
    if (end >= 0) tree.addObject(bytes, at, true);
    const lineEnd = bytes.indexOf(10, at);
    at = end >= 0 ? end : lineEnd < 0 || shape.format === 'json' ? text.length : lineEnd;
  }
  const fields = tree.leaves().map(({ path, evidence, isMixed }) => {
    const field = proposed(path, evidence, tree.rowCount);
    return isMixed
      ? { ...field, type: { name: 'JSON' as const }, note: 'objects and other values: it stays JSON' }
      : field;
  });
  return { shape, fields, rowCount: tree.rowCount, notes: [] };
}

function proposed(path: readonly string[], evidence: Evidence, rowCount: number): ProposedField {
  const { type, times, nullTexts, note } = evidence.judge(path.at(-1)!, 'file');
  const isText = type.name === 'STRING';
  return {
    ...{ path, type: evidence.count === 0 ? null : type, times, nullTexts, note },
    ...{ full: evidence.count === rowCount, lowCardinality: isText && evidence.isLowCardinality },
  };
}
