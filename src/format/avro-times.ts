/** Avro's times, which are integers that a logical type explains. */
import { formatDate, formatTimeOfDay, formatTimestampIso, timestampMsMax } from '../column/text.ts';
import { DATE, STRING, TIMESTAMP } from '../column/type.ts';
import type { AvroCursor } from './avro-cursor.ts';
import { AvroReader } from './avro-readers.ts';
import type { JsonText } from './json-text.ts';
import { Malformed } from './malformed.ts';
import type { Reason, Sink } from './sink.ts';

abstract class CountReader extends AvroReader {
  override skip(cursor: AvroCursor): void {
    cursor.long();
  }
}

/** timestamp-* and local-timestamp-*: what is finer than a millisecond is cut. */
export class TimestampReader extends CountReader {
  override readonly type = TIMESTAMP;
  readonly #unitsPerMs: number;

  constructor(unitsPerMs: number) {
    super();
    this.#unitsPerMs = unitsPerMs;
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    const ms = this.#ms(cursor);
    text.raw(Math.abs(ms) > timestampMsMax ? String(ms) : `"${formatTimestampIso(ms)}"`);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    const ms = this.#ms(cursor);
    const { name } = sink.type;
    return name === 'LONG' || name === 'INT' || name === 'DOUBLE' ? sink.integer(ms, row) : sink.timestamp(ms, row);
  }

  #ms(cursor: AvroCursor): number {
    const count = cursor.long();
    if (!Number.isNaN(count)) return Math.floor(count / this.#unitsPerMs);
    const per = BigInt(this.#unitsPerMs);
    const ms = cursor.big / per;
    return Number(ms * per > cursor.big ? ms - 1n : ms);
  }
}

function daysOf(cursor: AvroCursor): number {
  const days = cursor.long();
  if (days !== (days | 0)) throw new Malformed('a date of more than 32 bits');
  return days;
}

export class DateReader extends CountReader {
  override readonly type = DATE;

  override json(cursor: AvroCursor, text: JsonText): void {
    text.raw(`"${formatDate(daysOf(cursor))}"`);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    const days = daysOf(cursor);
    const { name } = sink.type;
    return name === 'LONG' || name === 'INT' ? sink.integer(days, row) : sink.date(days, row);
  }
}

const secondsOfDay = 86_400;

/** time-millis and time-micros: a time of day, which is text, or a count in its own unit in a column of numbers. */
export class TimeReader extends CountReader {
  override readonly type = STRING;
  readonly #unitsPerSecond: number;

  constructor(unitsPerSecond: number) {
    super();
    this.#unitsPerSecond = unitsPerSecond;
  }

  override json(cursor: AvroCursor, text: JsonText): void {
    text.raw(`"${this.#text(this.#count(cursor))}"`);
  }

  protected override scalar(cursor: AvroCursor, sink: Sink, row: number): Reason {
    const count = this.#count(cursor);
    return sink.type.name === 'STRING' ? sink.string(this.#text(count), row) : sink.integer(count, row);
  }

  #count(cursor: AvroCursor): number {
    const count = cursor.long();
    if (!(count >= 0 && count <= secondsOfDay * this.#unitsPerSecond))
      throw new Malformed('a time of day beyond the day');
    return count;
  }

  #text(count: number): string {
    const digits = Math.round(Math.log10(this.#unitsPerSecond));
    const seconds = Math.floor(count / this.#unitsPerSecond);
    return formatTimeOfDay(seconds, count - seconds * this.#unitsPerSecond, digits);
  }
}
