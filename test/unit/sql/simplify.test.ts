/** Rewritten expressions mean what they meant, row by row, NULLs and all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BOOLEAN,
  DATE,
  DOUBLE,
  decimal,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import { castValue } from '../../../src/function/cast.ts';
import type { CompareOperator, Expr } from '../../../src/plan/expr.ts';
import { exprText } from '../../../src/plan/text.ts';
import { compareHolds, compareValues } from '../../../src/sql/fold.ts';
import { simplify, simplifyFilter } from '../../../src/sql/optimize/simplify.ts';

const context = { nowMs: 0, timeZone: 'UTC' };
const operators: readonly CompareOperator[] = ['=', '<>', '<', '<=', '>', '>='];
const dayMs = 86_400_000;

/** Columns, with values near the edges at which casts could go wrong. */
const columns: readonly { readonly type: Type; readonly values: readonly Value[] }[] = [
  { type: BOOLEAN, values: [true, false, null] },
  { type: INT, values: [0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31), null] },
  { type: LONG, values: [0n, 2n, -3n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), null] },
  { type: TIMESTAMP, values: [0, 1, -1, dayMs, dayMs - 1, 2 * dayMs, null] },
  { type: DATE, values: [0, 1, 2, -1, null] },
  { type: decimal(6, 2), values: [0n, 150n, -151n, 999_999n, -999_999n, null] },
  { type: STRING, values: ['', 'a', 'b%', null] },
];

/** Casts that the binder may put around a column in a comparison. */
const widened: readonly (readonly Type[])[] = [
  [],
  [LONG, decimal(12, 1), DOUBLE],
  [decimal(21, 2), DOUBLE],
  [DATE],
  [TIMESTAMP],
  [decimal(9, 4)],
  [],
];

const someValue = (type: Type): fc.Arbitrary<Value> => {
  switch (type.name) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'INT':
      return fc.constantFrom(0, 1, -1, 5, 2 ** 31 - 1, -(2 ** 31));
    case 'LONG':
      return fc.constantFrom(0n, 1n, -3n, 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 63n - 1n);
    case 'DOUBLE':
      return fc.constantFrom(0, -0, 0.5, -1.5, 2 ** 31, -3e9, 2 ** 53, 2 ** 53 + 2, 1e300, NaN, Infinity, -Infinity);
    case 'DECIMAL':
      return fc.constantFrom(0n, 15n, -1n, -15n, 21_474_836_475n, -21_474_836_485n, 99_999_999n, 10n ** 20n);
    case 'TIMESTAMP':
      return fc.constantFrom(0, 1, -1, dayMs / 2, dayMs, dayMs + 1);
    case 'DATE':
      return fc.constantFrom(-1, 0, 1);
    default:
      return fc.constantFrom('', 'a', 'b%', 'é');
  }
};

const literalOf = (type: Type, isNullable = true): fc.Arbitrary<Expr> =>
  fc
    .oneof({ weight: 5, arbitrary: someValue(type) }, { weight: isNullable ? 1 : 0, arbitrary: fc.constant(null) })
    .map(value => ({ kind: 'literal', type, value }));

const operand = fc.integer({ min: 0, max: columns.length - 1 }).chain(index => {
  const column: Expr = { kind: 'column', type: columns[index]!.type, index };
  const casts = widened[index]!.map((type): Expr => ({ kind: 'cast', type, source: column }));
  return fc.constantFrom<Expr>(column, ...casts);
});

const leaf: fc.Arbitrary<Expr> = operand.chain(arg => {
  const compare = fc.record({ op: fc.constantFrom(...operators), other: literalOf(arg.type), swap: fc.boolean() }).map(
    ({ op, other, swap }): Expr => ({
      ...{ kind: 'compare', type: BOOLEAN, op },
      ...(swap ? { left: other, right: arg } : { left: arg, right: other }),
    }),
  );
  const inList = fc.array(literalOf(arg.type), { minLength: 1, maxLength: 4 }).map(
    (items): Expr => ({
      kind: 'in',
      type: BOOLEAN,
      arg,
      values: items.map(item => (item as { value: Value }).value),
    }),
  );
  const isNull = fc.constant<Expr>({ kind: 'isNull', type: BOOLEAN, arg });
  return fc.oneof(
    compare,
    compare,
    inList,
    isNull,
    literalOf(BOOLEAN),
    fc.constant<Expr>({ kind: 'column', type: BOOLEAN, index: 0 }),
  );
});

