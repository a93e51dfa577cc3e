/** Expressions as SQL-like text, for EXPLAIN and messages. Not meant to be parsed again. */
import { unreachable } from '../base/assert.ts';
import { formatDate, formatDecimal, formatHex, formatInterval, formatTimestampText } from '../column/text.ts';
import { type Interval, type Type, typeText, type Value } from '../column/type.ts';
import type { AggregateCall, Expr } from './expr.ts';

/** Values of an IN list that are shown before it is cut. */
const listedValuesMax = 10;

/** Calls that are operators in SQL, with PostgreSQL's precedences (see `levelOf`). */
const infix: Readonly<Record<string, readonly [sign: string, level: number]>> = {
  textcat: ['||', 7],
  json_get: ['->', 7],
  json_get_text: ['->>', 7],
  add: ['+', 8],
  subtract: ['-', 8],
  multiply: ['*', 9],
  divide: ['/', 9],
  modulo: ['%', 9],
};

/** A literal of the type, as SQL writes it; but NaN and the infinities as they are. */
export function valueText(value: Value, type: Type): string {
  if (value === null) return 'NULL';
  switch (type.name) {
    case 'TIMESTAMP':
      return `TIMESTAMP '${formatTimestampText(value as number)}'`;
    case 'DATE':
      return `DATE '${formatDate(value as number)}'`;
    case 'INTERVAL':
      return `INTERVAL '${formatInterval(value as Interval)}'`;
    case 'DECIMAL':
      return formatDecimal(value as bigint, type.scale!);
    case 'BYTES':
      return `'\\x${formatHex(value as Uint8Array)}'`;
    case 'BOOLEAN':
      return value === true ? 'TRUE' : 'FALSE';
    case 'STRING':
    case 'JSON':
    case 'UUID':
      return `'${(value as string).replaceAll("'", "''")}'`;
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

/** `names[i]` is column i's; a column without one is `#i`. */
export function exprText(expr: Expr, names: readonly string[]): string {
  const show = (child: Expr, level: number): string => {
    const text = exprText(child, names);
    return levelOf(child) < level ? `(${text})` : text;
  };
  switch (expr.kind) {
    case 'literal':
      return valueText(expr.value, expr.type);
    case 'column':
      return nameText(names[expr.index], expr.index);
    case 'subquery':
      return `(subplan ${expr.index})`;
    case 'call': {
      const name = functionName(expr.function);
      const operator = infix[name];
      if (operator !== undefined && expr.args.length === 2) {
        const [sign, level] = operator;
        return `${show(expr.args[0]!, level)} ${sign} ${show(expr.args[1]!, level + 1)}`;
      }
      if (name === 'negate') return `-${show(expr.args[0]!, 13)}`;
      return `${name}(${expr.args.map(arg => exprText(arg, names)).join(', ')})`;
    }
    case 'cast':
      return `${show(expr.source, 13)}::${typeText(expr.type)}`;
    case 'case': {
      const branches = expr.branches.map(
        branch => `WHEN ${exprText(branch.when, names)} THEN ${exprText(branch.then, names)} `,
      );
      const otherwise = expr.otherwise === null ? '' : `ELSE ${exprText(expr.otherwise, names)} `;
      return `CASE ${branches.join('')}${otherwise}END`;
    }
    case 'coalesce':
      return `coalesce(${expr.args.map(arg => exprText(arg, names)).join(', ')})`;
    case 'and':
      return expr.args.map(arg => show(arg, 3)).join(' AND ');
    case 'or':
      return expr.args.map(arg => show(arg, 2)).join(' OR ');
    case 'not':
      if (expr.arg.kind === 'isNull') return `${show(expr.arg.arg, 5)} IS NOT NULL`;
      if (expr.arg.kind === 'in') return inText(expr.arg, show, 'NOT IN');
      if (expr.arg.kind === 'like') return likeText(expr.arg, show, 'NOT ');
      return `NOT ${show(expr.arg, 4)}`;
    case 'compare':
      return `${show(expr.left, 6)} ${expr.op} ${show(expr.right, 6)}`;
    case 'in':
      return inText(expr, show, 'IN');
    case 'like':
      return likeText(expr, show, '');
    case 'isNull':
      return `${show(expr.arg, 5)} IS NULL`;
    default:
      return unreachable(expr);
  }
}

export function aggregateText(call: AggregateCall, names: readonly string[]): string {
  const args = call.args.length === 0 ? '*' : call.args.map(arg => exprText(arg, names)).join(', ');
  const filter = call.filter === null ? '' : ` FILTER (WHERE ${exprText(call.filter, names)})`;
  return `${call.function}(${call.distinct ? 'DISTINCT ' : ''}${args})${filter}`;
}

/** `add(LONG,LONG)` → `add`. */
const functionName = (id: string): string => id.slice(0, id.indexOf('(')) || id;

const nameText = (name: string | undefined, index: number): string => name ?? `#${index}`;

type Show = (child: Expr, level: number) => string;

function inText(expr: Extract<Expr, { kind: 'in' }>, show: Show, word: string): string {
  const shown = expr.values.slice(0, listedValuesMax).map(value => valueText(value, expr.arg.type));
  const rest = expr.values.length - shown.length;
  return `${show(expr.arg, 7)} ${word} (${shown.join(', ')}${rest > 0 ? `, … ${rest} more` : ''})`;
}

function likeText(expr: Extract<Expr, { kind: 'like' }>, show: Show, not: string): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const tail = expr.escape === '\\' ? '' : ` ESCAPE ${quote(expr.escape ?? '')}`;
  return `${show(expr.arg, 7)} ${not}${expr.caseInsensitive ? 'ILIKE' : 'LIKE'} ${quote(expr.pattern)}${tail}`;
}

/** How tightly an expression's outermost operator binds; anything self-contained binds tightest. */
function levelOf(expr: Expr): number {
  switch (expr.kind) {
    case 'or':
      return 1;
    case 'and':
      return 2;
    case 'not':
      return expr.arg.kind === 'isNull' ? 4 : expr.arg.kind === 'in' || expr.arg.kind === 'like' ? 6 : 3;
    case 'isNull':
      return 4;
    case 'compare':
      return 5;
    case 'in':
    case 'like':
      return 6;
    case 'call': {
      const name = functionName(expr.function);
      return name === 'negate' ? 12 : (infix[name]?.[1] ?? 14);
    }
    case 'cast':
      return 13;
    default:
      return 14;
  }
}
