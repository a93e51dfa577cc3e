/** AST expression → typed `Expr`: names, overloads, implicit casts, and SQL's spellings of the same thing. */
import { unreachable } from '../base/assert.ts';
import { type FaultError, fault, type Position } from '../base/fault.ts';
import { suggestionText } from '../base/suggest.ts';
import { BOOLEAN, INTERVAL, isNumeric, STRING, type Type, typeText, type Value } from '../column/type.ts';
import { commonType, comparisonType } from '../function/coercion.ts';
import {
  callText,
  functionSuggestions,
  isAggregateName,
  isFailure,
  isFunctionName,
  operatorFunctions,
  type ResolveFailure,
  resolveAggregate,
  resolveScalar,
} from '../function/resolve.ts';
import type { FunctionContext, ResolvedCall } from '../function/scalar.ts';
import type { AggregateCall, CompareOperator, Expr } from '../plan/expr.ts';
import { sameAggregate } from '../plan/visit.ts';
import type { BinaryOperator, Expression, Query } from './ast.ts';
import { booleanLiteral, constantValue, foldCall, isLiteral, isNullLiteral } from './fold.ts';
import {
  type CastMode,
  coerce,
  literal,
  numberLiteral,
  type Operand,
  openLiteral,
  openParameter,
  settleDecimals,
  typed,
} from './operand.ts';
import { simplify } from './optimize/simplify.ts';
import { columnExpr, type Scope } from './scope.ts';
import { resolveType } from './type-name.ts';

/** What all expressions of one statement share. */
export interface StatementContext extends FunctionContext {
  readonly parameters: readonly Value[];
  /** Plans a scalar subquery and gives the expression that stands for its value. */
  bindSubquery(query: Query, outer: Scope, at: Position): Expr;
}

/** Aggregate calls of one SELECT. Call k is, until the SELECT is put together, column `firstIndex + k`. */
export class AggregateCollector {
  readonly calls: AggregateCall[] = [];
  readonly firstIndex: number;

  constructor(firstIndex: number) {
    this.firstIndex = firstIndex;
  }

  add(call: AggregateCall): Expr {
    const found = this.calls.findIndex(other => sameAggregate(other, call));
    const index = found === -1 ? this.calls.push(call) - 1 : found;
    return { kind: 'column', type: call.type, index: this.firstIndex + index };
  }
}

export interface BindPlace {
  readonly scope: Scope;
  /** `WHERE`, `GROUP BY` …, for messages. */
  readonly clause: string;
  /** null: no aggregate may stand here. */
  readonly aggregates: AggregateCollector | null;
  /** Output names, for clauses that see them where FROM has no such column. */
  readonly aliases?: (name: string, at: Position) => Operand | null;
  /** Where a column came from, so that a later error can point at it. */
  readonly origins?: WeakMap<Expr, { readonly name: string; readonly at: Position }>;
}

type Node<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

const compareSigns: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

export class ExpressionBinder {
  readonly #context: StatementContext;
  readonly #place: BindPlace;

  constructor(context: StatementContext, place: BindPlace) {
    this.#context = context;
    this.#place = place;
  }

  /** As a value of a type of its own: what stays open becomes STRING. */
  bindValue(node: Expression): Expr {
    return this.bind(node).expr;
  }

  /** As a condition. @throws {FaultError} TYPE_MISMATCH unless BOOLEAN */
  bindCondition(node: Expression, what: string): Expr {
    const operand = this.bind(node);
    if (operand.type !== null && operand.type.name !== 'BOOLEAN')
      throw fault('TYPE_MISMATCH', `argument of ${what} must be BOOLEAN, not ${typeText(operand.type)}`, {
        position: operand.at,
      });
    return this.coerce(operand, BOOLEAN);
  }