const condition: fc.Arbitrary<Expr> = fc.letrec<{ tree: Expr }>(tie => {
  const tree = tie('tree');
  const branch = fc
    .tuple(tree, tree)
    .map(parts => Object.fromEntries(parts.map((part, index) => [index === 0 ? 'when' : 'then', part])));
  const type = fc.constant(BOOLEAN);
  return {
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.record({ kind: fc.constant('not'), type, arg: tree }),
      fc.record({ kind: fc.constantFrom('and', 'or'), type, args: fc.array(tree, { minLength: 2, maxLength: 4 }) }),
      fc.record({ kind: fc.constant('coalesce'), type, args: fc.array(tree, { minLength: 2, maxLength: 2 }) }),
      fc.record({
        kind: fc.constant('case'),
        type,
        branches: fc.array(branch, { minLength: 1, maxLength: 2 }),
        otherwise: fc.option(tree),
      }),
    ) as fc.Arbitrary<Expr>,
  };
}).tree;

/** The meaning, spelt out: slow, and without any rewriting. */
function evaluate(expr: Expr, row: readonly Value[]): Value {
  switch (expr.kind) {
    case 'literal':
      return expr.value;
    case 'column':
      return row[expr.index]!;
    case 'cast':
      return castValue(evaluate(expr.source, row), expr.source.type, expr.type, context);
    case 'not': {
      const value = evaluate(expr.arg, row);
      return value === null ? null : !value;
    }
    case 'and':
    case 'or': {
      const decisive = expr.kind === 'or';
      const values = expr.args.map(arg => evaluate(arg, row));
      return values.includes(decisive) ? decisive : values.includes(null) ? null : !decisive;
    }
    case 'compare': {
      const [left, right] = [evaluate(expr.left, row), evaluate(expr.right, row)];
      if (left === null || right === null) return null;
      return compareHolds(expr.op, compareValues(expr.left.type, left, right));
    }
    case 'in': {
      const value = evaluate(expr.arg, row);
      if (value === null) return null;
      const isFound = expr.values.some(item => item !== null && compareValues(expr.arg.type, value, item) === 0);
      return isFound ? true : expr.values.includes(null) ? null : false;
    }
    case 'isNull':
      return evaluate(expr.arg, row) === null;
    case 'coalesce':
      return expr.args.map(arg => evaluate(arg, row)).find(value => value !== null) ?? null;
    case 'case': {
      const branch = expr.branches.find(({ when }) => evaluate(when, row) === true);
      const chosen = branch ? branch.then : expr.otherwise;
      return chosen === null ? null : evaluate(chosen, row);
    }
    default:
      throw new Error(`unexpected ${expr.kind}`);
  }
}

const row = fc.tuple(...columns.map(column => fc.constantFrom(...column.values)));
const names = columns.map(({ type }) => type.name.toLowerCase());

describe('simplify', () => {
  test('keeps every value, NULL among them', () => {
    fc.assert(
      fc.property(condition, fc.array(row, { minLength: 5, maxLength: 20 }), (expr, rows) => {
        const simpler = simplify(expr, context);
        for (const values of rows)
          expect(evaluate(simpler, values), `${exprText(expr, names)} → ${exprText(simpler, names)}`).toBe(
            evaluate(expr, values),
          );
      }),
      { numRuns: 800 },
    );
  });

  test('as a filter keeps the rows that it kept', () => {
    fc.assert(
      fc.property(condition, fc.array(row, { minLength: 5, maxLength: 20 }), (expr, rows) => {
        const simpler = simplifyFilter(expr, context);
        for (const values of rows)
          expect(evaluate(simpler, values) === true, `${exprText(expr, names)} → ${exprText(simpler, names)}`).toBe(
            evaluate(expr, values) === true,
          );
      }),
      { numRuns: 800 },
    );
  });

  test('has nothing to do a second time', () => {
    fc.assert(
      fc.property(condition, expr => {
        const once = simplifyFilter(expr, context);
        expect(exprText(simplifyFilter(once, context), names)).toBe(exprText(once, names));
      }),
      { numRuns: 300 },
    );
  });

  test('leaves NOT at leaves only', () => {
    const holdsNot = (expr: Expr): boolean =>
      expr.kind === 'not' && ['and', 'or', 'not', 'compare', 'literal'].includes(expr.arg.kind);
    fc.assert(
      fc.property(condition, expr => {
        const pending = [simplify(expr, context)];
        for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
          expect(holdsNot(part)).toBe(false);
          if ('args' in part) pending.push(...part.args);
        }
      }),
    );
  });
});
