/** The first records of a CSV text, as texts. */
import { FieldReader, skipBlankLines } from '../csv-record.ts';
import { marksOf } from './csv-rows.ts';
import type { CsvDialect } from './types.ts';

const newline = 10;
const decoder = new TextDecoder();

export class CsvSample {
  /** Lines that are no record in this dialect. */
  brokenCount = 0;
  /** Fields in quotes. */
  quotedCount = 0;
  readonly #bytes: Uint8Array;
  readonly #reader: FieldReader;

  /** @param ended The text ends with its last byte; else its last line is left out. */
  constructor(text: Uint8Array, ended: boolean, dialect: Pick<CsvDialect, 'delimiter' | 'quote'>) {
    const whole = ended ? text : text.subarray(0, text.lastIndexOf(newline) + 1);
    this.#bytes = new Uint8Array(whole.length + 1);
    this.#bytes.set(whole);
    this.#bytes[whole.length] = newline;
    this.#reader = new FieldReader(this.#bytes, marksOf(dialect));
  }

  /** At most so many. A field that is empty and not quoted is null. */
  records(countMax: number): (string | null)[][] {
    const bytes = this.#bytes;
    const records: (string | null)[][] = [];
    for (let at = skipBlankLines(bytes, 0); at < bytes.length; at = skipBlankLines(bytes, at)) {
      if (records.length + this.brokenCount >= countMax) break;
      const record = this.#record(at);
      if (record === null) {
        this.brokenCount++;
        at = bytes.indexOf(newline, at) + 1;
      } else {
        records.push(record);
        at = this.#reader.at;
      }
    }
    return records;
  }

  #record(at: number): (string | null)[] | null {
    const reader = this.#reader;
    reader.seek(at, this.#bytes.length - 1);
    const record: (string | null)[] = [];
    do {
      if (!reader.next()) return null;
      const { source, from, to, quoted } = reader;
      if (quoted) this.quotedCount++;
      record.push(from === to && !quoted ? null : decoder.decode(source.subarray(from, to)));
    } while (!reader.last);
    return record;
  }
}
