/** GROUP BY in a transform: rows of one key become one, in a batch and again in a segment, without loss. */
import { fault, type Position } from '../base/fault.ts';
import { INT, LONG, type Type, typeText } from '../column/type.ts';
import { canCastImplicitly, categoryOf } from '../function/coercion.ts';
import { isFailure, resolveAggregate } from '../function/resolve.ts';
import type { AggregateCall, Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { messageColumns, type TransformColumn, type TransformPlan } from '../plan/transform.ts';
import { someExpr } from '../plan/visit.ts';
import type { Select } from './ast.ts';
import { isLiteral } from './fold.ts';
import { coerce, literal, typed } from './operand.ts';
import { mergeProjects, pushFilters } from './optimize/filters.ts';
import { inlineColumns } from './optimize/inline.ts';
import { assign, type Output, transformColumn, transformContext } from './output.ts';

/** @param aggregate What the outputs are over. @throws {FaultError} UNSUPPORTED for what does not merge, TYPE_MISMATCH */
export function planRollup(
  outputs: readonly Output[],
  aggregate: Extract<Node, { kind: 'aggregate' }>,
  select: Select,
  message: TransformPlan['message'],
): TransformPlan {
  const { keys, calls, source } = aggregate;
  if (keys.length === 0)
    throw unsupported('a transform with aggregates groups by something', outputs[0]!.at, 'add GROUP BY');
  keys.forEach((_, index) => {
    if (!outputs.some(({ expr }) => expr.kind === 'column' && expr.index === index))
      throw unsupported(
        'a key of GROUP BY is no output: rows that differ in it alone could not be told apart later',
        select.groupBy[index]?.at ?? select.at,
        'make it a column of the table',
      );
  });
  const columns: TransformColumn[] = [];
  const exprs = outputs.map(output => {
    const { expr, at, column } = output;
    if (!someExpr(expr, part => part.kind === 'column' && part.index >= keys.length)) {
      if (column.type.name === 'JSON') throw unsupported(`column ${column.name} is JSON: it cannot be a key`, at);
      columns.push(transformColumn(output, 'key'));
      return assign(output, inlineColumns(expr, keys));
    }
    if (expr.kind !== 'column')
      throw unsupported(
        'an output of a rollup is a key or one aggregate',
        at,
        'keep the aggregate in a column, and compute from it in queries',
      );
    const call = calls[expr.index - keys.length]!;
    columns.push(transformColumn(output, mergeOf(call, at)));
    return contribution(call, output);
  });
  const row: Expr = { kind: 'column', type: INT, index: message.length - 1 };
  return {
    message,
    columns,
    rows: mergeProjects(pushFilters({ kind: 'project', source, exprs: [...exprs, row] }, transformContext)),
    rollup: {
      batch: mergeNode(columns, { name: messageColumns.row, type: INT }),
      segment: mergeNode(columns, { name: messageColumns.offset, type: LONG }),
    },
  };
}

const unsupported = (message: string, position: Position, hint?: string): Error =>
  fault('UNSUPPORTED', message, { position, hint });

function mergeOf({ function: name, distinct }: AggregateCall, at: Position): 'sum' | 'min' | 'max' {
  if (!distinct && name === 'count') return 'sum';
  if (!distinct && (name === 'sum' || name === 'min' || name === 'max')) return name;
  throw unsupported(
    `a rollup cannot keep ${name.toUpperCase()}${distinct ? '(DISTINCT …)' : ''}: two results of it do not make one`,
    at,
    'SUM, COUNT, MIN and MAX merge without loss; keep a SUM and a COUNT, and divide in queries',
  );
}

/** What one row brings to an aggregate, as its column holds it. */
function contribution(call: AggregateCall, output: Output): Expr {
  const { column, at } = output;
  const [arg] = call.args;
  const mismatch = (wanted: string): Error =>
    fault(
      'TYPE_MISMATCH',
      `column ${column.name} is ${typeText(column.type)}, and ${call.function.toUpperCase()} gives ${typeText(call.type)}`,
      {
        position: at,
        hint: `declare it ${wanted}`,
      },
    );
  if (call.function === 'count') {
    if (column.type.name !== 'LONG') throw mismatch('LONG');
    const counts: Expr[] = arg === undefined ? [] : [{ kind: 'not', type: booleanType, arg: isNull(arg) }];
    if (call.filter !== null) counts.push(call.filter);
    const when: Expr | null =
      counts.length === 0 ? null : counts.length === 1 ? counts[0]! : { kind: 'and', type: booleanType, args: counts };
    const one = literal(LONG, 1n);
    return when === null
      ? one
      : { kind: 'case', type: LONG, branches: [{ when, then: one }], otherwise: literal(LONG, 0n) };
  }
  if (call.function === 'sum' && !canSumInto(arg!.type, column.type)) throw mismatch(sumTypeText(call.type));
  if (call.function !== 'sum' && categoryOf(arg!.type.name) !== categoryOf(column.type.name))
    throw mismatch(typeText(call.type));
  const value = isLiteral(arg!)
    ? coerce(typed(arg!, at), column.type, 'explicit', transformContext)
    : assign(output, arg!);
  if (call.filter === null) return value;
  return { kind: 'case', type: column.type, branches: [{ when: call.filter, then: value }], otherwise: null };
}

const booleanType: Type = { name: 'BOOLEAN' };
const isNull = (arg: Expr): Expr => ({ kind: 'isNull', type: booleanType, arg });

/** Types whose sums are of the same type, and lose nothing on the way there. */
const canSumInto = (arg: Type, column: Type): boolean =>
  (column.name === 'LONG' || column.name === 'DOUBLE' || column.name === 'DECIMAL') &&
  canCastImplicitly(arg, column) &&
  (arg.name !== 'DECIMAL' || column.name !== 'DECIMAL' || column.scale! >= arg.scale!);

const sumTypeText = (type: Type): string => (type.name === 'FLOAT' ? 'DOUBLE' : typeText(type));

/** One row a key over `columns` and their order, which stays the last column. */
function mergeNode(columns: readonly TransformColumn[], order: { readonly name: string; readonly type: Type }): Node {
  const inputs = [...columns, order];
  const read = (index: number): Expr => ({ kind: 'column', type: inputs[index]!.type, index });
  const places = columns.map((column, index) => ({ ...column, index }));
  const keys = places.filter(({ merge }) => merge === 'key');
  const merged = places.filter(({ merge }) => merge !== 'key');
  const callOf = (name: string, index: number): AggregateCall => {
    const resolved = resolveAggregate(name, [inputs[index]!.type], false);
    if (isFailure(resolved)) throw new Error(`no aggregate ${name}`);
    return { function: name, args: [read(index)], distinct: false, filter: null, type: resolved.returns };
  };
  const calls = [...merged.map(({ merge, index }) => callOf(merge, index)), callOf('min', columns.length)];
  const source: Node = { kind: 'inline', name: 'rows', columns: inputs.map(({ name, type }) => ({ name, type })) };
  const outputs = [...keys, ...merged, { ...order, index: columns.length }];
  const exprs = inputs.map((input, index): Expr => {
    const place = outputs.findIndex(output => output.index === index);
    const type = place < keys.length ? input.type : calls[place - keys.length]!.type;
    const column: Expr = { kind: 'column', type, index: place };
    return place < keys.length
      ? column
      : coerce(typed(column, { line: 1, column: 1, offset: 0 }), input.type, 'explicit', transformContext);
  });
  return {
    kind: 'project',
    source: { kind: 'aggregate', mode: 'single', source, keys: keys.map(({ index }) => read(index)), calls },
    exprs,
  };
}
