import { describe, expect, test } from 'vitest';
import { BOOLEAN, DOUBLE, LONG, type Type, type Value } from '../../../src/column/type.ts';
import { compileExpr } from '../../../src/exec/evaluate.ts';
import { vectorsInput } from '../../../src/exec/input.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';
import type { CompareOperator, Expr } from '../../../src/plan/expr.ts';

const context = { nowMs: 0, timeZone: 'UTC' };
const column = (type: Type, index = 0): Expr => ({ kind: 'column', type, index });
const literal = (type: Type, value: Value): Expr => ({ kind: 'literal', type, value });
const compare = (op: CompareOperator, left: Expr, right: Expr): Expr => ({
  kind: 'compare',
  type: BOOLEAN,
  op,
  left,
  right,
});

/** Values of an expression over rows of columns of one type. */
function evaluate(expr: Expr, type: Type, ...columns: readonly (readonly Value[])[]): Value[] {
  const length = columns[0]!.length;
  const vector = compileExpr(
    expr,
    context as never,
  )(
    vectorsInput(
      length,
      columns.map(values => vectorOf(type, values)),
    ),
  );
  return Array.from({ length }, (_, row) => vectorValue(vector, expr.type, row));
}

/** 10 / x, which fails where x is 0. */
const quotient: Expr = {
  kind: 'call',
  type: LONG,
  function: 'divide(LONG,LONG)',
  args: [literal(LONG, 10n), column(LONG)],
};
const isZero = compare('=', column(LONG), literal(LONG, 0n));

describe('rows that are decided are not computed any further', () => {
  const rows = [0n, 5n, null, 0n, 2n];

  test('CASE', () => {
    const expr: Expr = {
      kind: 'case',
      type: LONG,
      branches: [{ when: isZero, then: literal(LONG, -1n) }],
      otherwise: quotient,
    };
    expect(evaluate(expr, LONG, rows)).toEqual([-1n, 2n, null, -1n, 5n]);
    expect(() => evaluate(quotient, LONG, rows)).toThrow(/zero/);
  });

  test('AND, OR', () => {
    const large = compare('>', quotient, literal(LONG, 3n));
    const notZero: Expr = { kind: 'not', type: BOOLEAN, arg: isZero };
    expect(evaluate({ kind: 'and', type: BOOLEAN, args: [notZero, large] }, LONG, rows)).toEqual([
      false,
      false,
      null,
      false,
      true,
    ]);
    expect(evaluate({ kind: 'or', type: BOOLEAN, args: [isZero, large] }, LONG, rows)).toEqual([
      true,
      false,
      null,
      true,
      true,
    ]);
  });
});

test('AND and OR are three-valued', () => {
  const all = [true, false, null];
  const left = all.flatMap(value => all.map(() => value));
  const right = all.flatMap(() => all);
  const args = [column(BOOLEAN, 0), column(BOOLEAN, 1)];
  expect(evaluate({ kind: 'and', type: BOOLEAN, args }, BOOLEAN, left, right)).toEqual([
    true,
    false,
    null,
    false,
    false,
    false,
    null,
    false,
    null,
  ]);
  expect(evaluate({ kind: 'or', type: BOOLEAN, args }, BOOLEAN, left, right)).toEqual([
    true,
    true,
    true,
    true,
    false,
    null,
    true,
    null,
    null,
  ]);
});

test('NaN equals itself and is greater than every number; -0 equals 0', () => {
  const values = [NaN, NaN, 1, Infinity, -0, null];
  const others = [NaN, Infinity, NaN, NaN, 0, NaN];
  const check = (op: CompareOperator, expected: (boolean | null)[]) =>
    expect(evaluate(compare(op, column(DOUBLE, 0), column(DOUBLE, 1)), DOUBLE, values, others)).toEqual(expected);
  check('=', [true, false, false, false, true, null]);
  check('<>', [false, true, true, true, false, null]);
  check('<', [false, false, true, true, false, null]);
  check('>=', [true, true, false, false, true, null]);
});
