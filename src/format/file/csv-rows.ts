import { fault } from '../../base/fault.ts';
import { type CsvMarks, FieldReader, NullTexts, readRecord, skipBlankLines } from '../csv-record.ts';
import { FieldNames } from '../field-names.ts';
import { batchRowsMax, rowSizeBytesMax } from '../limits.ts';
import type { LineRows } from '../line-rows.ts';
import type { Field } from '../row-sink.ts';
import type { DecodeTarget } from '../target.ts';
import { BatchCounter, rejectLongLine, windowRows } from './text-rows.ts';
import type { TextWindow } from './text-window.ts';
import type { CsvDialect, FileBatch } from './types.ts';

const newline = 10;

export const marksOf = ({ delimiter, quote }: Pick<CsvDialect, 'delimiter' | 'quote'>): CsvMarks => ({
  delimiter: delimiter.charCodeAt(0),
  quote: quote === null ? -1 : quote.charCodeAt(0),
});

/** @throws FaultError INVALID_ROWS where no field is a column of the target */
export async function* readCsvFile(
  name: string,
  window: TextWindow,
  dialect: CsvDialect,
  target: DecodeTarget,
): AsyncGenerator<FileBatch> {
  const places = placesOf(name, dialect, target);
  const marks = marksOf(dialect);
  const counter = new BatchCounter();
  await window.fill();
  let isHeader = dialect.header;
  while (!window.isEmpty) {
    const lines = window.wholeLines();
    let rows: LineRows | null = null;
    if (lines.length > window.from) {
      rows = windowRows(target, window, lines);
      const records = new Records(lines, window, rows, marks, dialect, places);
      if (isHeader) isHeader = !records.skipHeader();
      if (!isHeader) records.read();
      const before = window.from;
      window.moveTo(Math.min(Math.max(records.at, before), window.to));
      if (window.from > before) {
        if (rows.attempt > 0) yield counter.next(rows, window.readBytes);
        continue;
      }
    }
    if (window.isFull) {
      rows = rejectLongLine(target, window);
      await window.skipLine();
      yield counter.next(rows, window.readBytes);
    } else if (window.ended) window.moveTo(window.to);
    else await window.fill();
  }
}

interface Places {
  /** Columns of the target by position in a record; -1 for none. */
  readonly columns: readonly number[];
  readonly nulls: NullTexts;
}

/** Without a header, where no column is called as the fields are, columns are taken in their order. */
function placesOf(file: string, dialect: CsvDialect, target: DecodeTarget): Places {
  const names = new FieldNames(target);
  const byName = dialect.names.map(name => names.find(name));
  const inOrder = !dialect.header && byName.every(column => column < 0);
  // Of two fields of one column the first has it.
  const columns = inOrder
    ? byName.map((_, index) => (index < target.columns.length ? index : -1))
    : byName.map((column, index) => (byName.indexOf(column) < index ? -1 : column));
  if (columns.every(column => column < 0))
    throw fault('INVALID_ROWS', `no field of ${file} is a column of the table`, {
      hint: `its fields are ${dialect.names.join(', ').slice(0, 500)}; the table's columns ${target.columns
        .map(column => column.name)
        .join(', ')
        .slice(0, 500)}`,
    });
  const nulls = columns.map(column => [...dialect.nullTexts, ...(names.readings[column]?.nullTexts ?? [])]);
  return { columns, nulls: new NullTexts(nulls) };
}

class Records {
  /** Where the next record begins. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #rows: LineRows;
  readonly #reader: FieldReader;
  readonly #header: readonly (Field | null)[];
  readonly #nulls: NullTexts;
  readonly #expected: string;
  readonly #ended: boolean;

  constructor(
    bytes: Uint8Array,
    { from, ended }: TextWindow,
    rows: LineRows,
    marks: CsvMarks,
    { header }: CsvDialect,
    { columns, nulls }: Places,
  ) {
    this.at = from;
    this.#bytes = bytes;
    this.#rows = rows;
    this.#reader = new FieldReader(bytes, marks);
    this.#header = columns.map(column => (column < 0 ? null : rows.fields[column]!));
    this.#nulls = nulls;
    this.#expected = header ? 'the header has' : 'the first line has';
    this.#ended = ended;
  }

  /** False where more bytes are needed. */
  skipHeader(): boolean {
    const reader = this.#reader;
    this.at = skipBlankLines(this.#bytes, this.at);
    if (this.at === this.#bytes.length) return false;
    reader.seek(this.at, this.#bytes.length - 1);
    do {
      if (reader.next()) continue;
      if (this.#isCutOff()) return false;
      this.at = this.#bytes.indexOf(newline, this.at) + 1;
      return true;
    } while (!reader.last);
    this.at = reader.at;
    return true;
  }

  read(): void {
    const bytes = this.#bytes;
    const rows = this.#rows;
    const reader = this.#reader;
    for (;;) {
      this.at = skipBlankLines(bytes, this.at);
      if (this.at >= bytes.length || rows.attempt >= batchRowsMax) return;
      const from = this.at;
      const ignoredBefore = rows.ignoredValues;
      rows.begin();
      reader.seek(from, bytes.length - 1);
      if (readRecord(reader, rows, this.#header, this.#expected, this.#nulls)) {
        rows.end(from, reader.at - 1);
        this.at = reader.at;
        continue;
      }
      if (this.#isCutOff()) {
        rows.ignoredValues = ignoredBefore;
        rows.takeBack();
        return;
      }
      // Whatever the quotes claim, the next line may be a good row.
      const end = bytes.indexOf(newline, from);
      rows.end(from, end);
      this.at = end + 1;
    }
  }

  /** The record goes on behind the bytes that are here, and is not too long for that. */
  #isCutOff(): boolean {
    return this.#reader.cutOff && !this.#ended && this.#bytes.length - this.at <= rowSizeBytesMax;
  }
}
