/**
 * CSV (RFC 4180) to batches. The first record names the columns. An empty unquoted field is NULL, `""` an empty text.
 *
 * A tokenizer of our own rather than a library's: quoted and unquoted empty fields must differ, line numbers must be exact
 * inside quoted line breaks, too, a broken row must not take the next ones with it, and fields go to the sinks as bytes.
 */
import { FieldReader, readRecord, skipBlankLines } from './csv-record.ts';
import { capacityFor, withSentinel } from './json.ts';
import { LineRows } from './line-rows.ts';
import type { Field } from './row-sink.ts';
import type { Decoded, DecodeTarget } from './target.ts';

const newline = 10;

const decoder = new TextDecoder();

/** Rows with too few or too many fields, broken quotes or values that do not fit are rejected, one by one. */
export function decodeCsv(input: Uint8Array, target: DecodeTarget): Decoded {
  const bytes = withSentinel(input, newline);
  const size = bytes.length;
  const headerEnd = bytes.indexOf(newline) + 1;
  const rows = new LineRows(target, bytes, capacityFor(size, bytes.indexOf(newline, headerEnd) - headerEnd));
  const reader = new FieldReader(bytes);
  let at = skipBlankLines(bytes, 0);
  if (at === size) return rows.finish();
  reader.seek(at, size - 1);
  const header = readHeader(reader, rows);
  if (typeof header === 'string') {
    rows.begin();
    rows.rejectAt(at, null, header, at, bytes.indexOf(newline, at));
    return rows.finish();
  }
  for (at = skipBlankLines(bytes, reader.at); at < size; at = skipBlankLines(bytes, at)) {
    rows.begin();
    reader.seek(at, size - 1);
    if (readRecord(reader, rows, header, 'the header has')) {
      rows.end(at, reader.at - 1);
      at = reader.at;
    } else {
      // Whatever the quotes claim, the next line may be a good row.
      const end = bytes.indexOf(newline, at);
      rows.end(at, end);
      at = end + 1;
    }
  }
  return rows.finish();
}

/** By position: the column, or null for one that the table does not have. Text: why the header cannot be used. */
function readHeader(reader: FieldReader, rows: LineRows): readonly (Field | null)[] | string {
  const header: (Field | null)[] = [];
  const names: string[] = [];
  do {
    if (!reader.next()) return `the header is broken: ${reader.error}`;
    const name = decoder.decode(reader.source.subarray(reader.from, reader.to)).trim();
    const field = rows.find(name);
    if (field !== null && header.includes(field)) return `the header names column ${field.column.name} twice`;
    header.push(field);
    names.push(name);
  } while (!reader.last);
  if (header.some(field => field !== null)) return header;
  const columns = rows.fields.map(field => field.column.name).join(', ');
  return `the first line must name columns of the table (${columns}), but is: ${names.join(', ').slice(0, 200)}`;
}
