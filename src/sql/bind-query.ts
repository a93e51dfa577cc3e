/**
 * Query → logical plan: `Node`s of one uncut tree, scans whole, aggregates `single`. `optimize/` makes it fast, and
 * `optimize/fragments` cuts it.
 */
import { fault, type Position } from '../base/fault.ts';
import { matchName } from '../catalog/name.ts';
import { LONG, type Type, type Value } from '../column/type.ts';
import { commonType } from '../function/coercion.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node, QueryPlan, SortKey } from '../plan/node.ts';
import { typesOf } from '../plan/shape.ts';
import { mapChildren, sameExpr, someExpr } from '../plan/visit.ts';
import type { Alias, Expression, FromItem, OrderItem, Query, Select, SelectItem, TableName, Values } from './ast.ts';
import { AggregateCollector, type BindPlace, ExpressionBinder, type StatementContext } from './bind-expression.ts';
import { type BoundFrom, bindUnnest } from './bind-unnest.ts';
import { resolveTable, type SqlCatalog } from './catalog.ts';
import { isLiteral } from './fold.ts';
import { columnCountMax } from './limits.ts';
import { coerce, type Operand, typed } from './operand.ts';
import { outputName } from './output-name.ts';
import { columnExpr, Scope, type ScopeColumn, scanColumns } from './scope.ts';

export interface BoundQuery {
  readonly node: Node;
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
  /** Where each output stands; for errors about what becomes of it. */
  readonly places: readonly Position[];
}

/** What queries of one statement share. Scalar subqueries become plans of their own, numbered within the plan around them. */
export interface QueryContext {
  readonly catalog: SqlCatalog;
  readonly parameters: readonly Value[];
  readonly nowMs: number;
  readonly timeZone: string;
  /** A relation that only this statement has: `message`, in a transform. */
  readonly relation?: (name: TableName) => BoundFrom | null;
  /** From logical plan to fragments. */
  finish(query: BoundQuery, subplans: readonly QueryPlan[]): QueryPlan;
}

/** Binds a query, without planning it. `subplanCount`: of its scalar subqueries. */
export function bindQuery(query: Query, context: QueryContext): BoundQuery & { readonly subplanCount: number } {
  const binder = new QueryBinder(context);
  const bound = binder.bind(query, null);
  return { ...bound, subplanCount: binder.subplans.length };
}

/** Binds and plans a whole query with its subqueries. */
export function planQuery(query: Query, context: QueryContext, outer: Scope | null = null): QueryPlan {
  const binder = new QueryBinder(context);
  const bound = binder.bind(query, outer);
  return context.finish(bound, binder.subplans);
}

/** LIMIT and OFFSET beyond this are all the rows there can be; their sum stays an exact number. */
const rowCountMax = 2 ** 52;

interface OutputItem {
  readonly name: string;
  readonly operand: Operand;
  /** Where GROUP BY means it by ordinal or alias; null for a column of `*`. */
  readonly expression: Expression | null;
}

class QueryBinder {
  readonly subplans: QueryPlan[] = [];
  readonly #query: QueryContext;
  readonly #statement: StatementContext;

