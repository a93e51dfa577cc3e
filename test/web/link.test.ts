import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hrefOf, pages, parseRoute } from '../../web/src/app/route.ts';
import { historyLengthMax, parseHistory, withEntry } from '../../web/src/pages/query/history.ts';
import { onlyReads, readShared, type SharedQuery, sharedHref } from '../../web/src/pages/query/link.ts';

const choices = fc.record({
  kind: fc.constantFrom('line' as const, 'bar' as const),
  x: fc.nat(200),
  ys: fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }),
  split: fc.option(fc.nat(200)),
});

test('a shared query comes back from its address as it was', () => {
  const queries: fc.Arbitrary<SharedQuery> = fc.record({
    sql: fc.string({ minLength: 1, unit: 'grapheme' }),
    view: fc.constantFrom('table' as const, 'chart' as const),
    choice: fc.option(choices),
  });
  fc.assert(
    fc.property(queries, query => {
      const address = new URL(`http://127.0.0.1/ui/${sharedHref(query)}`);
      expect(readShared(parseRoute(address.hash).parameters)).toEqual(query);
    }),
  );
});

test('a name comes back from its address as it was', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), name => {
      const address = new URL(`http://127.0.0.1/ui/${hrefOf('tables', name)}`);
      expect(parseRoute(address.hash)).toMatchObject({ page: 'tables', name });
    }),
  );
});

test('no address breaks the page', () => {
  fc.assert(
    fc.property(fc.string(), hash => {
      const route = parseRoute(`#${hash}`);
      expect(pages).toContain(route.page);
      readShared(route.parameters);
    }),
  );
  expect(parseRoute('#/tables/%E0%A4%A')).toMatchObject({ page: 'tables', name: '%E0%A4%A' });
  expect(parseRoute('')).toMatchObject({ page: 'query', name: null });
});

test('a statement that came by link runs at once only if it reads', () => {
  for (const sql of ['SELECT 1', ' select * from t;', 'WITH a AS (SELECT 1) SELECT * FROM a', 'SHOW TABLES'])
    expect(onlyReads(sql), sql).toBe(true);
  for (const sql of ['DROP TABLE t', 'INSERT INTO t VALUES (1)', 'SELECT 1; DROP TABLE t', 'EXPLAIN ANALYZE x', ''])
    expect(onlyReads(sql), sql).toBe(false);
});

test('history keeps each statement once, newest first, up to its limit', () => {
  const entry = (sql: string, atMs: number) => ({ sql, atMs, rowCount: 1, elapsedMs: 1 });
  const twice = withEntry(withEntry(withEntry([], entry('a', 1)), entry('b', 2)), entry('a', 3));
  expect(twice.map(({ sql, atMs }) => [sql, atMs])).toEqual([
    ['a', 3],
    ['b', 2],
  ]);
  const full = Array.from({ length: historyLengthMax }, (_, index) => entry(`q${index}`, index));
  expect(withEntry(full, entry('new', 1))).toHaveLength(historyLengthMax);
});

test('what storage holds is checked', () => {
  const good = { sql: 'SELECT 1', atMs: 1, rowCount: null, elapsedMs: 2 };
  expect(parseHistory(JSON.stringify([good, 7, null, { sql: 1 }]))).toEqual([good]);
  for (const text of [null, '', '{', '{"sql":1}', 'null']) expect(parseHistory(text)).toEqual([]);
});
