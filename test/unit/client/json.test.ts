import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonDepthMax, parseJson, writeJson } from '../../../src/client/json.ts';

describe('parseJson', () => {
  test('keeps every digit of a 64-bit integer', () => {
    expect(parseJson('9007199254740993')).toBe(9007199254740993n);
    expect(parseJson('[-9223372036854775808, 9223372036854775807]')).toEqual([
      -9223372036854775808n,
      9223372036854775807n,
    ]);
    expect(parseJson('{"a": {"b": [12345678901234567890]}}')).toEqual({ a: { b: [12345678901234567890n] } });
  });

  test('an integer that a double holds stays a number, also a long one', () => {
    expect(parseJson('9007199254740991')).toBe(9007199254740991);
    expect(parseJson('1.2345678901234567')).toBe(1.2345678901234567);
    expect(parseJson('1234567890123456e3')).toBe(1234567890123456e3);
  });

  test('digits in a string are a string', () => {
    expect(parseJson('["9007199254740993", "a\\"9007199254740993\\\\"]')).toEqual([
      '9007199254740993',
      'a"9007199254740993\\',
    ]);
  });

  test('the exact reader agrees with JSON.parse', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, spaced) => {
        // The first element forces the exact reader, the rest is what JSON.parse makes of it.
        const body = spaced ? JSON.stringify(JSON.parse(text), null, 2) : text;
        const [first, rest] = parseJson(`[12345678901234567890, ${body}]`) as [bigint, unknown];
        expect(first).toBe(12345678901234567890n);
        expect(writeJson(rest)).toBe(writeJson(JSON.parse(text)));
      }),
    );
  });

  test('refuses whatever JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 3 }), (text, at, noise) => {
        const cut = at % (text.length + 1);
        const broken = `[1234567890123456, ${text.slice(0, cut)}${noise}${text.slice(cut + 1)}]`;
        let expected: unknown;
        try {
          expected = JSON.parse(broken);
        } catch {
          expect(() => parseJson(broken)).toThrow(SyntaxError);
          return;
        }
        expect(writeJson(parseJson(broken))).toBe(writeJson(expected));
      }),
    );
  });

  test('a name that would set the prototype is a plain member', () => {
    const object = parseJson('{"__proto__": {"admin": true}, "n": 12345678901234567890}') as Record<string, unknown>;
    expect(Object.hasOwn(object, '__proto__')).toBe(true);
    expect('admin' in object).toBe(false);
  });

  test('too deep a nesting is refused, not a crash', () => {
    const text = `${'['.repeat(100_000)}1234567890123456`;
    expect(() => parseJson(text)).toThrow(`the JSON nests deeper than ${jsonDepthMax} levels`);
  });

  test('an error names the place', () => {
    expect(() => parseJson('[1234567890123456, x]')).toThrow('unexpected "x" in JSON at position 19');
    expect(() => parseJson('[1234567890123456')).toThrow('ends too early, at position 17');
  });
});

describe('writeJson', () => {
  test('round trip of plain data with 64-bit integers', () => {
    const cell = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n }),
    );
    const data = fc.dictionary(fc.string(), fc.array(cell));
    fc.assert(
      fc.property(data, value => {
        expect(parseJson(writeJson(value))).toEqual({ ...value });
      }),
    );
  });

  test('leaves out what is undefined', () => {
    expect(writeJson({ sql: 'SELECT 1', parameters: undefined, n: 9007199254740993n })).toBe(
      '{"sql":"SELECT 1","n":9007199254740993}',
    );
  });
});
