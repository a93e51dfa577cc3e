/**
 * The three forms of an answer. Each makes an unfinished answer impossible to mistake for a finished one:
 *
 * - JSON    `{"columns": …, "rows": […], "complete": true, …}`; after a failure `"complete": false, "error": {…}`, and the
 *           connection breaks before the body's end.
 * - NDJSON  a header object, an array a row, a trailer object; after a failure the last line is `{"error": {…}}`.
 * - CSV     has no place for an error: the connection breaks before the body's end.
 */
import { assert } from '../base/assert.ts';
import { type Fault, fault } from '../base/fault.ts';
import type { Batch } from '../column/column.ts';
import { typeText } from '../column/type.ts';
import type { QueryTrailer, ResultColumn } from '../wire/broker-calls.ts';
import { type CellStyle, cellWriter, writeCsvField } from './cells.ts';
import type { ByteSink } from './sink.ts';
import { errorAnswer } from './status.ts';

export type AnswerFormat = 'json' | 'ndjson' | 'csv';

export const answerTypes: Readonly<Record<AnswerFormat, string>> = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

export interface AnswerWriter {
  begin(columns: readonly ResultColumn[]): void;
  /** Rows from `startRow` until the sink holds `sizeBytesMax`; the row to go on with. */
  writeRows(batch: Batch, startRow: number, sizeBytesMax: number): number;
  end(trailer: QueryTrailer): void;
  /** After `begin`. @returns whether the connection must break to show that the answer is not whole */
  fail(fault: Fault): boolean;
}

export function createAnswerWriter(format: AnswerFormat, sink: ByteSink, queryId: string): AnswerWriter {
  switch (format) {
    case 'json':
      return jsonWriter(sink, queryId);
    case 'ndjson':
      return ndjsonWriter(sink, queryId);
    case 'csv':
      return csvWriter(sink);
  }
}

const columnsJson = (columns: readonly ResultColumn[]): string =>
  JSON.stringify(columns.map(({ name, type }) => ({ name, type: typeText(type) })));

/** The trailer's members; `missing` only where something is. */
const trailerJson = ({ complete, missing, freshness, stats }: QueryTrailer, queryId: string): string =>
  JSON.stringify({ complete, ...(missing.length > 0 && { missing }), freshness, stats, queryId }).slice(1);

/** Calls `before(row)`, the cells of each row with commas between, and `after()`. */
function writeCells(
  batch: Batch,
  style: CellStyle,
  sink: ByteSink,
  startRow: number,
  sizeBytesMax: number,
  before: () => void,
  after: () => void,
): number {
  const writers = batch.columns.map(column => cellWriter(column, style, sink));
  const comma = 0x2c;
  let row = startRow;
  for (; row < batch.rowCount && sink.length < sizeBytesMax; row++) {
    before();
    for (let index = 0; index < writers.length; index++) {
      if (index > 0) sink.byte(comma);
      writers[index]!(row);
    }
    after();
  }
  return row;
}

function jsonWriter(sink: ByteSink, queryId: string): AnswerWriter {
  let first = true;
  const before = (): void => {
    sink.ascii(first ? '\n[' : ',\n[');
    first = false;
  };
  const after = (): void => sink.ascii(']');
  return {
    begin: columns => sink.text(`{"columns":${columnsJson(columns)},"rows":[`),
    writeRows: (batch, startRow, sizeBytesMax) =>
      writeCells(batch, 'json', sink, startRow, sizeBytesMax, before, after),
    end: trailer => sink.text(`],${trailerJson(trailer, queryId)}\n`),
    fail(failure) {
      sink.text(`],"complete":false,${JSON.stringify(errorAnswer(failure, queryId)).slice(1)}\n`);
      return true;
    },
  };
}

function ndjsonWriter(sink: ByteSink, queryId: string): AnswerWriter {
  const before = (): void => sink.ascii('[');
  const after = (): void => sink.ascii(']\n');
  return {
    begin: columns => sink.text(`{"columns":${columnsJson(columns)},"queryId":${JSON.stringify(queryId)}}\n`),
    writeRows: (batch, startRow, sizeBytesMax) =>
      writeCells(batch, 'json', sink, startRow, sizeBytesMax, before, after),
    end: trailer => sink.text(`{${trailerJson(trailer, queryId)}\n`),
    fail(failure) {
      sink.text(`${JSON.stringify(errorAnswer(failure, queryId))}\n`);
      return false;
    },
  };
}

function csvWriter(sink: ByteSink): AnswerWriter {
  const encoder = new TextEncoder();
  const before = (): void => {};
  const after = (): void => sink.ascii('\r\n');
  return {
    begin(columns) {
      columns.forEach(({ name }, index) => {
        if (index > 0) sink.ascii(',');
        const bytes = encoder.encode(name);
        writeCsvField(sink, bytes, 0, bytes.length);
      });
      if (columns.length > 0) sink.ascii('\r\n');
    },
    writeRows: (batch, startRow, sizeBytesMax) => writeCells(batch, 'csv', sink, startRow, sizeBytesMax, before, after),
    end: trailer => assert(trailer.complete, 'a partial answer is never CSV'),
    fail: () => true,
  };
}

const formatsByType: Readonly<Record<string, AnswerFormat>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
  'text/*': 'csv',
};

/**
 * The form that an `Accept` header prefers; JSON where there is none.
 * @throws FaultError INVALID_REQUEST where it accepts none of them
 */
export function chooseFormat(accept: string | undefined): AnswerFormat {
  if (accept === undefined || accept.trim() === '') return 'json';
  const choices = accept
    .split(',')
    .map(part => {
      const [type, ...parameters] = part.split(';').map(text => text.trim().toLowerCase());
      const weight = parameters.find(parameter => parameter.startsWith('q='));
      return { format: formatsByType[type!], weight: weight === undefined ? 1 : Number(weight.slice(2)) };
    })
    .filter(({ format, weight }) => format !== undefined && weight > 0)
    .sort((a, b) => b.weight - a.weight);
  if (choices.length > 0) return choices[0]!.format!;
  throw fault('INVALID_REQUEST', `no answer can be given as ${JSON.stringify(accept.slice(0, 200))}`, {
    hint: 'Accept one of application/json, application/x-ndjson, text/csv',
  });
}
