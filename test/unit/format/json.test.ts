import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkBatch } from '../../../src/column/frame.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
  type Value,
} from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { decodeRows } from '../../../src/format/decode.ts';
import { bytesOf, decode, target } from './table.ts';

const ndjson = (text: string, table: ReturnType<typeof target>) => decode('ndjson', text, table);

describe('one value', () => {
  const ms = Date.UTC(2024, 0, 2, 3, 4, 5, 678);
  const cases: readonly (readonly [Type, string, Value])[] = [
    [LONG, '9007199254740993', 9007199254740993n],
    [LONG, '"9007199254740993"', 9007199254740993n],
    [LONG, '-9223372036854775808', -9223372036854775808n],
    [LONG, '9223372036854775807', 9223372036854775807n],
    [LONG, '-4294967297', -4294967297n],
    [LONG, '-1', -1n],
    [LONG, '1.5e1', 15n],
    [LONG, '1.0', 1n],
    [INT, '-2147483648', -2147483648],
    [INT, '" 7 "', 7],
    [DOUBLE, '0.1', 0.1],
    [DOUBLE, '-0', -0],
    [DOUBLE, '123456789012345678', Number('123456789012345678')],
    [DOUBLE, '2.2250738585072014e-308', 2.2250738585072014e-308],
    [DOUBLE, '"-Infinity"', Number.NEGATIVE_INFINITY],
    [DOUBLE, '"NaN"', Number.NaN],
    [FLOAT, '0.1', Math.fround(0.1)],
    [decimal(10, 2), '12.345', 1235n],
    [decimal(10, 2), '-12.345', -1235n],
    [decimal(10, 2), '1e3', 100000n],
    [decimal(38, 0), '99999999999999999999999999999999999999', 10n ** 38n - 1n],
    [decimal(20, 4), '"-0.0001"', -1n],
    [TIMESTAMP, '"2024-01-02T03:04:05.678Z"', ms],
    [TIMESTAMP, '"2024-01-02 03:04:05.678"', ms],
    [TIMESTAMP, '"2024-01-02T03:04:05.678901Z"', ms],
    [TIMESTAMP, '"2024-01-02T05:04:05.678+02:00"', ms],
    [TIMESTAMP, '"2024-01-02T03:04:05Z"', ms - 678],
    [TIMESTAMP, '"2024-01-02"', Date.UTC(2024, 0, 2)],
    [TIMESTAMP, '"2024-02-29 23:59"', Date.UTC(2024, 1, 29, 23, 59)],
    [TIMESTAMP, String(ms), ms],
    [TIMESTAMP, `"${ms}"`, ms],
    [TIMESTAMP, '-1', -1],
    [DATE, '"1969-12-31"', -1],
    [DATE, '"2024-01-02T23:00:00Z"', 19724],
    [UUID, '"0F8FAD5B-D9CB-469F-A165-70867728950E"', '0f8fad5b-d9cb-469f-a165-70867728950e'],
    [BYTES, '"AAEC/w=="', Uint8Array.of(0, 1, 2, 255)],
    [BYTES, '""', new Uint8Array(0)],
    [BOOLEAN, 'true', true],
    [BOOLEAN, '0', false],
    [BOOLEAN, '"Yes"', true],
    [STRING, '1.50', '1.50'],
    [STRING, 'false', 'false'],
    [STRING, '"a\\u00e9\\ud83d\\ude00\\n\\"é"', 'aé😀\n"é'],
    [STRING, '"\\ud800x"', '\ufffdx'],
    [STRING, '"\\u0000"', '\u0000'],
    [JSON_TYPE, '{"a": [1, {"b":null}]}', '{"a": [1, {"b":null}]}'],
    [JSON_TYPE, '"x"', '"x"'],
    [JSON_TYPE, '1.0', '1.0'],
  ];
  test.each(cases)('%o takes %s', (type, json, value) => {
    const { rows, rejects } = ndjson(`{"v":${json}}\n`, target({ v: type }));
    expect(rejects).toEqual([]);
    expect(rows).toEqual([[value]]);
  });

  const refused: readonly (readonly [Type, string, string])[] = [
    [LONG, '9223372036854775808', '"9223372036854775808" is outside the range of LONG'],
    [LONG, '1.5', '"1.5" is not a LONG'],
    [LONG, '1e400', '"1e400" is outside the range of LONG'],
    [LONG, '1e999999999', '"1e999999999" is outside the range of LONG'],
    [LONG, '"x"', '"x" is not a LONG'],
    [LONG, '""', '"" is not a LONG'],
    [LONG, 'true', 'true where LONG is expected'],
    [LONG, '[1]', 'an array where LONG is expected (declare the column JSON to keep it)'],
    [INT, '2147483648', '"2147483648" is outside the range of INT'],
    [DOUBLE, '1e999', '"1e999" is outside the range of DOUBLE'],
    [FLOAT, '1e39', '"1e39" is outside the range of FLOAT'],
    [decimal(4, 2), '100', '"100" has more digits than DECIMAL(4,2) holds'],
    [TIMESTAMP, '"2023-02-29"', '"2023-02-29" is not a TIMESTAMP'],
    [TIMESTAMP, '"2024-01-02T24:00:01Z"', '"2024-01-02T24:00:01Z" is not a TIMESTAMP'],
    [TIMESTAMP, '1700000000.5', '"1700000000.5" is no whole number of milliseconds since 1970'],
    [TIMESTAMP, '"20240102"', '"20240102" is not a TIMESTAMP'],
    [TIMESTAMP, '9000000000000000', '"9000000000000000" is outside the range of TIMESTAMP'],
    [DATE, '19724', '"19724" is not a DATE: write it as "2024-01-31"'],
    [UUID, '"0f8fad5b"', '"0f8fad5b" is not a UUID'],
    [BYTES, '"A"', '"A" is not base64, which BYTES are written in'],
    [BOOLEAN, '2', '"2" is not a BOOLEAN'],
    [STRING, '{"a":1}', 'an object where STRING is expected (declare the column JSON to keep it)'],
  ];
  test.each(refused)('%o refuses %s', (type, json, reason) => {
    const { rows, rejects } = ndjson(`{"v":${json}}\n{"v":null}\n`, target({ v: type }));
    expect(rejects).toEqual([`1 v: ${reason}`]);
    expect(rows).toEqual([[null]]);
  });
});

