/** What PostgreSQL 15 answers. */
import { test } from 'vitest';
import { BYTES, DATE, DOUBLE, decimal, FLOAT, INTERVAL, TIMESTAMP } from '../../../src/column/type.ts';
import { type Argument, as, check, checkFails } from './calls.ts';

const timestamp = (text: string) => as(TIMESTAMP, text);
const date = (text: string) => as(DATE, text);
const interval = (text: string) => as(INTERVAL, text);
const numeric = (text: string, precision = 10, scale = (text.split('.')[1] ?? '').length) =>
  as(decimal(precision, scale), text);
const real = (text: string) => as(FLOAT, text);
const double = (text: string) => as(DOUBLE, text);

type Case = readonly [name: string, args: readonly Argument[], want: string | null];

const cases: Record<string, readonly Case[]> = {
  strings: [
    ['substr', ['abc', 0, 2], 'a'],
    ['substring', ['abc', 2], 'bc'],
    ['substr', ['a😀b', 2, 1], '😀'],
    ['left', ['abc', -1], 'ab'],
    ['right', ['abc', -1], 'bc'],
    ['right', ['a😀b', 2], '😀b'],
    ['left', ['abc', 9], 'abc'],
    ['lpad', ['abc', 5], '  abc'],
    ['lpad', ['abc', 2], 'ab'],
    ['rpad', ['abc', 6, 'xy'], 'abcxyx'],
    ['lpad', ['abc', 5, ''], 'abc'],
    ['lpad', ['abc', -1], ''],
    ['split_part', ['a,b,c', ',', -1], 'c'],
    ['split_part', ['a,b', ',', 5], ''],
    ['split_part', ['abc', '', 1], 'abc'],
    ['initcap', ['hello wORLD-foo bar_baz 1st'], 'Hello World-Foo Bar_Baz 1st'],
    ['repeat', ['ab', 3], 'ababab'],
    ['repeat', ['ab', -1], ''],
    ['ascii', [''], '0'],
    ['ascii', ['€'], '8364'],
    ['chr', [8364], '€'],
    ['strpos', ['abc', ''], '1'],
    ['strpos', ['😀bc', 'c'], '3'],
    ['position', ['b', 'abc'], '2'],
    ['strpos', ['abc', 'x'], '0'],
    ['replace', ['aaa', '', 'x'], 'aaa'],
    ['replace', ['banana', 'an', 'X'], 'bXXa'],
    ['reverse', ['añ😀'], '😀ña'],
    ['concat', [true, numeric('1.50'), null, 'x'], 't1.50x'],
    ['concat', [null], ''],
    ['concat_ws', [',', 1, null, 'a'], '1,a'],
    ['concat_ws', [null, 1], null],
    ['textcat', ['a', 5], 'a5'],
    ['textcat', [true, 'x'], 'truex'],
    ['textcat', [null, 'x'], null],
    ['textcat', [as(BYTES, '\\x4142'), as(BYTES, '\\x43')], '\\x414243'],
    ['trim', ['  a '], 'a'],
    ['ltrim', ['xxay', 'xy'], 'ay'],
    ['btrim', ['xyaxy', 'yx'], 'a'],
    ['rtrim', ['a\t  '], 'a\t'],
    ['md5', ['abc'], '900150983cd24fb0d6963f7d28e17f72'],
    ['length', ['añ😀'], '3'],
    ['char_length', [''], '0'],
    ['octet_length', ['añ😀'], '7'],
    ['upper', ['straße ıé'], 'STRAßE IÉ'],
    ['lower', ['ΑΣ İ'], 'ασ i'],
    ['lower', ['HELLO Z@['], 'hello z@['],
    ['starts_with', ['abc', 'ab'], 'true'],
    ['ends_with', ['abc', 'ab'], 'false'],
    ['contains', ['abc', 'b'], 'true'],
  ],
  numbers: [
    ['divide', [-5, 2], '-2'],
    ['modulo', [-5, 3], '-2'],
    ['mod', [5, -3], '2'],
    ['multiply', [numeric('1.5'), numeric('2.25')], '3.375'],
    ['modulo', [numeric('7.5'), 2], '1.5'],
    ['add', [numeric('0.1'), numeric('0.2')], '0.3'],
    ['divide', [numeric('1'), 3], '0.3333333333333333'],
    ['add', [9007199254740992n, 1], '9007199254740993'],
    ['subtract', [-9223372036854775807n, 1], '-9223372036854775808'],
    ['multiply', [3037000499n, 3037000499n], '9223372030926249001'],
    ['divide', [9223372036854775807n, 10], '922337203685477580'],
    ['negate', [-2147483647], '2147483647'],
    ['abs', [-9007199254740993n], '9007199254740993'],
    ['abs', [real('-1.5')], '1.5'],
    ['round', [2.5], '2'],
    ['round', [-2.5], '-2'],
    ['round', [double('3.5')], '4'],
    ['round', [numeric('2.5')], '3'],
    ['round', [numeric('-2.5')], '-3'],
    ['round', [numeric('1234.567'), -2], '1200.000'],
    ['round', [1234.567, 2], '1234.57'],
    ['round', [1.005, 2], '1.01'],
    ['round', [-1.005, 2], '-1.01'],
    ['round', [0.285, 2], '0.29'],
    ['round', [1e300, 2], '1e+300'],
    ['round', [1.5e-300, 300], '2e-300'],
    ['round', [15n, -1], '20'],
    ['trunc', [-1.567, 1], '-1.5'],
    ['trunc', [0.29, 2], '0.29'],
    ['trunc', [numeric('-1.9')], '-1'],
    ['floor', [numeric('-1.1')], '-2'],
    ['ceil', [numeric('1.1')], '2'],
    ['ceiling', [1.1], '2'],
    ['floor', [-0.5], '-1'],
    ['sign', [-3], '-1'],
    ['sign', [double('NaN')], '0'],
    ['divide', [double('NaN'), 0], 'NaN'],
    ['divide', [1.5, double('Infinity')], '0'],
    ['sign', [numeric('0.4')], '1'],
    ['log', [100], '2'],
    ['log', [2, 8], '3'],
    ['power', [2, 10], '1024'],
    ['pow', [double('NaN'), 0], '1'],
    ['degrees', [1.5], '85.94366926962348'],
    ['greatest', [1, null, 3], '3'],
    ['greatest', [null, null], null],
    ['least', [double('NaN'), 1], '1'],
    ['greatest', [double('NaN'), 1], 'NaN'],
    ['greatest', [1, 2.5], '2.5'],
    ['greatest', [1, 9007199254740993n], '9007199254740993'],
    ['greatest', ['Z', 'a', 'é'], 'é'],
    ['least', [interval('1 month'), interval('29 days')], '29 days'],
  ],
  moments: [
    ['add', [timestamp('2024-01-31'), interval('1 month')], '2024-02-29 00:00:00'],
    ['subtract', [timestamp('2024-03-31'), interval('1 month')], '2024-02-29 00:00:00'],
    ['subtract', [timestamp('2024-02-29'), timestamp('2024-01-01 12:00')], '58 days 12:00:00'],
    ['subtract', [timestamp('2024-01-01'), timestamp('2024-01-02 12:00')], '-1 days -12:00:00'],
    ['add', [date('2024-01-01'), 5], '2024-01-06'],
    ['subtract', [date('2024-01-01'), date('2023-01-01')], '365'],
    ['add', [date('2024-01-01'), interval('1 hour')], '2024-01-01 01:00:00'],
    ['multiply', [interval('1 month'), 1.5], '1 mon 15 days'],
    ['multiply', [interval('1 day 2 hours'), 0.3], '07:48:00'],
    ['multiply', [numeric('-2.7'), interval('1 mon 3 days 04:05:06')], '-2 mons -29 days -13:25:46.2'],
    ['divide', [interval('1 year'), 7], '1 mon 21 days 10:17:08.534'],
    ['divide', [interval('10 days'), 3], '3 days 08:00:00'],
    ['add', [interval('1 mon'), interval('2 days')], '1 mon 2 days'],
    ['date_trunc', ['quarter', timestamp('2024-05-05')], '2024-04-01 00:00:00'],
    ['date_trunc', ['WEEK', timestamp('2024-01-07 23:59')], '2024-01-01 00:00:00'],
    ['date_trunc', ['week', timestamp('1969-12-31')], '1969-12-29 00:00:00'],
    ['date_trunc', ['century', timestamp('2000-12-31')], '1901-01-01 00:00:00'],
    ['date_trunc', ['millennium', timestamp('2024-12-31')], '2001-01-01 00:00:00'],
    ['date_trunc', ['decade', timestamp('1999-12-31')], '1990-01-01 00:00:00'],
    ['date_trunc', ['month', date('2024-02-29')], '2024-02-01 00:00:00'],
    ['date_trunc', ['hour', interval('1 day 2:33:44')], '1 day 02:00:00'],
    ['date_trunc', ['quarter', interval('5 months 3 days')], '3 mons'],
    ['extract', ['dow', timestamp('2024-01-07')], '0'],
    ['extract', ['isodow', timestamp('2024-01-07')], '7'],
    ['extract', ['week', timestamp('2021-01-03')], '53'],
    ['extract', ['isoyear', timestamp('2021-01-03')], '2020'],
    ['extract', ['doy', timestamp('2024-12-31')], '366'],
    ['extract', ['second', timestamp('2024-01-01 00:00:01.5')], '1.5'],
    ['extract', ['milliseconds', timestamp('2024-01-01 00:01:01.5')], '1500'],
    ['extract', ['epoch', timestamp('1969-12-31 23:59:59.5')], '-0.5'],
    ['date_part', ['hour', timestamp('1969-12-31 23:59:59.5')], '23'],
    ['extract', ['year', date('2024-02-29')], '2024'],
    ['extract', ['century', timestamp('2000-01-01')], '20'],
    ['extract', ['century', timestamp('2001-01-01')], '21'],
    ['extract', ['millennium', timestamp('2001-01-01')], '3'],
    ['extract', ['epoch', interval('1 year 1 mon 1 day')], '34236000'],
    ['extract', ['quarter', interval('5 mons')], '2'],
    ['extract', ['hour', interval('-25:30:00')], '-25'],
    ['extract', ['second', interval('-00:00:01.5')], '-1.5'],
    [
      'date_bin',
      [interval('15 minutes'), timestamp('2020-02-11 15:44:17'), timestamp('2001-01-01')],
      '2020-02-11 15:30:00',
    ],
    [
      'date_bin',
      [interval('2 days'), timestamp('1990-02-11 15:44:17'), timestamp('2001-01-01')],
      '1990-02-10 00:00:00',
    ],
    ['to_timestamp', [1.5], '1970-01-01 00:00:01.5'],
    ['epoch_ms', [timestamp('1970-01-01 00:00:01.5')], '1500'],
    ['epoch_ms', [1500n], '1970-01-01 00:00:01.5'],
    ['now', [], '2024-05-05 06:07:08.09'],
    ['current_timestamp', [], '2024-05-05 06:07:08.09'],
    ['current_date', [], '2024-05-05'],
  ],
};

