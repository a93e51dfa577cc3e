/** What the values of one field, in a sample, say of the type that its column should have. */
import { parseDate, parseTimestamp } from '../column/text.ts';
import { BOOLEAN, DATE, DOUBLE, decimal, JSON_TYPE, LONG, STRING, TIMESTAMP, type Type, UUID } from '../column/type.ts';
import { asciiText } from './excerpt.ts';
import { scalarTextSizeMax } from './limits.ts';
import { exactInteger, nearestDouble } from './numeral.ts';
import { unescapeString } from './scan.ts';
import { isDayAlone, parseSpelledTime, type TimeSpelling } from './time-spelling.ts';

type Kind = 'boolean' | 'integer' | 'big' | 'number' | 'timestamp' | 'date' | 'spelled' | 'uuid' | 'text' | 'nested';

/** `json`: what a table of JSON messages can have. `file`: times in any spelling, DECIMAL and UUID, too. */
export type Reach = 'json' | 'file';

export interface Judgement {
  readonly type: Type;
  readonly times: TimeSpelling | null;
  readonly nullTexts: readonly string[];
  /** Why it is no other type, where that is worth telling. */
  readonly note: string | null;
}

/** Names that event time goes by, the likeliest first; compared without case and underscores. */
const timeNames = [
  ...['ts', 'time', 'timestamp', 'eventtime', 'eventtimestamp', 'datetime', 'createdat', 'created', 'date'],
];

export const timeRank = (name: string): number => {
  const rank = timeNames.indexOf(name.toLowerCase().replaceAll('_', ''));
  return rank < 0 ? timeNames.length : rank;
};

const timeEnding =
  /(?:^|[_\-. ])(?:ts|time|timestamp|datetime|at|epoch|utc)(?:_?(?:s|sec|ms|millis|us|micros|ns|nanos))?$/i;
const timeHump = /[a-z](?:Ts|Time|Timestamp|At|Epoch)(?:S|Sec|Ms|Millis|Us|Micros|Ns|Nanos)?$/;

/** A name such as `ts`, `created_at`, `eventTimeMs`. */
export const suggestsTime = (name: string): boolean =>
  timeRank(name) < timeNames.length || timeEnding.test(name) || timeHump.test(name);

/** 2001 to 2100 in seconds: integers in here, under a name that suggests time, are taken for it; in finer units likewise. */
const epochSeconds = { min: 978_307_200, max: 4_102_444_800 };
const epochUnits = [
  [1, 'epoch seconds'],
  [1e3, null],
  [1e6, 'epoch microseconds'],
  [1e9, 'epoch nanoseconds'],
] as const;

const textSpellings = ['yyyy/mm/dd', 'mm/dd/yyyy', 'dd/mm/yyyy', 'rfc2822'] as const;

/** NULL in a column whose other values have a type; a value where they are text. */
export const absentTexts = ['NA', 'N/A', 'na', 'n/a', 'null', 'None', '#N/A', '-'];

/** Strings of a column that are told apart; of more it is known only that they are many. */
export const distinctMax = 1000;
/** Rows that each distinct string must have, and strings that there must be, for them to be few. */
const rowsPerDistinctMin = 8;
const fewFromRows = 100;

/** Whether `count` strings with so many distinct ones among them repeat enough for an inverted index. */
export const areFew = (distinctCount: number, count: number): boolean =>
  count >= fewFromRows && distinctCount <= distinctMax && distinctCount * rowsPerDistinctMin <= count;

/** DECIMAL's digits. */
const digitsMax = 38;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const decoder = new TextDecoder();

export class Evidence {
  /** Values that are there. */
  count = 0;
  readonly #kinds = new Set<Kind>();
  readonly #absent = new Set<string>();
  readonly #distinct = new Set<string>();
  /** Spellings that all spelled times have; null before the first. */
  #spellings: readonly TimeSpelling[] | null = null;
  #daysAlone = true;
  /** Position in `epochUnits`; -1: not all are within one. */
  #epochUnit: number | null = null;
  #digits = 0;
  #leadingZero: string | null = null;
  #example = '';

  /** Few distinct strings. */
  get isLowCardinality(): boolean {
    return areFew(this.#distinct.size, this.count);
  }

  /** A JSON value, grammatical, bytes[from..to). */
  addJson(bytes: Uint8Array, from: number, to: number): void {
    switch (bytes[from]) {
      case 110:
        return;
      case 116:
      case 102:
        this.#add('boolean');
        return;
      case 123:
      case 91:
        this.#add('nested');
        return;
      case 34:
        this.#addText(to - from > scalarTextSizeMax ? null : stringOf(bytes, from, to));
        return;
      default:
        this.#addNumeral(asciiText(bytes, from, to));
    }
  }

  /** A field of CSV that is not NULL: its text says what it is. */
  addField(text: string): void {
    if (absentTexts.includes(text)) {
      this.#absent.add(text);
      this.#note(text);
      return;
    }
    if (text.length > scalarTextSizeMax) this.#addText(null);
    else if (/^(?:true|false)$/i.test(text)) this.#add('boolean');
    else if (/^\s*[+-]?0\d/.test(text) && exactInteger(text) !== null) {
      this.#leadingZero = text;
      this.#addText(text);
    } else if (/^\s*[+-]?[\d.]/.test(text) && nearestDouble(text) !== null) this.#addNumeral(text);
    else if (/^nan$/i.test(text)) this.#add('number');
    else this.#addText(text);
  }

  #add(kind: Kind): void {
    this.count++;
    this.#kinds.add(kind);
  }