describe('keys', () => {
  const table = target({ a: LONG, b: STRING });

  test('any order, unknown ones ignored and counted, missing ones NULL', () => {
    const { rows, rejects, decoded } = ndjson(
      '{"a":1,"b":"x"}\n{"b":"y","a":2}\n{"c":{"d":[1]},"a":3}\n{ }\n{"b":null , "a" : 4 }\r\n{"a":5,"b":"z"}',
      table,
    );
    expect(rejects).toEqual([]);
    expect(rows).toEqual([
      [1n, 'x'],
      [2n, 'y'],
      [3n, null],
      [null, null],
      [4n, null],
      [5n, 'z'],
    ]);
    expect(decoded.ignoredValues).toBe(1);
  });

  test('of a key given twice the last value counts', () => {
    expect(ndjson('{"a":1,"b":"x","a":2,"b":"y"}', table).rows).toEqual([[2n, 'y']]);
  });

  test('exactly first, then without regard to case; the exact one wins', () => {
    expect(ndjson('{"A":1,"B":"x"}\n{"a":2,"A":3}\n{"A":3,"a":2}', table).rows).toEqual([
      [1n, 'x'],
      [2n, null],
      [2n, null],
    ]);
    expect(ndjson('{"AB":1}', target({ ab: LONG, Ab: LONG })).rows).toEqual([[null, null]]);
  });

  test('escaped keys are the same keys', () => {
    expect(ndjson('{"\\u0061":1}\n{"a":2}', table).rows).toEqual([
      [1n, null],
      [2n, null],
    ]);
  });

  test('NOT NULL and defaults', () => {
    const strict = target({ 'a!': LONG, b: STRING, 'c!': INT }, { b: 'none', c: 7 });
    const { rows, rejects } = ndjson(
      '{"a":1}\n{"a":null}\n{"b":"x"}\n{"a":2,"b":null,"c":1}\n{"a":3,"c":null}',
      strict,
    );
    expect(rows).toEqual([
      [1n, 'none', 7],
      [2n, null, 1],
    ]);
    expect(rejects).toEqual([
      '2 a: is NULL, but the column is NOT NULL',
      '3 a: is missing, and the column is NOT NULL without a default',
      '5 c: is NULL, but the column is NOT NULL',
    ]);
  });
});