  constructor(context: QueryContext) {
    this.#query = context;
    const { parameters, nowMs, timeZone } = context;
    this.#statement = {
      ...{ parameters, nowMs, timeZone },
      bindSubquery: (query, outer, at) => this.#bindSubquery(query, outer, at),
    };
  }

  bind(query: Query, outer: Scope | null): BoundQuery {
    const { body } = query;
    return body.kind === 'select' ? this.#bindSelect(body, query, outer) : this.#bindValues(body, query, outer);
  }

  #bindSubquery(query: Query, outer: Scope, position: Position): Expr {
    const plan = planQuery(query, this.#query, outer);
    if (plan.columns.length !== 1)
      throw fault('TYPE_MISMATCH', `a subquery as a value must return one column, not ${plan.columns.length}`, {
        position,
      });
    return { kind: 'subquery', type: plan.columns[0]!.type, index: this.subplans.push(plan) - 1 };
  }

  #binder(place: BindPlace): ExpressionBinder {
    return new ExpressionBinder(this.#statement, place);
  }

  // ── SELECT ────────────────────────────────────────────────────────────────────────────────────────────────

  #bindSelect(select: Select, query: Query, outer: Scope | null): BoundQuery {
    const from = this.#bindFrom(select.from, outer);
    const scope = new Scope(from.columns, outer);
    const where =
      select.where === null
        ? null
        : this.#binder({ scope, clause: 'WHERE', aggregates: null }).bindCondition(select.where, 'WHERE');
    let node: Node = where === null ? from.node : { kind: 'filter', source: from.node, predicate: where };

    const collector = new AggregateCollector(typesOf(from.node).length);
    const origins: NonNullable<BindPlace['origins']> = new WeakMap();
    const place: BindPlace = { scope, clause: 'SELECT', aggregates: collector, origins };
    const items = this.#bindItems(select.items, place);
    const aliases = (name: string, at: Position): Operand | null => findAlias(items, name, at)?.operand ?? null;
    const keys = this.#bindGroupBy(select.groupBy, items, place, aliases);
    const having =
      select.having === null
        ? null
        : this.#binder({ ...place, clause: 'HAVING', aliases }).bindCondition(select.having, 'HAVING');
    let outputs = items.map(item => item.operand.expr);
    let sortKeys = this.#bindOrderBy(query.orderBy, items, { ...place, clause: 'ORDER BY', aliases });

    if (keys.length > 0 || collector.calls.length > 0 || having !== null || select.groupBy.length > 0) {
      const overGroups = (expr: Expr): Expr => regroup(expr, keys, collector, origins);
      node = { kind: 'aggregate', mode: 'single', source: node, keys, calls: collector.calls };
      if (having !== null) node = { kind: 'filter', source: node, predicate: overGroups(having) };
      outputs = outputs.map(overGroups);
      sortKeys = sortKeys.map(key => ({ ...key, expr: overGroups(key.expr), at: key.at }));
    }
    if (select.isDistinct) {
      const json = items.find(item => item.operand.expr.type.name === 'JSON');
      if (json !== undefined) throw notGroupable(json.operand.at);
      node = { kind: 'aggregate', mode: 'single', source: node, keys: outputs, calls: [] };
      sortKeys = sortKeys.map(key => ({ ...key, expr: distinctKey(key.expr, outputs, key.at) }));
      outputs = outputs.map((expr, index) => ({ kind: 'column', type: expr.type, index }));
    }
    const source = this.#orderAndLimit(node, sortKeys, query);
    return {
      node: { kind: 'project', source, exprs: outputs },
      columns: items.map((item, index) => ({ name: item.name, type: outputs[index]!.type })),
      places: items.map(item => item.operand.at),
    };
  }

  #bindItems(selectItems: readonly SelectItem[], place: BindPlace): OutputItem[] {
    const binder = this.#binder(place);
    const items: OutputItem[] = [];
    for (const item of selectItems) {
      if (item.kind === 'expression') {
        const operand = binder.bind(item.expression);
        items.push({
          name: item.alias ?? this.#nameOf(item.expression, operand, place),
          operand,
          expression: item.expression,
        });
        continue;
      }
      if (item.table === null && place.scope.columns.length === 0)
        throw fault('SYNTAX_ERROR', 'SELECT * needs a FROM', { position: item.at });
      for (const column of place.scope.expand(item.table, item.at)) {
        const expr = columnExpr(column);
        place.origins?.set(expr, { name: column.name, at: item.at });
        items.push({ name: column.name, operand: typed(expr, item.at), expression: null });
      }
    }
    if (items.length > columnCountMax)
      throw fault('LIMIT_EXCEEDED', `a result of ${items.length} columns; at most ${columnCountMax}`, {
        details: { limit: columnCountMax },
      });
    return items;
  }

  /** A column keeps the name that it is stored with, however it was written. */
  #nameOf(expression: Expression, operand: Operand, { origins }: BindPlace): string {
    const origin = origins?.get(operand.expr);
    if (origin !== undefined) return origin.name;
    if (operand.expr.kind === 'subquery') return this.subplans[operand.expr.index]!.columns[0]!.name;
    return outputName(expression);
  }

  /** A name means a column of FROM first, an output second; a number means an output. */
  #bindGroupBy(
    groupBy: readonly Expression[],
    items: readonly OutputItem[],
    place: BindPlace,
    aliases: NonNullable<BindPlace['aliases']>,
  ): Expr[] {
    const keys: Expr[] = [];
    const binder = this.#binder({ ...place, clause: 'GROUP BY', aggregates: null, aliases });
    const firstAggregate = place.aggregates!.firstIndex;
    for (const expression of groupBy) {
      const ordinal = ordinalOf(expression, items, 'GROUP BY');
      const key = ordinal === null ? binder.bindValue(expression) : ordinal.operand.expr;
      if (someExpr(key, part => part.kind === 'column' && part.index >= firstAggregate))
        throw fault('NOT_GROUPED', 'aggregate functions are not allowed in GROUP BY', { position: expression.at });
      if (key.type.name === 'JSON') throw notGroupable(expression.at);
      if (!keys.some(known => sameExpr(known, key))) keys.push(key);
    }
    return keys;
  }

  /** A name means an output first, a column of FROM second; a number means an output. */
  #bindOrderBy(
    orderBy: readonly OrderItem[],
    items: readonly OutputItem[],
    place: BindPlace,
  ): (SortKey & { readonly at: Position })[] {
    const binder = this.#binder(place);
    return orderBy.map(({ expression, isDescending, nullsFirst }) => {
      const { at } = expression;
      const named =
        expression.kind === 'name' && expression.parts.length === 1
          ? findAlias(items, expression.parts[0]!, at)
          : ordinalOf(expression, items, 'ORDER BY');
      const expr = named === null ? binder.bindValue(expression) : named.operand.expr;
      if (expr.type.name === 'JSON')
        throw fault('TYPE_MISMATCH', 'JSON has no order', { position: at, hint: 'CAST it to STRING' });
      return { expr, descending: isDescending, nullsFirst: nullsFirst ?? isDescending, at };
    });
  }

  #orderAndLimit(source: Node, keys: readonly (SortKey & { readonly at?: Position })[], query: Query): Node {
    const sortKeys = keys
      .filter(key => !isLiteral(key.expr))
      .map(({ expr, descending, nullsFirst }) => ({ expr, descending, nullsFirst }));
    let node = source;
    if (sortKeys.length > 0) node = { kind: 'sort', source: node, keys: sortKeys, limit: null };
    const count = this.#rowCount(query.limit, 'LIMIT');
    const offset = this.#rowCount(query.offset, 'OFFSET') ?? 0;
    return count === null && offset === 0 ? node : { kind: 'limit', source: node, offset, count };
  }

  /** A constant, non-negative; null where there is none, and for NULL. */
  #rowCount(expression: Expression | null, clause: 'LIMIT' | 'OFFSET'): number | null {
    if (expression === null) return null;
    const position = expression.at;
    const binder = this.#binder({ scope: new Scope([]), clause, aggregates: null });
    const value = binder.constantOf(binder.bind(expression), LONG);
    if (value === undefined) throw fault('UNSUPPORTED', `${clause} must be a constant`, { position });
    if (value === null) return null;
    const count = Number(value);
    if (count < 0) throw fault('INVALID_LITERAL', `${clause} must not be negative`, { position });
    return Math.min(count, rowCountMax);
  }

  // ── FROM ──────────────────────────────────────────────────────────────────────────────────────────────────

  #bindFrom(items: readonly FromItem[], outer: Scope | null): BoundFrom {
    const [item, second, third] = items;
    if (item === undefined) return { node: { kind: 'values', types: [], rows: [[]] }, columns: [] };
    const from = this.#bindFromItem(item, outer);
    if (second === undefined) return from;
    if (second.kind !== 'unnest') throw fault('UNSUPPORTED', 'joins are not supported yet', { position: second.at });
    if (third !== undefined) throw fault('UNSUPPORTED', 'one UNNEST at most', { position: third.at });
    const scope = new Scope(from.columns, outer);
    return bindUnnest(from, second, this.#binder({ scope, clause: 'UNNEST', aggregates: null }));
  }

  #bindFromItem(item: FromItem, outer: Scope | null): BoundFrom {
    if (item.kind === 'subquery') {
      const { node, columns } = this.bind(item.query, outer);
      return { node, columns: scopeColumns(columns, item.alias, null) };
    }
    if (item.kind === 'unnest')
      throw fault('SYNTAX_ERROR', 'UNNEST stands behind the table that it reads', {
        position: item.at,
        hint: 'write FROM table, UNNEST(column) AS item',
      });
    const relation = this.#query.relation?.(item.name);
    if (relation) return relation;
    if (item.fields !== null)
      throw fault('SYNTAX_ERROR', `the columns of ${item.name.text} are known: only a message declares its fields`, {
        position: item.name.at,
        hint: 'leave the parentheses out',
      });
    const found = resolveTable(this.#query.catalog, item.name);
    if (found.kind === 'system') {
      const { name, columns } = found.table;
      return {
        node: { kind: 'inline', name, columns },
        columns: scopeColumns(columns, item.alias, name.split('.').at(-1)!),
      };
    }
    const { definition } = found;
    const columns = scanColumns(definition);
    return {
      node: { kind: 'scan', tableId: definition.id, table: definition.name, columns, filter: null, limit: null },
      columns: scopeColumns(columns, item.alias, definition.name, definition.columns.length),
    };
  }

  // ── VALUES ────────────────────────────────────────────────────────────────────────────────────────────────

  #bindValues(values: Values, query: Query, outer: Scope | null): BoundQuery {
    const binder = this.#binder({ scope: new Scope([], outer), clause: 'VALUES', aggregates: null });
    const rows = values.rows.map(row => row.map(cell => binder.bind(cell)));
    const width = rows[0]!.length;
    const uneven = rows.find(row => row.length !== width);
    if (uneven !== undefined)
      throw fault('SYNTAX_ERROR', 'VALUES lists must all have the same length', { position: uneven[0]!.at });
    const types = rows[0]!.map((first, index) => {
      const cells = rows.map(row => row[index]!);
      const type = commonType(cells.map(cell => cell.type));
      if (type !== null) return type;
      throw fault('TYPE_MISMATCH', `VALUES column ${index + 1} mixes types`, { position: first.at });
    });
    const exprs = rows.map(row => row.map((cell, index) => coerce(cell, types[index]!, 'implicit', this.#statement)));
    const columns = types.map((type, index) => ({ name: `column${index + 1}`, type }));
    const scope = new Scope(scopeColumns(columns, null, null), outer);
    const items = scope.columns.map(column => ({
      name: column.name,
      operand: typed(columnExpr(column), values.at),
      expression: null,
    }));
    const sortKeys = this.#bindOrderBy(query.orderBy, items, { scope, clause: 'ORDER BY', aggregates: null });
    const node = this.#orderAndLimit({ kind: 'values', types, rows: exprs }, sortKeys, query);
    return { node, columns, places: columns.map(() => values.at) };
  }
}

/** Output columns of a FROM item as names. From `visibleCount` on they are hidden. */
function scopeColumns(
  columns: readonly { readonly name: string; readonly type: Type }[],
  alias: Alias | null,
  tableName: string | null,
  visibleCount = columns.length,
): ScopeColumn[] {
  const table = alias?.name ?? tableName;
  const renamed = alias?.columns ?? [];
  if (renamed.length > visibleCount)
    throw fault('SYNTAX_ERROR', `${table} has ${visibleCount} columns, and ${renamed.length} names are given`, {
      position: renamed[visibleCount]!.at,
    });
  return columns.map(({ name, type }, index) => ({
    ...{ table, name: renamed[index]?.text ?? name, type, index },
    isHidden: index >= visibleCount,
  }));
}

/** The output that a bare whole number means. */
function ordinalOf(expression: Expression, items: readonly OutputItem[], clause: string): OutputItem | null {
  if (expression.kind !== 'number' || !/^-?\d+$/.test(expression.text)) return null;
  const item = items[Number(expression.text) - 1];
  if (item === undefined)
    throw fault('UNKNOWN_COLUMN', `${clause} position ${expression.text} is not in the select list`, {
      position: expression.at,
      hint: `it has ${items.length} ${items.length === 1 ? 'column' : 'columns'}`,
    });
  return item;
}

/** The output of that name. Two of one name are one if they mean the same. */
function findAlias(items: readonly OutputItem[], name: string, position: Position): OutputItem | null {
  const found = matchName(items, name);
  if (found.some(item => !sameExpr(item.operand.expr, found[0]!.operand.expr)))
    throw fault('AMBIGUOUS_NAME', `column ${name} is ambiguous`, {
      position,
      hint: 'several outputs have that name: give them different aliases',
    });
  return found[0] ?? null;
}

/** An expression over FROM's columns as one over the aggregate's output: its keys, then its calls. */
function regroup(
  expr: Expr,
  keys: readonly Expr[],
  collector: AggregateCollector,
  origins: NonNullable<BindPlace['origins']>,
): Expr {
  const key = keys.findIndex(candidate => sameExpr(candidate, expr));
  if (key !== -1) return { kind: 'column', type: expr.type, index: key };
  if (expr.kind !== 'column') return mapChildren(expr, child => regroup(child, keys, collector, origins));
  if (expr.index >= collector.firstIndex) return { ...expr, index: keys.length + expr.index - collector.firstIndex };
  const origin = origins.get(expr);
  throw fault(
    'NOT_GROUPED',
    `column ${origin?.name ?? '?'} must appear in GROUP BY or be used in an aggregate function`,
    {
      position: origin?.at,
      hint: origin === undefined ? undefined : `add ${origin.name} to GROUP BY, or write MIN(${origin.name})`,
    },
  );
}

const notGroupable = (position: Position): Error =>
  fault('TYPE_MISMATCH', 'JSON cannot be grouped', { position, hint: 'CAST it to STRING' });

function distinctKey(expr: Expr, outputs: readonly Expr[], position: Position): Expr {
  if (isLiteral(expr)) return expr;
  const index = outputs.findIndex(output => sameExpr(output, expr));
  if (index === -1)
    throw fault('NOT_GROUPED', 'for SELECT DISTINCT, ORDER BY expressions must appear in the select list', {
      position,
    });
  return { kind: 'column', type: expr.type, index };
}
