/** Arrays of objects, however long, and objects one after another. */
import { kindOf } from '../json.ts';
import { describeSyntaxError, JsonRowReader } from '../json-row.ts';
import { batchRowsMax, rowSizeBytesMax } from '../limits.ts';
import type { LineRows } from '../line-rows.ts';
import { skipSpace, skipValue } from '../scan.ts';
import type { DecodeTarget } from '../target.ts';
import { BatchCounter, windowRows } from './text-rows.ts';
import type { TextWindow } from './text-window.ts';
import type { FileBatch } from './types.ts';

const openBracket = 91;
const closeBracket = 93;
const comma = 44;

/** What breaks JSON's grammar ends the file, as a reject: the rows before it stand. */
export async function* readJsonFile(window: TextWindow, target: DecodeTarget): AsyncGenerator<FileBatch> {
  const counter = new BatchCounter();
  const place = { inArray: false, afterValue: false };
  await window.fill();
  while (!window.isEmpty) {
    // Part of no token: no scanner reads past it.
    window.bytes[window.to] = 0;
    const rows = windowRows(target, window, window.bytes.subarray(0, window.to + 1));
    const values = new Values(window, rows, place);
    values.read();
    window.moveTo(values.at);
    if (rows.attempt > 0) yield counter.next(rows, window.readBytes);
    if (values.broken) return;
    if (values.needsMore) await window.fill();
  }
}

/** Between values: what may come next. */
interface Place {
  inArray: boolean;
  afterValue: boolean;
}

class Values {
  at: number;
  /** Nothing after this can be read. */
  broken = false;
  needsMore = false;
  readonly #bytes: Uint8Array;
  readonly #window: TextWindow;
  readonly #rows: LineRows;
  readonly #reader: JsonRowReader;
  readonly #place: Place;

  constructor(window: TextWindow, rows: LineRows, place: Place) {
    this.at = window.from;
    this.#bytes = rows.bytes;
    this.#window = window;
    this.#rows = rows;
    this.#reader = new JsonRowReader(this.#bytes, rows, true);
    this.#place = place;
  }

  read(): void {
    const { ended, to } = this.#window;
    const place = this.#place;
    while (!this.broken && !this.needsMore && this.#rows.attempt < batchRowsMax) {
      this.at = skipSpace(this.#bytes, this.at, true);
      if (this.at >= to) {
        if (!ended) this.needsMore = true;
        else if (place.inArray) this.#break(to);
        return;
      }
      const byte = this.#bytes[this.at];
      if (place.inArray && byte === closeBracket) {
        this.at++;
        place.inArray = false;
        place.afterValue = false;
      } else if (place.afterValue && byte === comma && place.inArray) {
        this.at++;
        place.afterValue = false;
      } else if (place.inArray && place.afterValue) this.#break(this.at);
      else if (!place.inArray && byte === openBracket) {
        this.at++;
        place.inArray = true;
        place.afterValue = false;
      } else this.#value();
    }
  }

  #value(): void {
    const { ended, to } = this.#window;
    const bytes = this.#bytes;
    const rows = this.#rows;
    const from = this.at;
    const ignoredBefore = rows.ignoredValues;
    rows.begin();
    const isObject = bytes[from] === 123;
    const end = isObject ? this.#reader.read(from) : skipValue(bytes, from, true);
    const reached = end < 0 ? ~end : end;
    if (reached >= to && !ended && to - from <= rowSizeBytesMax) {
      rows.ignoredValues = ignoredBefore;
      rows.takeBack();
      this.needsMore = true;
      return;
    }
    if (end < 0) {
      this.#break(reached);
      return;
    }
    if (!isObject) rows.fail(null, `${kindOf(bytes[from]!)} where a JSON object is expected`);
    rows.end(from, end);
    this.at = end;
    this.#place.afterValue = true;
  }

  #break(at: number): void {
    const { ended, to } = this.#window;
    const rows = this.#rows;
    if (rows.attempt === 0 || this.#place.afterValue) rows.begin();
    const reason =
      at >= to && !ended
        ? `the value has more than ${to - this.at} bytes, and the limit is ${rowSizeBytesMax}`
        : describeSyntaxError(this.#bytes, at, this.at, at >= to);
    rows.rejectAt(at, null, `${reason}; nothing after it was read`, this.at, to);
    this.at = to;
    this.broken = true;
  }
}