describe('broken rows', () => {
  const table = target({ a: LONG, b: STRING });

  test('never take the next ones with them, and are named by line', () => {
    const lines = [
      '{"a":1}',
      '{"a":',
      '',
      '{"a":1}}',
      '{"b":"x',
      '{"b":"x\ty"}',
      '{"a":01}',
      '{a:1}',
      '[1]',
      'nonsense',
      '{"a":1,}',
      '{"b":"\\x"}',
      '{"b":tru}',
      '{"a":2}',
    ];
    const { rows, rejects, decoded } = ndjson(lines.join('\n'), table);
    expect(rows).toEqual([
      [1n, null],
      [2n, null],
    ]);
    expect(rejects).toEqual([
      '2 null: the JSON ends too early, at byte 6 of the row',
      '4 null: unexpected "}" at byte 8 of the row',
      '5 null: the JSON ends too early, at byte 8 of the row',
      '6 null: a control character (0x09) at byte 8 of the row; in a string it must be escaped',
      '7 null: unexpected "1" at byte 7 of the row',
      '8 null: unexpected "a" at byte 2 of the row',
      '9 null: an array where a JSON object is expected',
      '10 null: unexpected "o" at byte 2 of the row',
      '11 null: unexpected "}" at byte 8 of the row',
      '12 null: unexpected "x" at byte 8 of the row',
      '13 null: unexpected "}" at byte 9 of the row',
    ]);
    expect(decoded.rejects[0]!.text).toBe('{"a":');
  });

  test('invalid UTF-8 rejects its row alone', () => {
    const bytes = Buffer.concat([bytesOf('{"b":"x'), Buffer.from([0xff]), bytesOf('"}\n{"b":"é"}\n')]);
    const { rows, rejects } = decode('ndjson', bytes, table);
    expect(rows).toEqual([[null, 'é']]);
    expect(rejects).toEqual(['1 null: the row is not valid UTF-8']);
  });

  test('too deep, too large', () => {
    const deep = `{"j":${'['.repeat(200)}${']'.repeat(200)}}`;
    const large = `{"j":"${'x'.repeat(1 << 20)}"}`;
    const { rows, rejects } = ndjson(`${deep}\n${large}\n{"j":[]}`, target({ j: JSON_TYPE }));
    expect(rows).toEqual([['[]']]);
    expect(rejects).toEqual([
      '1 null: objects and arrays nested more than 128 deep, at byte 134 of the row',
      '2 null: the row has 1048584 bytes, more than the limit of 1048576',
    ]);
  });

  test('a rejected row leaves nothing in a dictionary', () => {
    const { decoded } = ndjson('{"b":"x"}\n{"b":"gone","a":"?"}\n{"b":"x"}\n{"b":"x"}', table);
    const column = decoded.batch.columns[1]!;
    expect(column.form).toBe('dictionary');
    expect(Buffer.from((column as { bytes: Uint8Array }).bytes).toString()).toBe('x');
  });
});

