import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import {
  BOOLEAN,
  BYTES,
  DOUBLE,
  decimal,
  INT,
  INTERVAL,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { decodePlan, encodePlan } from '../../../src/plan/codec.ts';
import type { AggregateCall, Expr } from '../../../src/plan/expr.ts';
import type { Node, QueryPlan } from '../../../src/plan/node.ts';

const type = fc.constantFrom<Type>(BOOLEAN, INT, LONG, DOUBLE, STRING, BYTES, TIMESTAMP, INTERVAL, decimal(38, 9));
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, NaN, Infinity, -Infinity, -0, '', '~bigint', '\u2028"\\'),
  fc.double(),
  fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n }),
  fc.string(),
  fc.uint8Array(),
  fc.record({ months: fc.integer(), days: fc.integer(), ms: fc.integer() }),
);
const position = fc.option(fc.constant({ position: { line: 1, column: 2, offset: 1 } }), { nil: {} });
const count = fc.nat();
const name = fc.string();

const { expr } = fc.letrec<{ expr: Expr }>(tie => {
  const expr = tie('expr');
  const args = fc.array(expr, { maxLength: 3 });
  const branch = fc.tuple(expr, expr).map(
    ([when, result]) =>
      Object.fromEntries([
        ['when', when],
        ['then', result],
      ]) as { when: Expr; then: Expr },
  );
  return {
    expr: fc.oneof(
      { maxDepth: 4 },
      fc.record({ kind: fc.constant('literal'), type, value }),
      fc.record({ kind: fc.constantFrom('column', 'subquery'), type, index: count }),
      fc
        .tuple(fc.record({ kind: fc.constant('call'), type, function: name, args }), position)
        .map(([a, b]) => ({ ...a, ...b })),
      fc
        .tuple(fc.record({ kind: fc.constant('cast'), type, source: expr }), position)
        .map(([a, b]) => ({ ...a, ...b })),
      fc.record({
        kind: fc.constant('case'),
        type,
        branches: fc.array(branch, { maxLength: 2 }),
        otherwise: fc.option(expr),
      }),
      fc.record({ kind: fc.constantFrom('coalesce', 'and', 'or'), type, args }),
      fc.record({ kind: fc.constantFrom('not', 'isNull'), type, arg: expr }),
      fc.record({
        kind: fc.constant('compare'),
        type,
        op: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
        left: expr,
        right: expr,
      }),
      fc.record({ kind: fc.constant('in'), type, arg: expr, values: fc.array(value, { maxLength: 3 }) }),
      fc.record({
        kind: fc.constant('like'),
        type,
        arg: expr,
        pattern: name,
        escape: fc.option(name),
        caseInsensitive: fc.boolean(),
      }),
    ) as fc.Arbitrary<Expr>,
  };
});

const call: fc.Arbitrary<AggregateCall> = fc.record({
  function: name,
  args: fc.array(expr, { maxLength: 1 }),
  distinct: fc.boolean(),
  filter: fc.option(expr),
  type,
});
const { node } = fc.letrec<{ node: Node }>(tie => {
  const source = tie('node');
  const scanColumn = fc.record({ id: fc.integer(), name, type });
  const exprs = fc.array(expr, { maxLength: 2 });
  return {
    node: fc.oneof(
      { maxDepth: 4 },
      fc.record({
        kind: fc.constant('scan'),
        tableId: name,
        table: name,
        columns: fc.array(scanColumn),
        filter: fc.option(expr),
        limit: fc.option(count),
      }),
      fc.record({ kind: fc.constant('inline'), name, columns: fc.array(fc.record({ name, type })) }),
      fc.record({ kind: fc.constant('values'), types: fc.array(type), rows: fc.array(exprs) }),
      fc.record({ kind: fc.constant('exchange'), mode: fc.constant('gather'), fragment: count, types: fc.array(type) }),
      fc.record({ kind: fc.constant('filter'), source, predicate: expr }),
      fc.record({ kind: fc.constant('unnest'), source, expr, type }),
      fc.record({ kind: fc.constant('project'), source, exprs }),
      fc.record({
        kind: fc.constant('aggregate'),
        mode: fc.constantFrom('single', 'partial', 'final'),
        source,
        keys: exprs,
        calls: fc.array(call, { maxLength: 2 }),
      }),
      fc.record({
        ...{ kind: fc.constant('sort'), source, limit: fc.option(count) },
        keys: fc.array(fc.record({ expr, descending: fc.boolean(), nullsFirst: fc.boolean() }), { maxLength: 2 }),
      }),
      fc.record({ kind: fc.constant('limit'), source, offset: count, count: fc.option(count) }),
    ) as fc.Arbitrary<Node>,
  };
});
const { plan } = fc.letrec<{ plan: QueryPlan }>(tie => ({
  plan: fc.record({
    fragments: fc.array(node, { minLength: 1, maxLength: 2 }),
    columns: fc.array(fc.record({ name, type })),
    subplans: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('plan'), { maxLength: 2 })),
    tableIds: fc.array(name),
    systemTables: fc.array(name),
  }),
}));

test('a plan survives JSON, to the last bit', () => {
  fc.assert(
    fc.property(plan, original => {
      // `fc.record` makes objects without a prototype; a clone has one.
      expect(decodePlan(encodePlan(original))).toStrictEqual(structuredClone(original));
    }),
    { numRuns: 200 },
  );
});

test('anything else is CORRUPT_FRAME', () => {
  const refused = (text: string): void => {
    try {
      decodePlan(text);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      expect(error.fault.code).toBe('CORRUPT_FRAME');
    }
  };
  fc.assert(fc.property(fc.json(), refused));
  // A good plan with one value somewhere replaced by another.
  fc.assert(
    fc.property(plan, fc.nat(), fc.json(), (original, place, junk) => {
      const text = encodePlan(original);
      const spots = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|true|false|null|-?\d+)/g)];
      const spot = spots[place % spots.length];
      if (spot) refused(`${text.slice(0, spot.index)}:${junk}${text.slice(spot.index + spot[0].length)}`);
    }),
    { numRuns: 200 },
  );
  expect(() => decodePlan('{')).toThrow('not JSON');
  expect(() => decodePlan('{"fragments":[{"kind":"join"}]}')).toThrow('malformed node');
});

test('nesting without end is refused, not run into', () => {
  const open = '{"kind":"filter","source":'.repeat(50_000);
  expect(() => decodePlan(`{"fragments":[${open}1${'}'.repeat(50_000)}]}`)).toThrow(FaultError);
});