  #note(text: string): void {
    if (this.#distinct.size <= distinctMax) this.#distinct.add(text);
    this.#example ||= text;
  }

  #addNumeral(text: string): void {
    this.#note(text);
    const value = Number(text);
    const unit = epochUnits.findIndex(([per]) => value >= epochSeconds.min * per && value <= epochSeconds.max * per);
    this.#epochUnit = this.#epochUnit === null || this.#epochUnit === unit ? unit : -1;
    if (/[.eE]/.test(text)) {
      this.#add('number');
      return;
    }
    this.#digits = Math.max(this.#digits, text.replace(/^[+-]?0*/, '').length);
    this.#add(typeof exactInteger(text) === 'bigint' ? 'integer' : 'big');
  }

  /** null: too long to be anything else. */
  #addText(text: string | null): void {
    this.#note(text ?? `${this.count}`);
    this.#add(text === null ? 'text' : this.#kindOfText(text));
  }

  #kindOfText(text: string): Kind {
    if (parseDate(text) !== null) return 'date';
    if (parseTimestamp(text) !== null) return 'timestamp';
    if (uuidPattern.test(text)) return 'uuid';
    if (this.#spellings?.length === 0 || this.#kinds.has('text')) return 'text';
    const fits = (this.#spellings ?? textSpellings).filter(spelling => parseSpelledTime(spelling, text) !== null);
    if (fits.length === 0 && this.#spellings === null) return 'text';
    this.#spellings = fits;
    this.#daysAlone &&= isDayAlone(text);
    return fits.length === 0 ? 'text' : 'spelled';
  }

  judge(name: string, reach: Reach): Judgement {
    const judgement = this.#judge(name, reach);
    const isText = judgement.type === STRING;
    return { ...judgement, nullTexts: isText ? [] : [...this.#absent] };
  }

  #judge(name: string, reach: Reach): Omit<Judgement, 'nullTexts'> {
    const kinds = this.#kinds;
    const only = (...allowed: Kind[]): boolean => kinds.size > 0 && [...kinds].every(kind => allowed.includes(kind));
    const as = (type: Type, times: TimeSpelling | null = null, note: string | null = null) => ({ type, times, note });
    if (kinds.has('nested')) return as(JSON_TYPE);
    if (only('boolean')) return as(BOOLEAN);
    if (only('integer', 'number')) return this.#judgeNumbers(name, reach, kinds);
    if (only('integer', 'big'))
      return reach === 'json' || this.#digits > digitsMax
        ? as(STRING, null, reach === 'json' ? null : `integers of ${this.#digits} digits stay text`)
        : as(decimal(digitsMax, 0), null, 'integers beyond 64 bits are DECIMAL');
    if (only('integer', 'big', 'number')) return as(DOUBLE);
    if (only('date')) return as(DATE);
    if (only('date', 'timestamp')) return as(TIMESTAMP);
    if (reach === 'json') return as(STRING);
    if (only('uuid')) return as(UUID);
    if (only('spelled', 'date', 'timestamp')) return this.#judgeSpelled(only('spelled', 'date') && this.#daysAlone);
    if (this.#leadingZero !== null && !kinds.has('timestamp'))
      return as(STRING, null, `values such as ${this.#leadingZero} begin with a zero: they stay text`);
    return as(STRING);
  }

  #judgeNumbers(name: string, reach: Reach, kinds: ReadonlySet<Kind>): Omit<Judgement, 'nullTexts'> {
    const [, times] = epochUnits[this.#epochUnit ?? -1] ?? [];
    const isWhole = !kinds.has('number');
    if (times !== undefined && suggestsTime(name) && (isWhole || times === 'epoch seconds'))
      if (reach === 'file' || times === null)
        return { type: TIMESTAMP, times, note: times === null ? null : `read as ${times} by its name and range` };
    return { type: isWhole ? LONG : DOUBLE, times: null, note: null };
  }

  #judgeSpelled(isDay: boolean): Omit<Judgement, 'nullTexts'> {
    const spellings = this.#spellings ?? [];
    if (spellings.length === 1) {
      const [times] = spellings as [TimeSpelling];
      return { type: isDay ? DATE : TIMESTAMP, times, note: `times such as ${this.#example} are read as ${times}` };
    }
    const note = `times such as ${this.#example} may be month/day or day/month: they stay text`;
    return { type: STRING, times: null, note };
  }
}

/** Unescaped, of a JSON string with its quotes. */
export function stringOf(bytes: Uint8Array, from: number, to: number): string {
  const text = new Uint8Array(to - from);
  return decoder.decode(text.subarray(0, unescapeString(bytes, from + 1, to - 1, text)));
}