describe('a JSON array', () => {
  const table = target({ a: LONG });
  test.each([
    ['[{"a":1},\n{"a":2}]', [[1n], [2n]], []],
    [' [ ] ', [], []],
    ['', [], []],
    ['{"a":1}', [[1n]], []],
    ['\ufeff[{"a":1}]', [[1n]], []],
    [
      '[\n{"a":1},\n5,\n{"a":"x"},\n{"a":2}]',
      [[1n], [2n]],
      ['3 null: a number where a JSON object is expected', '4 a: "x" is not a LONG'],
    ],
    [
      '[{"a":1},\n{"a":2},\n{"a":3',
      [[1n], [2n]],
      ['3 null: the JSON ends too early, at byte 7 of the row; nothing after it was read'],
    ],
    ['[{"a":1}\n{"a":2}]', [[1n]], ['2 null: unexpected "{" at byte 9 of the row; nothing after it was read']],
    ['[{"a":1}] x', [[1n]], ['1 null: unexpected "x" at byte 1 of the row; nothing after it was read']],
    ['[{"a":1},]', [[1n]], ['1 null: unexpected "]" at byte 1 of the row; nothing after it was read']],
  ] as const)('%j', (text, rows, rejects) => {
    const decoded = decode('json', text, table);
    expect(decoded.rows).toEqual(rows);
    expect(decoded.rejects).toEqual(rejects);
  });
});

describe('strings', () => {
  const forms = (values: readonly (string | null)[]) => {
    const { rows, decoded } = ndjson(
      values.map(value => JSON.stringify({ v: value })).join('\n'),
      target({ v: STRING }),
    );
    expect(rows.map(row => row[0])).toEqual(values);
    return decoded.batch.columns[0]!.form;
  };
  test('repeat: a dictionary', () => {
    expect(forms(Array.from({ length: 1000 }, (_, row) => (row % 7 === 0 ? null : `merchant ${row % 50}`)))).toBe(
      'dictionary',
    );
  });
  test('do not repeat: raw, also where nulls and empty ones come before', () => {
    expect(
      forms(Array.from({ length: 1000 }, (_, row) => (row % 10 === 0 ? null : row % 10 === 1 ? '' : `id ${row}`))),
    ).toBe('raw');
    expect(forms(['a', 'b'])).toBe('raw');
  });
  test('that only differ in the middle of a long text stay apart', () => {
    const long = (row: number): string => `${'x'.repeat(30)}${row}${'y'.repeat(60)}`;
    forms(Array.from({ length: 600 }, (_, row) => long(row % 40)));
  });
});

const jsonObject = fc.dictionary(
  fc.constantFrom('l', 's', 'j', 'd', 'b', 'other', 'L', 'é'),
  fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.constantFrom('12', '-1.5', 'true', '2024-01-02'),
  ),
);

/** What the columns l LONG, s STRING, j JSON, d DOUBLE, b BOOLEAN make of JSON.parse's value; undefined: a reject. */
function oracle(object: Record<string, unknown>): Value[] | undefined {
  const utf8 = (text: string): string => Buffer.from(text).toString();
  const take = (name: string, read: (value: unknown) => Value | undefined): Value | undefined => {
    const value = object[name] ?? (name === 'l' && !Object.hasOwn(object, 'l') ? (object.L ?? null) : null);
    return value === null ? null : read(value);
  };
  const numeral = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
  const long = (value: unknown): Value | undefined => {
    if (typeof value !== 'number' && !(typeof value === 'string' && numeral.test(value))) return undefined;
    const number = Number(value);
    if (!Number.isInteger(number)) return undefined;
    if (Math.abs(number) < 2 ** 53) return BigInt(number);
    // Beyond what a double tells apart, the digits that were written count.
    const digits = String(value).trim();
    const exact = /^[+-]?\d{1,19}$/.test(digits) ? BigInt(digits.replace('+', '')) : null;
    return exact !== null && BigInt.asIntN(64, exact) === exact ? exact : undefined;
  };
  // A value that is replaced later must fit all the same.
  const keys = Object.keys(object);
  if (keys.includes('L') && keys.indexOf('L') < keys.indexOf('l') && object.L !== null && long(object.L) === undefined)
    return undefined;
  const row = [
    take('l', long),
    take('s', value =>
      typeof value === 'object' ? undefined : typeof value === 'string' ? utf8(value) : JSON.stringify(value),
    ),
    take('j', value => JSON.stringify(value)),
    take('d', value => {
      if (typeof value === 'number') return value;
      if (typeof value === 'string' && /^\s*[+-]?(nan|inf|infinity)\s*$/i.test(value)) return undefined;
      return typeof value === 'string' && numeral.test(value) ? Number(value) : undefined;
    }),
    take('b', value => {
      if (typeof value === 'boolean') return value;
      const words: Record<string, boolean> = {
        true: true,
        t: true,
        yes: true,
        y: true,
        on: true,
        1: true,
        false: false,
        f: false,
        no: false,
        n: false,
        off: false,
        0: false,
      };
      if (typeof value === 'number') return value === 0 ? false : value === 1 ? true : undefined;
      return typeof value === 'string'
        ? Object.hasOwn(words, value.trim().toLowerCase())
          ? words[value.trim().toLowerCase()]
          : undefined
        : undefined;
    }),
  ];
  return row.includes(undefined) ? undefined : (row as Value[]);
}

