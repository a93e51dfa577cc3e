import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_TYPE } from '../../../src/column/type.ts';
import { parsePath } from '../../../src/function/json-path.ts';
import { follow, forEachElement, rootOf, type Step } from '../../../src/function/json-scan.ts';
import { call, check, checkFails } from './calls.ts';

const json = (value: string) => ({ type: JSON_TYPE, value });
const order = json('{"id": 9007199254740993, "who": {"name": "Ann \\u0041", "tags": ["x", null, 2.50]}, "a b": true}');

describe('members and elements', () => {
  test('as JSON and as text', () => {
    check('json_get', [order, 'who'], '{"name": "Ann \\u0041", "tags": ["x", null, 2.50]}');
    check('json_get_text', [order, 'id'], '9007199254740993');
    check('json_get_text', [json('["a", "b"]'), 1], 'b');
    check('json_get', [json('["a", "b"]'), -2], '"a"');
    check('json_get_text', [json('"x"'), 'a'], null);
    check('json_get_text', [json('[1]'), 1], null);
    check('json_get_text', [json('[1]'), -2], null);
    check('json_get', [json('{"a": null}'), 'a'], 'null');
    check('json_get_text', [json('{"a": null}'), 'a'], null);
    check('json_get_text', [json('{"a": 1, "a": 2}'), 'a'], '2');
  });
  test('of a STRING that holds JSON, or none', () => {
    check('json_get_text', ['{"a": 1}', 'a'], '1');
    check('json_get_text', ['{"a": 1', 'a'], null);
    check('json_get_text', [null, 'a'], null);
  });
});

describe('paths', () => {
  test('JSON_VALUE is for scalars, JSON_QUERY for all', () => {
    check('json_value', [order, '$.who.name'], 'Ann A');
    check('json_value', [order, "$['a b']"], 'true');
    check('json_value', [order, '$."a b"'], 'true');
    check('json_value', [order, '$.who.tags[2]'], '2.50');
    check('json_value', [order, '$.who.tags[1]'], null);
    check('json_value', [order, '$.who'], null);
    check('json_query', [order, '$.who.tags'], '["x", null, 2.50]');
    check('json_query', [order, '$.nobody.there'], null);
    check('json_query', [order, 'lax $'], order.value);
  });
  test.each([
    ['$', []],
    ['$.a.b[0]', ['a', 'b', 0]],
    ['$[ -1 ] [\'it\\\'s\'] . "q\\"" ', [-1, "it's", 'q"']],
    ['$.größe.$x', ['größe', '$x']],
  ] as const)('%s', (text, steps) => expect(parsePath(text)).toEqual(steps));
  test('what is no path', () => {
    checkFails('json_value', [order, 'who'], 'INVALID_PARAMETER', '"who" is no JSON path');
    checkFails(
      'json_value',
      [order, '$.a[*]'],
      'INVALID_PARAMETER',
      'JSON path "$.a[*]" is not understood from character 4 on',
    );
  });
});

const value = fc.jsonValue({ maxDepth: 4 });
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textAt = (bytes: Uint8Array, [start, end]: readonly [number, number]): string =>
  new TextDecoder().decode(bytes.subarray(start, end));

/** Every place in a value. */
function* placesOf(root: unknown, steps: readonly Step[] = []): Generator<readonly [readonly Step[], unknown]> {
  yield [steps, root];
  if (typeof root !== 'object' || root === null) return;
  for (const key of Object.keys(root))
    yield* placesOf((root as Record<string, unknown>)[key], [...steps, Array.isArray(root) ? Number(key) : key]);
}

test('finds what JSON.parse finds, everywhere', () => {
  fc.assert(
    fc.property(value, fc.constantFrom('', ' ', '\n  '), (root, space) => {
      const bytes = bytesOf(space + JSON.stringify(root, null, space) + space);
      const whole = rootOf(bytes, 0, bytes.length);
      for (const [steps, want] of placesOf(root)) {
        const found = follow(bytes, whole, steps);
        expect(JSON.parse(textAt(bytes, found!))).toEqual(JSON.parse(JSON.stringify(want)));
      }
      expect(follow(bytes, whole, ['no such key of any'])).toBe(null);
    }),
  );
});

test('elements in order', () => {
  fc.assert(
    fc.property(fc.array(value), list => {
      const bytes = bytesOf(JSON.stringify(list));
      const found: unknown[] = [];
      forEachElement(bytes, [0, bytes.length], (start, end) => found.push(JSON.parse(textAt(bytes, [start, end]))) > 0);
      expect(found).toEqual(JSON.parse(JSON.stringify(list)));
    }),
  );
});

test('text that is no JSON leads nowhere outside it', () => {
  const step = fc.oneof(fc.constantFrom('a', ''), fc.integer({ min: -3, max: 3 }));
  const junk = fc.string({ unit: fc.constantFrom(...'{}[]":,\\a1 '), maxLength: 40 });
  fc.assert(
    fc.property(junk, fc.array(step, { maxLength: 4 }), (text, steps) => {
      const bytes = bytesOf(text);
      const found = follow(bytes, rootOf(bytes, 0, bytes.length), steps);
      if (found === null) return;
      expect(found[0]).toBeGreaterThanOrEqual(0);
      expect(found[1]).toBeGreaterThanOrEqual(found[0]);
      expect(found[1]).toBeLessThanOrEqual(bytes.length);
      expect(() => call('json_get_text', { type: JSON_TYPE, value: text }, 'a')).not.toThrow();
    }),
    { numRuns: 2_000 },
  );
});
