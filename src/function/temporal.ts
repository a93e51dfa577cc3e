/** Operators over DATE, TIMESTAMP and INTERVAL. */

import { dayMs } from '../column/text.ts';
import { DATE, INT, INTERVAL, type Interval, TIMESTAMP } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';
import {
  addInterval,
  checkDate,
  divideInterval,
  intervalBetween,
  minusInterval,
  multiplyInterval,
  negateInterval,
  plusInterval,
} from './datetime.ts';
import { divisionByZero, integerOverflow } from './errors.ts';
import type { ScalarFunction } from './scalar.ts';
import { type Definition, define } from './signature.ts';
import { intervalsOf, intervalVector, numbersOf, numberVector, unionNulls } from './vectors.ts';

type Evaluate = ScalarFunction['evaluate'];

const emptyInterval: Interval = { months: 0, days: 0, ms: 0 };

/** Numbers from present rows. */
const toNumbers =
  (bind: (args: readonly Vector[]) => (row: number) => number): Evaluate =>
  (args, length) => {
    const nulls = unionNulls(args, length);
    const compute = bind(args);
    const out = new Float64Array(length);
    for (let row = 0; row < length; row++) if (nulls === null || nulls[row] === 0) out[row] = compute(row);
    return numberVector(out, length, nulls);
  };

/** Intervals from present rows. */
const toIntervals =
  (bind: (args: readonly Vector[]) => (row: number) => Interval): Evaluate =>
  (args, length) => {
    const nulls = unionNulls(args, length);
    const compute = bind(args);
    const out = new Array<Interval>(length).fill(emptyInterval);
    for (let row = 0; row < length; row++) if (nulls === null || nulls[row] === 0) out[row] = compute(row);
    return intervalVector(out, length, nulls);
  };

/** Moves moments (ms, or days × `unitMs`) by an interval. */
const shift = (momentAt: 0 | 1, unitMs: number, sign: 1 | -1): Evaluate =>
  toNumbers(args => {
    const moments = numbersOf(args[momentAt]!);
    const intervals = intervalsOf(args[1 - momentAt]!);
    if (sign === 1) return row => addInterval(moments[row]! * unitMs, intervals[row]!);
    return row => addInterval(moments[row]! * unitMs, negateInterval(intervals[row]!));
  });

/** date + days, or date - days. */
const shiftDate = (dateAt: 0 | 1, sign: 1 | -1): Evaluate =>
  toNumbers(args => {
    const dates = numbersOf(args[dateAt]!);
    const counts = numbersOf(args[1 - dateAt]!);
    return row => checkDate(dates[row]! + sign * counts[row]!);
  });

const subtractDates: Evaluate = toNumbers(args => {
  const [a, b] = [numbersOf(args[0]!), numbersOf(args[1]!)];
  return row => {
    const days = a[row]! - b[row]!;
    if (days !== (days | 0)) throw integerOverflow('INT');
    return days;
  };
});

const pairIntervals = (combine: (a: Interval, b: Interval) => Interval): Evaluate =>
  toIntervals(args => {
    const [a, b] = [intervalsOf(args[0]!), intervalsOf(args[1]!)];
    return row => combine(a[row]!, b[row]!);
  });

const scaleBy = (intervalAt: 0 | 1): Evaluate =>
  toIntervals(args => {
    const intervals = intervalsOf(args[intervalAt]!);
    const factors = numbersOf(args[1 - intervalAt]!);
    return row => multiplyInterval(intervals[row]!, factors[row]!);
  });

const divideBy: Evaluate = toIntervals(args => {
  const [intervals, divisors] = [intervalsOf(args[0]!), numbersOf(args[1]!)];
  return row => {
    if (divisors[row] === 0) throw divisionByZero();
    return divideInterval(intervals[row]!, divisors[row]!);
  };
});

const subtractTimestamps: Evaluate = toIntervals(args => {
  const [a, b] = [numbersOf(args[0]!), numbersOf(args[1]!)];
  return row => intervalBetween(a[row]!, b[row]!);
});

const negateIntervals: Evaluate = toIntervals(args => {
  const intervals = intervalsOf(args[0]!);
  return row => negateInterval(intervals[row]!);
});

const later = 'A moment moved by an interval or by days.';
const product = 'An interval times a number; fractions of months become days, fractions of days time.';

export const temporal: readonly Definition[] = [
  define('add', ['TIMESTAMP', 'INTERVAL'], TIMESTAMP, later, shift(0, 1, 1)),
  define('add', ['INTERVAL', 'TIMESTAMP'], TIMESTAMP, later, shift(1, 1, 1)),
  define('add', ['DATE', 'INTERVAL'], TIMESTAMP, later, shift(0, dayMs, 1)),
  define('add', ['INTERVAL', 'DATE'], TIMESTAMP, later, shift(1, dayMs, 1)),
  define('add', ['DATE', 'INT'], DATE, later, shiftDate(0, 1)),
  define('add', ['INT', 'DATE'], DATE, later, shiftDate(1, 1)),
  define('add', ['INTERVAL', 'INTERVAL'], INTERVAL, 'Sum of two intervals.', pairIntervals(plusInterval)),
  define('subtract', ['TIMESTAMP', 'INTERVAL'], TIMESTAMP, later, shift(0, 1, -1)),
  define('subtract', ['DATE', 'INTERVAL'], TIMESTAMP, later, shift(0, dayMs, -1)),
  define('subtract', ['DATE', 'INT'], DATE, later, shiftDate(0, -1)),
  define('subtract', ['DATE', 'DATE'], INT, 'Days from b to a.', subtractDates),
  define('subtract', ['TIMESTAMP', 'TIMESTAMP'], INTERVAL, 'Days and time from b to a.', subtractTimestamps),
  define('subtract', ['INTERVAL', 'INTERVAL'], INTERVAL, 'Difference of two intervals.', pairIntervals(minusInterval)),
  define('multiply', ['INTERVAL', 'DOUBLE'], INTERVAL, product, scaleBy(0)),
  define('multiply', ['DOUBLE', 'INTERVAL'], INTERVAL, product, scaleBy(1)),
  define('divide', ['INTERVAL', 'DOUBLE'], INTERVAL, 'An interval divided by a number.', divideBy),
  define('negate', ['INTERVAL'], INTERVAL, 'Negation: every part changes its sign.', negateIntervals),
];
