/** Functions over moments: now, date_trunc, extract, date_bin, epochs. */
import { dayMs, timestampMsMax } from '../column/text.ts';
import { DATE, DOUBLE, INTERVAL, type Interval, LONG, TIMESTAMP } from '../column/type.ts';
import type { Nulls, StringVector, Vector } from '../column/vector.ts';
import {
  binTimestamp,
  checkTimestamp,
  extractField,
  extractFromDays,
  extractFromInterval,
  extractFromTime,
  type Field,
  fieldOf,
  truncDays,
  truncInterval,
  truncStepMs,
  truncTimestamp,
  type Unit,
  unitOf,
} from './datetime.ts';
import { invalidArgument, valueOverflow } from './errors.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import { entryText } from './strings.ts';
import {
  intervalsOf,
  intervalVector,
  isConstant,
  type NumberVector,
  numbersOf,
  numberVector,
  unionNulls,
} from './vectors.ts';

type Evaluate = ScalarFunction['evaluate'];

const isPresentRow = (nulls: Nulls, row: number): boolean => nulls === null || nulls[row] === 0;

/** A row that is not NULL, for what is constant but must not be looked at where there is none; -1 for none. */
function firstPresent(nulls: Nulls, length: number): number {
  for (let row = 0; row < length; row++) if (isPresentRow(nulls, row)) return row;
  return -1;
}

function unitNamed(name: string, what: string): Unit {
  const unit = unitOf(name);
  if (unit === null)
    throw invalidArgument(
      `unit "${name.slice(0, 50)}" not recognized for type ${what}`,
      'units are millisecond, second, minute, hour, day, week, month, quarter, year, decade, century, millennium',
    );
  return unit;
}

function fieldNamed(name: string, what: string): Field {
  const field = fieldOf(name);
  if (field === null)
    throw invalidArgument(
      `unit "${name.slice(0, 50)}" not recognized for type ${what}`,
      'fields are year, quarter, month, week, day, hour, minute, second, millisecond, epoch, dow, isodow, doy, isoyear, decade, century, millennium',
    );
  return field;
}

/** Floors every row to a step of fixed length. */
function truncToStep(values: Float64Array, stepMs: number, originMs: number, length: number): Float64Array {
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++) out[row] = Math.floor((values[row]! - originMs) / stepMs) * stepMs + originMs;
  return out;
}

/** Months and longer: neighbouring rows mostly lie in one day, so each new day is computed once. */
function truncToCalendar(values: Float64Array, unit: Unit, length: number): Float64Array {
  const out = new Float64Array(length);
  let lastDay = Number.NaN;
  let startMs = 0;
  for (let row = 0; row < length; row++) {
    const day = Math.floor(values[row]! / dayMs);
    if (day !== lastDay) {
      lastDay = day;
      startMs = truncDays(day, unit) * dayMs;
    }
    out[row] = startMs;
  }
  return out;
}

const truncTimestamps: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const names = args[0] as StringVector;
  const values = numbersOf(args[1]!);
  const read = (row: number): Unit => unitNamed(entryText(names.pool, names.ids[row]!), 'TIMESTAMP');
  const first = firstPresent(nulls, length);
  if (first >= 0 && isConstant(names, length)) {
    const unit = read(first);
    const step = truncStepMs(unit);
    const out = step ? truncToStep(values, step.stepMs, step.originMs, length) : truncToCalendar(values, unit, length);
    return checkMoments(out, length, nulls);
  }
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++)
    if (isPresentRow(nulls, row)) out[row] = truncTimestamp(read(row), values[row]!);
  return checkMoments(out, length, nulls);
};

function checkMoments(out: Float64Array, length: number, nulls: Nulls): NumberVector {
  for (let row = 0; row < length; row++)
    if (!(Math.abs(out[row]!) <= timestampMsMax)) {
      if (isPresentRow(nulls, row)) checkTimestamp(out[row]!);
      out[row] = 0;
    }
  return numberVector(out, length, nulls);
}

const truncIntervals: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const names = args[0] as StringVector;
  const values = intervalsOf(args[1]!);
  const out = new Array<Interval>(length).fill({ months: 0, days: 0, ms: 0 });
  for (let row = 0; row < length; row++) {
    if (!isPresentRow(nulls, row)) continue;
    const unit = unitNamed(entryText(names.pool, names.ids[row]!), 'INTERVAL');
    const truncated = truncInterval(unit, values[row]!);
    if (truncated === null)
      throw invalidArgument(`unit "${unit}" not supported for type INTERVAL`, 'months have fractional weeks');
    out[row] = truncated;
  }
  return intervalVector(out, length, nulls);
};

/** One field of every row; fields of the date are computed once a run of rows of one day. */
function extractRows(values: Float64Array, field: Field, length: number): Float64Array {
  const out = new Float64Array(length);
  let lastDay = Number.NaN;
  let lastValue: number | null = null;
  for (let row = 0; row < length; row++) {
    const ms = values[row]!;
    const day = Math.floor(ms / dayMs);
    if (day !== lastDay) {
      lastDay = day;
      lastValue = extractFromDays(field, day);
    }
    out[row] = lastValue ?? (field === 'epoch' ? ms / 1000 : extractFromTime(field, ms - day * dayMs));
  }
  return out;
}

