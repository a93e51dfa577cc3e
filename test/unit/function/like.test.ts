import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileLike } from '../../../src/function/like.ts';
import { faultOf } from './calls.ts';

const encoder = new TextEncoder();

/** Tests the text in the middle of other bytes, so that a matcher that reads beyond its bounds shows. */
function matches(text: string, pattern: string, quote: string | null = '\\', caseInsensitive = false): boolean {
  const bytes = encoder.encode(`x${text}y`);
  return compileLike(pattern, quote, caseInsensitive)(bytes, 1, bytes.length - 1);
}

/** The pattern as a regular expression over code points. */
function oracle(text: string, pattern: string, quote: string, flags: string): boolean {
  let source = '';
  let quoted = false;
  for (const char of pattern) {
    if (!quoted && char === quote) {
      quoted = true;
      continue;
    }
    if (!quoted && char === '%') source += '.*';
    else if (!quoted && char === '_') source += '.';
    else source += `\\u{${char.codePointAt(0)!.toString(16)}}`;
    quoted = false;
  }
  return new RegExp(`^${source}$`, flags).test(text);
}

const alphabet = fc.constantFrom('a', 'b', 'A', 'é', 'É', '😀', '\n', '%', '_');
const texts = fc.string({ unit: alphabet, maxLength: 12 });
const patterns = fc
  .array(fc.oneof({ arbitrary: alphabet, weight: 2 }, fc.constantFrom('%', '_', '\\%', '\\_', '\\\\')), {
    maxLength: 8,
  })
  .map(parts => parts.join(''));

test('agrees with a regular expression', () => {
  fc.assert(
    fc.property(texts, patterns, (text, pattern) => {
      expect(matches(text, pattern)).toBe(oracle(text, pattern, '\\', 'us'));
    }),
    { numRuns: 1500 },
  );
});

test('without regard to case, it agrees with one too', () => {
  fc.assert(
    fc.property(texts, patterns, (text, pattern) => {
      expect(matches(text, pattern, '\\', true)).toBe(oracle(text, pattern, '\\', 'usi'));
    }),
    { numRuns: 1000 },
  );
});

test('long needles in long texts', () => {
  const text = `${'ab'.repeat(500)}needle${'ba'.repeat(500)}`;
  expect(matches(text, '%needle%')).toBe(true);
  expect(matches(text, '%needlf%')).toBe(false);
  expect(matches(text, '%a%b%needle%a%')).toBe(true);
  expect(matches(text, `${'ab'.repeat(500)}%`)).toBe(true);
  expect(matches(text, '%needle')).toBe(false);
  expect(matches(text, text)).toBe(true);
});

test('pieces may not overlap', () => {
  expect(matches('aba', 'ab%ba')).toBe(false);
  expect(matches('abba', 'ab%ba')).toBe(true);
  expect(matches('a', 'a%a')).toBe(false);
});

test('escape characters', () => {
  expect(matches('50%', '50!%', '!')).toBe(true);
  expect(matches('500', '50!%', '!')).toBe(false);
  expect(matches('a\\b', 'a\\b', null)).toBe(true);
  expect(faultOf(() => compileLike('a\\', '\\', false)).code).toBe('INVALID_LITERAL');
});