  coerce(operand: Operand, to: Type, mode: CastMode = 'implicit'): Expr {
    return coerce(operand, to, mode, this.#context);
  }

  /**
   * The value of a constant as `to`; undefined where the expression is none.
   * @throws {FaultError} what computing it raises (NUMERIC_OVERFLOW, DIVISION_BY_ZERO …), with its position
   */
  constantOf(operand: Operand, to: Type): Value | undefined {
    return constantValue(simplify(this.coerce(operand, to, 'explicit'), this.#context), this.#context, operand.at);
  }

  bind(node: Expression): Operand {
    switch (node.kind) {
      case 'number':
        return typed(numberLiteral(node.text, node.at), node.at);
      case 'string':
        return openLiteral(node.value, node.at);
      case 'null':
        return openLiteral(null, node.at);
      case 'boolean':
        return typed(literal(BOOLEAN, node.value), node.at);
      case 'interval':
        return typed(this.coerce(openLiteral(intervalText(node), node.at), INTERVAL), node.at);
      case 'parameter':
        return openParameter(node.index, this.#context.parameters[node.index] ?? null, node.at);
      case 'name':
        return this.#bindName(node);
      case 'negate':
        return this.#bindFunction('negate', '-', [this.bind(node.arg)], node.at);
      case 'binary':
        return this.#bindBinary(node);
      case 'and':
      case 'or': {
        const args = node.args.map(arg => this.bindCondition(arg, node.kind.toUpperCase()));
        return typed({ kind: node.kind, type: BOOLEAN, args }, node.at);
      }
      case 'not':
        return typed(not(this.bindCondition(node.arg, 'NOT')), node.at);
      case 'call':
        return this.#bindCall(node);
      case 'cast':
        return typed(this.coerce(this.bind(node.source), resolveType(node.type), 'explicit'), node.at);
      case 'case':
        return this.#bindCase(node);
      case 'in':
        return this.#bindIn(node);
      case 'between': {
        const arg = this.bind(node.arg);
        const low = this.#compare('>=', arg, this.bind(node.low), node.at);
        const high = this.#compare('<=', arg, this.bind(node.high), node.at);
        return typed(negated({ kind: 'and', type: BOOLEAN, args: [low, high] }, node.isNegated), node.at);
      }
      case 'like':
        return this.#bindLike(node);
      case 'is':
        return this.#bindIs(node);
      case 'isDistinct':
        return this.#bindDistinct(node);
      case 'subquery':
        return typed(this.#context.bindSubquery(node.query, this.#place.scope, node.at), node.at);
      default:
        return unreachable(node);
    }
  }

  #bindName(node: Node<'name'>): Operand {
    const { scope, aliases, origins } = this.#place;
    const column = scope.find(node.parts, node.at);
    if (column !== null) {
      const expr = columnExpr(column);
      origins?.set(expr, { name: column.name, at: node.at });
      return typed(expr, node.at);
    }
    const alias = node.parts.length === 1 ? aliases?.(node.parts[0]!, node.at) : null;
    if (alias) return alias;
    throw scope.unknown(node.parts, node.at);
  }

  // ── operators ─────────────────────────────────────────────────────────────────────────────────────────────

  #bindBinary(node: Node<'binary'>): Operand {
    const left = this.bind(node.left);
    const right = this.bind(node.right);
    const { operator } = node;
    if (compareSigns.has(operator))
      return typed(this.#compare(operator as CompareOperator, left, right, node.at), node.at);
    const name = operator === '^' ? 'power' : operatorFunctions[operator as keyof typeof operatorFunctions];
    const operands = operator === '||' ? [left, right] : settleDecimals([left, right]);
    return this.#bindFunction(name, operator, operands, node.at);
  }

  /** Sides are cast to the type that both compare as. */
  #compare(op: CompareOperator, first: Operand, second: Operand, at: Position): Expr {
    const [left, right] = settleDecimals([first, second]) as [Operand, Operand];
    const type = this.#comparisonType(op, left, right, at);
    // DECIMALs compare whatever their scales, and a column without a cast can use its indexes.
    const keep = (side: Operand): boolean => side.type?.name === 'DECIMAL' && type.name === 'DECIMAL';
    const cast = (side: Operand): Expr => (keep(side) ? side.expr : this.coerce(side, type));
    return { kind: 'compare', type: BOOLEAN, op, left: cast(left), right: cast(right) };
  }

  #comparisonType(operator: BinaryOperator | 'IN', left: Operand, right: Operand, at: Position): Type {
    const type = comparisonType(left.type, right.type);
    if (type === null || type.name === 'JSON') throw noOperator(operator, [left, right], at);
    return type;
  }

  #bindIn(node: Node<'in'>): Operand {
    const [arg, ...values] = settleDecimals([node.arg, ...node.values].map(operand => this.bind(operand))) as [
      Operand,
      ...Operand[],
    ];
    const types = [arg, ...values].map(operand => operand.type);
    const common = commonType(types);
    if (common === null || common.name === 'JSON') {
      const odd = values.find(value => commonType([arg.type, value.type]) === null) ?? values[0]!;
      throw noOperator('IN', [arg, odd], odd.at);
    }
    const type = common.name === 'FLOAT' ? comparisonType(arg.type, common)! : common;
    const left = this.coerce(arg, type);
    const items = values.map(value => this.coerce(value, type));
    const constants = items.filter(isLiteral);
    const tests: Expr[] = items
      .filter(item => !isLiteral(item))
      .map(right => ({ kind: 'compare', type: BOOLEAN, op: '=', left, right }));
    if (constants.length > 0)
      tests.push({ kind: 'in', type: BOOLEAN, arg: left, values: constants.map(constant => constant.value) });
    const test: Expr = tests.length === 1 ? tests[0]! : { kind: 'or', type: BOOLEAN, args: tests };
    return typed(negated(test, node.isNegated), node.at);
  }

  #bindLike(node: Node<'like'>): Operand {
    const word = node.isCaseInsensitive ? 'ILIKE' : 'LIKE';
    const arg = this.bind(node.arg);
    const pattern = this.bind(node.pattern);
    for (const side of [arg, pattern])
      if (side.type !== null && side.type.name !== 'STRING') throw noOperator(word, [arg, pattern], node.at);
    const patternExpr = this.coerce(pattern, STRING);
    const escapedBy = node.escape === null ? '\\' : this.#constantText(this.bind(node.escape), `${word} ESCAPE`);
    if (!isLiteral(patternExpr))
      throw fault('UNSUPPORTED', `the pattern of ${word} must be a constant`, { position: pattern.at });
    if (escapedBy === null || patternExpr.value === null) return typed(booleanLiteral(null), node.at);
    if ([...escapedBy].length > 1)
      throw fault('INVALID_LITERAL', `an escape of ${[...escapedBy].length} characters; at most one`, {
        position: node.escape!.at,
      });
    const like: Expr = {
      kind: 'like',
      type: BOOLEAN,
      arg: this.coerce(arg, STRING),
      pattern: checkPattern(patternExpr.value as string, escapedBy, pattern.at),
      escape: escapedBy === '' ? null : escapedBy,
      caseInsensitive: node.isCaseInsensitive,
    };
    return typed(negated(like, node.isNegated), node.at);
  }