const extractTimestamps: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const names = args[0] as StringVector;
  const values = numbersOf(args[1]!);
  const read = (row: number): Field => fieldNamed(entryText(names.pool, names.ids[row]!), 'TIMESTAMP');
  const first = firstPresent(nulls, length);
  if (first >= 0 && isConstant(names, length))
    return numberVector(extractRows(values, read(first), length), length, nulls);
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++) if (isPresentRow(nulls, row)) out[row] = extractField(read(row), values[row]!);
  return numberVector(out, length, nulls);
};

const extractIntervals: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const names = args[0] as StringVector;
  const values = intervalsOf(args[1]!);
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    if (!isPresentRow(nulls, row)) continue;
    const field = fieldNamed(entryText(names.pool, names.ids[row]!), 'INTERVAL');
    const value = extractFromInterval(field, values[row]!);
    if (value === null) throw invalidArgument(`unit "${field}" not supported for type INTERVAL`);
    out[row] = value + 0;
  }
  return numberVector(out, length, nulls);
};

const binTimestamps: Evaluate = (args, length) => {
  const nulls = unionNulls(args, length);
  const strides = intervalsOf(args[0]!);
  const [values, origins] = [numbersOf(args[1]!), args[2] === undefined ? null : numbersOf(args[2])];
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++)
    if (isPresentRow(nulls, row))
      out[row] = binTimestamp(strides[row]!, values[row]!, origins === null ? 0 : origins[row]!);
  return numberVector(out, length, nulls);
};

const repeatMoment =
  (moment: (nowMs: number) => number): Evaluate =>
  (_args, length, context) =>
    numberVector(new Float64Array(length).fill(moment(context.nowMs)), length, null);

const fromEpochSeconds: Evaluate = ([arg], length) => {
  const values = numbersOf(arg!);
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    if (!isPresentRow(arg!.nulls, row)) continue;
    if (Number.isNaN(values[row]!)) throw valueOverflow('overflow');
    out[row] = checkTimestamp(Math.round(values[row]! * 1000) + 0);
  }
  return numberVector(out, length, arg!.nulls);
};

/** TIMESTAMP and its milliseconds are the same numbers. */
const asLong: Evaluate = ([arg]) => arg!;

const fromEpochMs: Evaluate = ([arg], length) => {
  const source = arg!;
  if (source.form === 'number') return checkMoments(source.values.slice(0, length), length, source.nulls);
  const values = (source as Extract<Vector, { form: 'bigint' }>).values;
  const out = new Float64Array(length);
  for (let row = 0; row < length; row++) out[row] = Number(values[row]!);
  return checkMoments(out, length, source.nulls);
};

const truncSummary =
  "The start of the unit that holds the moment: date_trunc('hour', ts). Weeks start on Monday; days at midnight UTC.";
const extractSummary = "One field: extract('dow', ts). Sunday is dow 0 and isodow 7; epoch counts seconds.";

export const timeFunctions: readonly Definition[] = [
  define(
    'now',
    [],
    TIMESTAMP,
    'When the query started.',
    repeatMoment(nowMs => nowMs),
  ),
  define(
    'current_date',
    [],
    DATE,
    'The day when the query started, in UTC.',
    repeatMoment(nowMs => Math.floor(nowMs / dayMs)),
  ),
  define('date_trunc', ['STRING', 'TIMESTAMP'], TIMESTAMP, truncSummary, truncTimestamps),
  define('date_trunc', ['STRING', 'INTERVAL'], INTERVAL, 'An interval cut to whole units.', truncIntervals),
  define('extract', ['STRING', 'TIMESTAMP'], DOUBLE, extractSummary, extractTimestamps),
  define('extract', ['STRING', 'INTERVAL'], DOUBLE, 'One field of an interval.', extractIntervals),
  define(
    'date_bin',
    ['INTERVAL', 'TIMESTAMP', 'TIMESTAMP'],
    TIMESTAMP,
    'The start of the stride, counted from an origin, that holds the moment.',
    binTimestamps,
  ),
  define('date_bin', ['INTERVAL', 'TIMESTAMP'], TIMESTAMP, 'As above, counted from 1970-01-01.', binTimestamps),
  define('to_timestamp', ['DOUBLE'], TIMESTAMP, 'The moment so many seconds after 1970-01-01 UTC.', fromEpochSeconds),
  define('epoch_ms', ['TIMESTAMP'], LONG, 'Milliseconds since 1970-01-01 UTC.', asLong),
  define('epoch_ms', ['LONG'], TIMESTAMP, 'The moment so many milliseconds after 1970-01-01 UTC.', fromEpochMs),
  define('to_epoch_ms', ['TIMESTAMP'], LONG, 'Milliseconds since 1970-01-01 UTC.', asLong),
];
