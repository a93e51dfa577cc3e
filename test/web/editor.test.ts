import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { functionNames } from '../../src/function/catalogue.ts';
import { aggregateNames } from '../../src/function/resolve.ts';
import { keyword } from '../../src/sql/token.ts';
import { WeirError } from '../../web/src/api/client.ts';
import { completeSql } from '../../web/src/components/editor/completion.ts';
import { wordAt } from '../../web/src/components/editor/mark.ts';
import { functionHelp, keywordList } from '../../web/src/components/editor/sql-dialect.ts';
import { faultOffset, placeOf } from '../../web/src/pages/query/fault-offset.ts';

const catalog = [
  {
    name: 'payments',
    columns: [
      { name: 'merchant', type: 'STRING' },
      { name: 'Odd name', type: 'LONG' },
    ],
  },
  { name: 'edits', columns: [{ name: 'page', type: 'STRING' }] },
];

/** Labels offered where `|` stands. */
async function offered(text: string): Promise<readonly string[]> {
  const at = text.indexOf('|');
  const state = EditorState.create({ doc: text.replace('|', '') });
  const result = await completeSql(() => catalog)(new CompletionContext(state, at, false));
  return result?.options.map(option => option.label) ?? [];
}

test('columns of the tables at hand, functions and keywords are offered', async () => {
  const labels = await offered('SELECT m| FROM payments');
  expect(labels).toContain('merchant');
  expect(labels).toContain('MAX');
  expect(labels).toContain('WHERE');
  expect(labels).not.toContain('page');
  expect(await offered('SELECT p|')).toEqual(expect.arrayContaining(['merchant', 'page', 'payments']));
});

test('after FROM only tables, after a table and a point only its columns', async () => {
  expect(await offered('SELECT 1 FROM p|')).toEqual(['payments', 'edits']);
  expect(await offered('SELECT payments.m| FROM payments, edits')).toEqual(['merchant', 'Odd name']);
});

test('a name that needs quotes gets them', async () => {
  const state = EditorState.create({ doc: 'SELECT o' });
  const result = await completeSql(() => catalog)(new CompletionContext(state, 8, false));
  expect(result!.options.find(option => option.label === 'Odd name')!.apply).toBe('"Odd name"');
});

test('every function and keyword offered is one that the server knows', () => {
  const known = new Set([...functionNames(), ...aggregateNames, 'cast', 'coalesce', 'nullif']);
  expect(functionHelp.map(({ name }) => name.toLowerCase()).filter(name => !known.has(name))).toEqual([]);
  for (const word of keywordList) expect(() => keyword(word.toUpperCase()), word).not.toThrow();
});

test('an error marks the word at its offset, and at the end of the text the last character', () => {
  const text = 'SELECT mercant, "a b" FROM t  ';
  const marked = (offset: number): string => text.slice(...(Object.values(wordAt(text, offset)) as [number, number]));
  expect(marked(7)).toBe('mercant');
  expect(marked(14)).toBe(',');
  expect(marked(16)).toBe('"a b"');
  expect(marked(text.length)).toBe('t');
  expect(marked(999)).toBe('t');
});

test('a mark is always inside the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: -5, max: 50 }), (text, offset) => {
      const { from, to } = wordAt(text, offset);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeGreaterThanOrEqual(from);
      expect(to).toBeLessThanOrEqual(text.length);
    }),
  );
});

test('an error of EXPLAIN is placed in the statement that was explained, and none in another text', () => {
  const failure = (sql: string, offset: number) => ({
    sql,
    error: new WeirError({ error: { code: 'X', message: 'x', position: { line: 1, column: offset + 1, offset } } }),
  });
  expect(faultOffset(failure('SELECT\n  x', 9), 'SELECT\n  x')).toBe(9);
  expect(faultOffset(failure('EXPLAIN SELECT\n  x', 17), 'SELECT\n  x')).toBe(9);
  expect(faultOffset(failure('SELECT x', 7), 'SELECT y')).toBeNull();
  expect(placeOf('SELECT\n  x', 9)).toEqual({ line: 2, column: 3 });
});