  #constantText(operand: Operand, what: string): string | null {
    const expr = this.coerce(operand, STRING);
    if (!isLiteral(expr)) throw fault('UNSUPPORTED', `${what} must be a constant`, { position: operand.at });
    return expr.value as string | null;
  }

  #bindIs(node: Node<'is'>): Operand {
    if (node.test === 'null') {
      const arg = this.bindValue(node.arg);
      return typed(negated({ kind: 'isNull', type: BOOLEAN, arg }, node.isNegated), node.at);
    }
    const condition = this.bindCondition(node.arg, `IS ${node.test.toUpperCase()}`);
    const wanted = node.test === 'true' ? condition : not(condition);
    return typed(negated(coalesce(BOOLEAN, [wanted, booleanLiteral(false)]), node.isNegated), node.at);
  }

  /** `a IS NOT DISTINCT FROM b`: a = b where both are there, else whether both are not. */
  #bindDistinct(node: Node<'isDistinct'>): Operand {
    const left = this.bind(node.left);
    const right = this.bind(node.right);
    const equal = this.#compare('=', left, right, node.at);
    const isNull = (arg: Expr): Expr => ({ kind: 'isNull', type: BOOLEAN, arg });
    const bothNull: Expr = { kind: 'and', type: BOOLEAN, args: [isNull(left.expr), isNull(right.expr)] };
    return typed(negated(coalesce(BOOLEAN, [equal, bothNull]), !node.isNegated), node.at);
  }

  // ── CASE and calls ────────────────────────────────────────────────────────────────────────────────────────

  #bindCase(node: Node<'case'>): Operand {
    const subject = node.subject === null ? null : this.bind(node.subject);
    const whens = node.branches.map(({ when }) =>
      subject === null ? this.bindCondition(when, 'CASE WHEN') : this.#compare('=', subject, this.bind(when), when.at),
    );
    const results = node.branches.map(({ then }) => this.bind(then));
    if (node.otherwise !== null) results.push(this.bind(node.otherwise));
    const type = this.#unify('CASE', results);
    const values = results.map(result => this.coerce(result, type));
    const branches = whens.map((when, index) => ({ when, then: values[index]! }));
    return typed({ kind: 'case', type, branches, otherwise: values[whens.length] ?? null }, node.at);
  }

  #unify(what: string, operands: readonly Operand[]): Type {
    const type = commonType(operands.map(operand => operand.type));
    if (type !== null) return type;
    const first = operands.find(operand => operand.type !== null)!;
    const odd = operands.find(operand => commonType([first.type, operand.type]) === null) ?? first;
    throw fault('TYPE_MISMATCH', `${what} types ${typeText(first.type!)} and ${openTypeText(odd)} cannot be matched`, {
      position: odd.at,
      hint: 'CAST one to the type of the other',
    });
  }

  #bindCall(node: Node<'call'>): Operand {
    const name = node.name.toLowerCase();
    if (isAggregateName(name)) return this.#bindAggregate(node, name);
    if (node.isStar || node.isDistinct || node.filter !== null) {
      if (!isFunctionName(name)) throw unknownFunction(name, functionSuggestions(name), node.at);
      const what = node.isStar ? '(*)' : node.isDistinct ? 'DISTINCT' : 'FILTER';
      throw fault('TYPE_MISMATCH', `${what} is for aggregate functions, and ${name} is none`, { position: node.at });
    }
    const args = node.args.map(arg => this.bind(arg));
    if ((name === 'coalesce' && args.length === 0) || (name === 'nullif' && args.length !== 2))
      throw fault('TYPE_MISMATCH', `${name} takes ${name === 'nullif' ? '2 arguments' : 'at least 1 argument'}`, {
        position: node.at,
      });
    if (name === 'coalesce') {
      const type = this.#unify('COALESCE', args);
      const exprs = args.map(arg => this.coerce(arg, type));
      return typed(coalesce(type, exprs), node.at);
    }
    if (name === 'nullif') {
      const when = this.#compare('=', args[0]!, args[1]!, node.at);
      const otherwise = args[0]!.expr;
      const then = literal(otherwise.type, null);
      return typed({ kind: 'case', type: otherwise.type, branches: [{ when, then }], otherwise }, node.at);
    }
    if (name === 'jsonextractscalar') return this.#bindExtractScalar(node, args);
    return this.#bindFunction(name === 'localtimestamp' ? 'now' : node.name, null, args, node.at);
  }

  /** `operator`: how the call was written, where it was not as a call. */
  #bindFunction(name: string, operator: string | null, args: readonly Operand[], at: Position): Operand {
    const argTypes = args.map(arg => arg.type);
    const resolved: ResolvedCall | ResolveFailure = resolveScalar(name, argTypes);
    if (isFailure(resolved)) {
      if (resolved.kind === 'unknown') throw unknownFunction(name, resolved.suggestions, at);
      if (operator !== null) throw noOperator(operator, args, at);
      throw noFunction(name, args, resolved.candidates, at);
    }
    const call: Expr = {
      kind: 'call',
      type: resolved.returns,
      function: resolved.id,
      // The overload says which casts it takes, text of anything among them.
      args: args.map((arg, index) => this.coerce(arg, resolved.argTypes[index]!, 'explicit')),
      position: at,
    };
    return typed(foldCall(call, this.#context), at);
  }

  /** Pinot's JSONEXTRACTSCALAR(json, path, 'TYPE'[, default]). */
  #bindExtractScalar(node: Node<'call'>, args: readonly Operand[]): Operand {
    const [json, path, name, fallback] = args;
    if (args.length < 3 || args.length > 4)
      throw fault('TYPE_MISMATCH', 'jsonextractscalar takes 3 or 4 arguments', {
        position: node.at,
        hint: "write jsonextractscalar(json, '$.path', 'TYPE', default)",
      });
    const typeName = this.#constantText(name!, 'the type of jsonextractscalar') ?? '';
    const type = resolveType({ name: typeName.toLowerCase(), args: [], isArray: false, at: name!.at });
    const found = this.#bindFunction('json_value', null, [json!, path!], node.at);
    const value = this.coerce(found, type, 'explicit');
    return typed(
      fallback === undefined ? value : coalesce(type, [value, this.coerce(fallback, type, 'explicit')]),
      node.at,
    );
  }

  #bindAggregate(node: Node<'call'>, name: string): Operand {
    const { aggregates, clause, scope, origins } = this.#place;
    if (aggregates === null)
      throw fault(
        'NOT_GROUPED',
        clause === nestedClause
          ? 'aggregate calls cannot be nested'
          : `aggregate functions are not allowed in ${clause}`,
        { position: node.at, hint: clause === 'WHERE' ? 'use HAVING, or a subquery' : undefined },
      );
    if (node.isStar && name !== 'count')
      throw fault('TYPE_MISMATCH', `${name}(*) does not exist`, { position: node.at, hint: 'only COUNT takes *' });
    if (!node.isStar && node.args.length === 0)
      throw fault('TYPE_MISMATCH', `${name}() needs an argument`, {
        position: node.at,
        hint: name === 'count' ? 'COUNT(*) counts rows' : undefined,
      });
    const inner = new ExpressionBinder(this.#context, { scope, origins, aggregates: null, clause: nestedClause });
    const args = node.args.map(arg => inner.bind(arg));
    const resolved = resolveAggregate(
      name,
      args.map(arg => arg.type),
      node.isDistinct,
    );
    if (isFailure(resolved))
      throw noFunction(name, args, resolved.kind === 'mismatch' ? resolved.candidates : [], node.at);
    const exprs = args.map((arg, index) => this.coerce(arg, resolved.argTypes[index]!));
    const countsRows =
      name === 'count' && !node.isDistinct && exprs.every(expr => isLiteral(expr) && !isNullLiteral(expr));
    const call: AggregateCall = {
      function: resolved.function,
      args: countsRows ? [] : exprs,
      // The extremes of distinct values are the extremes of all.
      distinct: node.isDistinct && name !== 'min' && name !== 'max',
      filter: node.filter === null ? null : inner.bindCondition(node.filter, 'FILTER'),
      type: resolved.returns,
    };
    return typed(aggregates.add(call), node.at);
  }
}