for (const [group, calls] of Object.entries(cases))
  test(group, () => {
    for (const [name, args, want] of calls) check(name, args, want);
  });

test('errors say what PostgreSQL says', () => {
  checkFails('divide', [5, 0], 'DIVISION_BY_ZERO', 'division by zero');
  checkFails('divide', [5.5, 0], 'DIVISION_BY_ZERO', 'division by zero');
  checkFails('modulo', [5n, 0], 'DIVISION_BY_ZERO', 'division by zero');
  checkFails('divide', [numeric('1.5'), numeric('0.0')], 'DIVISION_BY_ZERO', 'division by zero');
  checkFails('divide', [interval('1 day'), 0], 'DIVISION_BY_ZERO', 'division by zero');
  checkFails('add', [2147483647, 1], 'NUMERIC_OVERFLOW', 'integer out of range');
  checkFails('multiply', [65536, 65536], 'NUMERIC_OVERFLOW', 'integer out of range');
  checkFails('divide', [-2147483648, -1], 'NUMERIC_OVERFLOW', 'integer out of range');
  checkFails('abs', [-2147483648], 'NUMERIC_OVERFLOW', 'integer out of range');
  checkFails('add', [9223372036854775807n, 1], 'NUMERIC_OVERFLOW', 'bigint out of range');
  checkFails('multiply', [4294967296n, 4294967296n], 'NUMERIC_OVERFLOW', 'bigint out of range');
  checkFails('divide', [-(2n ** 63n), -1], 'NUMERIC_OVERFLOW', 'bigint out of range');
  checkFails('negate', [-(2n ** 63n)], 'NUMERIC_OVERFLOW', 'bigint out of range');
  checkFails('multiply', [1.5e300, 1.5e300], 'NUMERIC_OVERFLOW', 'value out of range: overflow');
  checkFails('multiply', [1.5e-300, 1.5e-300], 'NUMERIC_OVERFLOW', 'value out of range: underflow');
  checkFails('exp', [1000], 'NUMERIC_OVERFLOW', 'value out of range: overflow');
  checkFails('exp', [-1000], 'NUMERIC_OVERFLOW', 'value out of range: underflow');
  checkFails('power', [0.5, 2000], 'NUMERIC_OVERFLOW', 'value out of range: underflow');
  checkFails('sqrt', [-1], 'INVALID_PARAMETER', 'cannot take square root of a negative number');
  checkFails('ln', [0], 'INVALID_PARAMETER', 'cannot take logarithm of zero');
  checkFails('asin', [2], 'INVALID_PARAMETER', 'input is out of range');
  checkFails('power', [0, -1], 'INVALID_PARAMETER', 'zero raised to a negative power is undefined');
  checkFails('split_part', ['a,b', ',', 0], 'INVALID_PARAMETER', 'field position must not be zero');
  checkFails('substr', ['abc', 1, -1], 'INVALID_PARAMETER', 'negative substring length not allowed');
  checkFails('chr', [0], 'INVALID_PARAMETER', 'null character not permitted');
  checkFails(
    'repeat',
    ['x', 2000000000],
    'INVALID_PARAMETER',
    'requested length too large: at most 16777216 characters',
  );
  checkFails(
    'date_trunc',
    ['fortnight', timestamp('2024-01-01')],
    'INVALID_PARAMETER',
    'unit "fortnight" not recognized for type TIMESTAMP',
  );
  checkFails(
    'date_trunc',
    ['week', interval('1 month')],
    'INVALID_PARAMETER',
    'unit "week" not supported for type INTERVAL',
  );
  checkFails(
    'date_bin',
    [interval('1 month'), timestamp('2024-01-01')],
    'INVALID_PARAMETER',
    'timestamps cannot be binned into intervals containing months or years',
  );
  checkFails('add', [timestamp('2024-01-01'), interval('300000 years')], 'NUMERIC_OVERFLOW', 'timestamp out of range');
});
