/** Sinks of times that the input spells in a way of its own. Any other spelling is read as by the plain sinks. */
import { dayMs } from '../column/text.ts';
import type { Type } from '../column/type.ts';
import { asciiText } from './excerpt.ts';
import { DateSink, TimestampSink } from './fixed-sinks.ts';
import { scalarTextSizeMax } from './limits.ts';
import type { Reason, Sink } from './sink.ts';
import { parseSpelledTime, type TimeSpelling } from './time-spelling.ts';

const spelledMs = (times: TimeSpelling, bytes: Uint8Array, from: number, to: number): number | null =>
  to - from > scalarTextSizeMax ? null : parseSpelledTime(times, asciiText(bytes, from, to));

class SpelledTimestampSink extends TimestampSink {
  readonly #times: TimeSpelling;

  constructor(type: Type, capacity: number, times: TimeSpelling) {
    super(type, capacity);
    this.#times = times;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const ms = spelledMs(this.#times, bytes, from, to);
    return ms === null ? super.text(bytes, from, to, row) : this.timestamp(ms, row);
  }

  override number(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const ms = spelledMs(this.#times, bytes, from, to);
    return ms === null ? super.number(bytes, from, to, row) : this.timestamp(ms, row);
  }
}

class SpelledDateSink extends DateSink {
  readonly #times: TimeSpelling;

  constructor(type: Type, capacity: number, times: TimeSpelling) {
    super(type, capacity);
    this.#times = times;
  }

  override text(bytes: Uint8Array, from: number, to: number, row: number): Reason {
    const ms = spelledMs(this.#times, bytes, from, to);
    return ms === null ? super.text(bytes, from, to, row) : this.date(Math.floor(ms / dayMs), row);
  }
}

/** @param type TIMESTAMP or DATE */
export const createSpelledSink = (type: Type, capacity: number, times: TimeSpelling): Sink =>
  type.name === 'DATE' ? new SpelledDateSink(type, capacity, times) : new SpelledTimestampSink(type, capacity, times);