const nestedClause = 'an aggregate';

export const not = (arg: Expr): Expr => ({ kind: 'not', type: BOOLEAN, arg });
const negated = (expr: Expr, isNegated: boolean): Expr => (isNegated ? not(expr) : expr);
const coalesce = (type: Type, args: readonly Expr[]): Expr =>
  args.length === 1 ? args[0]! : { kind: 'coalesce', type, args };

const intervalText = (node: Node<'interval'>): string => (node.unit === null ? node.text : `${node.text} ${node.unit}`);

/** As PostgreSQL: a pattern must not end in its escape character. */
function checkPattern(pattern: string, escapedBy: string, position: Position): string {
  if (escapedBy === '') return pattern;
  for (let index = 0; index < pattern.length; index++) {
    if (!pattern.startsWith(escapedBy, index)) continue;
    index += escapedBy.length;
    if (index >= pattern.length)
      throw fault('INVALID_LITERAL', 'LIKE pattern must not end with its escape character', { position });
  }
  return pattern;
}

const openTypeText = (operand: Operand): string => (operand.type === null ? 'a literal' : typeText(operand.type));

function noOperator(operator: string, args: readonly Operand[], position: Position): FaultError {
  const types = args.map(openTypeText);
  const written = types.length === 1 ? `${operator} ${types[0]}` : `${types[0]} ${operator} ${types[1]}`;
  const isMix = args.some(arg => arg.type?.name === 'STRING') && args.some(arg => arg.type && isNumeric(arg.type));
  return fault('TYPE_MISMATCH', `operator does not exist: ${written}`, {
    position,
    hint: isMix ? 'CAST the STRING to a number, or the number to STRING' : 'CAST one side to the type of the other',
  });
}

const unknownFunction = (name: string, suggestions: readonly string[], position: Position): FaultError =>
  fault('UNKNOWN_FUNCTION', `unknown function ${name}`, { position, hint: suggestionText(suggestions) });

function noFunction(
  name: string,
  args: readonly Operand[],
  candidates: readonly string[],
  position: Position,
): FaultError {
  const call = callText(
    name.toLowerCase(),
    args.map(arg => arg.type),
  );
  return fault('TYPE_MISMATCH', `function ${call} does not exist`, {
    position,
    hint: candidates.length === 0 ? undefined : `there is ${candidates.join(', ')}`,
  });
}