describe('against JSON.parse', () => {
  const table = target({ l: LONG, s: STRING, j: JSON_TYPE, d: DOUBLE, b: BOOLEAN });

  test('objects that JSON.stringify wrote, as lines and as an array', () => {
    fc.assert(
      fc.property(fc.array(jsonObject, { maxLength: 40 }), objects => {
        const texts = objects.map(object => JSON.stringify(object));
        const expected = texts.map(text => oracle(JSON.parse(text))).filter(row => row !== undefined);
        for (const [format, text] of [
          ['ndjson', texts.join('\n')],
          ['json', `[${texts.join(', ')}]`],
        ] as const) {
          const { rows, decoded } = decode(format, text, table);
          checkBatch(decoded.batch);
          expect(rows).toEqual(expected);
          expect(decoded.rejected).toBe(objects.length - expected.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('damaged text: a line is taken exactly if JSON.parse takes it as an object', () => {
    const bytes = fc.uint8Array({ maxLength: 3 });
    fc.assert(
      fc.property(jsonObject, fc.nat(200), bytes, fc.nat(3), (object, at, insert, remove) => {
        const text = Buffer.from(JSON.stringify(object));
        const position = Math.min(at, text.length);
        const line = Buffer.concat([text.subarray(0, position), insert, text.subarray(position + remove)]);
        if (line.includes(10) || line.includes(13)) return;
        const all = decodeRows('ndjson', Buffer.concat([line, bytesOf('\n{"other":1}\n')]), target({ x: STRING }));
        expect(rowsOf(all.batch).length).toBeGreaterThan(0);
        let parsed: unknown = null;
        try {
          parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line));
        } catch {}
        const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
        expect(all.accepted).toBe(isObject ? 2 : 1);
      }),
      { numRuns: 1000 },
    );
  });

  test('any bytes in any format: accounted for, never thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('ndjson', 'json', 'csv'), (bytes, format) => {
        const decoded = decodeRows(format, bytes, table);
        checkBatch(decoded.batch);
        expect(decoded.batch.rowCount).toBe(decoded.accepted);
        expect(decoded.rejects.length).toBe(decoded.rejected);
      }),
      { numRuns: 1000 },
    );
  });

  test('numerals: LONG, DOUBLE and DECIMAL are exact', () => {
    const table = target({ l: LONG, d: DOUBLE, c: decimal(38, 10), t: TIMESTAMP });
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt({ min: -(10n ** 28n), max: 10n ** 28n }),
        fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
        (long, double, unscaled, date) => {
          const sign = unscaled < 0n ? '-' : '';
          const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(11, '0');
          const text = `${sign}${digits.slice(0, -10)}.${digits.slice(-10)}`;
          const line = `{"l":${long},"d":${Object.is(double, -0) ? '-0' : double},"c":${text},"t":"${date.toISOString()}"}`;
          expect(ndjson(line, table).rows).toEqual([[long, double, unscaled, date.getTime()]]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
