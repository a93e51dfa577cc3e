/**
 * Plans as JSON text and back. JSON lacks bigints, bytes, NaN, infinities and -0; a value of these becomes an object with
 * one key that no plan has: {"~bigint": "12"}, {"~bytes": "<base64>"}, {"~number": "NaN"}.
 *
 * Decoding trusts nothing: every field is checked against the shape of its node, and what no shape names is dropped.
 */
import { Buffer } from 'node:buffer';
import { fault, type Position } from '../base/fault.ts';
import type { Interval, Type, TypeName, Value } from '../column/type.ts';
import type { AggregateCall, CompareOperator, Expr } from './expr.ts';
import type { Node, QueryPlan, SortKey } from './node.ts';

export const encodePlan = (plan: QueryPlan): string => JSON.stringify(plan, escapeValue);

/** @throws {FaultError} CORRUPT_FRAME for anything that `encodePlan` did not write. */
export function decodePlan(text: string): QueryPlan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw fault('CORRUPT_FRAME', 'an encoded plan is not JSON', {}, { cause: error });
  }
  return decodeQueryPlan(parsed, 0);
}

// ── values ──────────────────────────────────────────────────────────────────────────────────────────────────

function escapeValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { '~bigint': String(value) };
  if (value instanceof Uint8Array) return { '~bytes': Buffer.from(value).toString('base64') };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { '~number': Object.is(value, -0) ? '-0' : String(value) };
  return value;
}

function decodeValue(raw: unknown): Value {
  if (raw === null || typeof raw === 'boolean' || typeof raw === 'number' || typeof raw === 'string') return raw;
  const fields = record(raw, 'value');
  if ('~bigint' in fields) {
    const digits = text(fields['~bigint']);
    if (!/^-?\d{1,60}$/.test(digits)) throw corrupt('bigint');
    return BigInt(digits);
  }
  if ('~bytes' in fields) return new Uint8Array(Buffer.from(text(fields['~bytes']), 'base64'));
  if ('~number' in fields) return oneOf(fields['~number'], ['NaN', 'Infinity', '-Infinity', '-0'], Number);
  return { months: number(fields.months), days: number(fields.days), ms: number(fields.ms) } satisfies Interval;
}

// ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Plans and expressions nest no deeper than this: several times what `sql` lets through, well below the stack. */
const depthMax = 2_000;

type Fields = Readonly<Record<string, unknown>>;
type Decode<T> = (raw: unknown, depth: number) => T;

const corrupt = (what: string) => fault('CORRUPT_FRAME', `an encoded plan has a malformed ${what}`);

function record(raw: unknown, what: string): Fields {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw corrupt(what);
  return raw as Fields;
}
function text(raw: unknown): string {
  if (typeof raw !== 'string') throw corrupt('text');
  return raw;
}
function number(raw: unknown): number {
  if (typeof raw !== 'number') {
    const value = typeof raw === 'object' && raw !== null && '~number' in raw ? decodeValue(raw) : null;
    if (typeof value !== 'number') throw corrupt('number');
    return value;
  }
  return raw;
}
/** A non-negative integer. */
function count(raw: unknown): number {
  if (!Number.isSafeInteger(raw) || (raw as number) < 0) throw corrupt('count');
  return raw as number;
}
function flag(raw: unknown): boolean {
  if (typeof raw !== 'boolean') throw corrupt('flag');
  return raw;
}
function oneOf<K extends string, T = K>(raw: unknown, allowed: readonly K[], convert?: (found: K) => T): T {
  const found = allowed.find(candidate => candidate === raw);
  if (found === undefined) throw corrupt('word');
  return convert ? convert(found) : (found as unknown as T);
}
function list<T>(raw: unknown, decode: Decode<T>, depth: number): T[] {
  if (!Array.isArray(raw)) throw corrupt('list');
  return raw.map(item => decode(item, depth));
}
const optional = <T>(raw: unknown, decode: Decode<T>, depth: number): T | null =>
  raw === null ? null : decode(raw, depth);

const typeNames: readonly TypeName[] = [
  ...(['BOOLEAN', 'INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL', 'TIMESTAMP'] as const),
  ...(['DATE', 'INTERVAL', 'STRING', 'UUID', 'JSON', 'BYTES'] as const),
];
const compareOperators: readonly CompareOperator[] = ['=', '<>', '<', '<=', '>', '>='];

const decodeType: Decode<Type> = raw => {
  const fields = record(raw, 'type');
  const name = oneOf(fields.name, typeNames);
  return name === 'DECIMAL' ? { name, precision: count(fields.precision), scale: count(fields.scale) } : { name };
};

const decodePosition: Decode<Position> = raw => {
  const { line, column, offset } = record(raw, 'position');
  return { line: count(line), column: count(column), offset: count(offset) };
};
const positionIn = (fields: Fields): { position?: Position } =>
  fields.position === undefined ? {} : { position: decodePosition(fields.position, 0) };

const decodeExpr: Decode<Expr> = (raw, above) => {
  const fields = record(raw, 'expression');
  const depth = above + 1;
  if (depth > depthMax) throw corrupt('nesting');
  const type = decodeType(fields.type, depth);
  const expr = (field: unknown): Expr => decodeExpr(field, depth);
  switch (fields.kind) {
    case 'literal':
      return { kind: 'literal', type, value: decodeValue(fields.value) };
    case 'column':
    case 'subquery':
      return { kind: fields.kind, type, index: count(fields.index) };
    case 'call':
      return {
        kind: 'call',
        type,
        function: text(fields.function),
        args: list(fields.args, expr, depth),
        ...positionIn(fields),
      };
    case 'cast':
      return { kind: 'cast', type, source: expr(fields.source), ...positionIn(fields) };
    case 'case': {
      const branches = list(
        fields.branches,
        branch => {
          const { when, then } = record(branch, 'branch');
          return { when: expr(when), then: expr(then) };
        },
        depth,
      );
      return { kind: 'case', type, branches, otherwise: optional(fields.otherwise, expr, depth) };
    }
    case 'coalesce':
    case 'and':
    case 'or':
      return { kind: fields.kind, type, args: list(fields.args, expr, depth) };
    case 'not':
    case 'isNull':
      return { kind: fields.kind, type, arg: expr(fields.arg) };
    case 'compare': {
      const op = oneOf(fields.op, compareOperators);
      return { kind: 'compare', type, op, left: expr(fields.left), right: expr(fields.right) };
    }
    case 'in':
      return { kind: 'in', type, arg: expr(fields.arg), values: list(fields.values, decodeValue, depth) };
    case 'like': {
      const caseInsensitive = flag(fields.caseInsensitive);
      return {
        ...{ kind: 'like', type, arg: expr(fields.arg) },
        ...{ pattern: text(fields.pattern), escape: optional(fields.escape, text, depth), caseInsensitive },
      };
    }
    default:
      throw corrupt('expression');
  }
};

const decodeCall: Decode<AggregateCall> = (raw, depth) => {
  const fields = record(raw, 'aggregate call');
  return {
    function: text(fields.function),
    args: list(fields.args, decodeExpr, depth),
    distinct: flag(fields.distinct),
    filter: optional(fields.filter, decodeExpr, depth),
    type: decodeType(fields.type, depth),
  };
};

const decodeSortKey: Decode<SortKey> = (raw, depth) => {
  const fields = record(raw, 'sort key');
  return {
    expr: decodeExpr(fields.expr, depth),
    descending: flag(fields.descending),
    nullsFirst: flag(fields.nullsFirst),
  };
};

const decodeNamed: Decode<{ name: string; type: Type }> = (raw, depth) => {
  const fields = record(raw, 'column');
  return { name: text(fields.name), type: decodeType(fields.type, depth) };
};

const decodeScanColumn: Decode<{ id: number; name: string; type: Type }> = (raw, depth) => {
  const { id } = record(raw, 'column');
  if (!Number.isSafeInteger(id)) throw corrupt('column id');
  return { id: id as number, ...decodeNamed(raw, depth) };
};

const decodeNode: Decode<Node> = (raw, above) => {
  const fields = record(raw, 'node');
  const depth = above + 1;
  if (depth > depthMax) throw corrupt('nesting');
  const source = (): Node => decodeNode(fields.source, depth);
  switch (fields.kind) {
    case 'scan':
      return {
        kind: 'scan',
        tableId: text(fields.tableId),
        table: text(fields.table),
        columns: list(fields.columns, decodeScanColumn, depth),
        filter: optional(fields.filter, decodeExpr, depth),
        limit: optional(fields.limit, count, depth),
      };
    case 'inline':
      return { kind: 'inline', name: text(fields.name), columns: list(fields.columns, decodeNamed, depth) };
    case 'values': {
      const rows = list(fields.rows, row => list(row, decodeExpr, depth), depth);
      return { kind: 'values', types: list(fields.types, decodeType, depth), rows };
    }
    case 'filter':
      return { kind: 'filter', source: source(), predicate: decodeExpr(fields.predicate, depth) };
    case 'unnest':
      return {
        kind: 'unnest',
        source: source(),
        expr: decodeExpr(fields.expr, depth),
        type: decodeType(fields.type, depth),
      };
    case 'project':
      return { kind: 'project', source: source(), exprs: list(fields.exprs, decodeExpr, depth) };
    case 'aggregate':
      return {
        kind: 'aggregate',
        mode: oneOf(fields.mode, ['single', 'partial', 'final']),
        source: source(),
        keys: list(fields.keys, decodeExpr, depth),
        calls: list(fields.calls, decodeCall, depth),
      };
    case 'sort':
      return {
        kind: 'sort',
        source: source(),
        keys: list(fields.keys, decodeSortKey, depth),
        limit: optional(fields.limit, count, depth),
      };
    case 'limit':
      return {
        kind: 'limit',
        source: source(),
        offset: count(fields.offset),
        count: optional(fields.count, count, depth),
      };
    case 'exchange':
      return {
        kind: 'exchange',
        mode: oneOf(fields.mode, ['gather']),
        fragment: count(fields.fragment),
        types: list(fields.types, decodeType, depth),
      };
    default:
      throw corrupt('node');
  }
};

const decodeQueryPlan: Decode<QueryPlan> = (raw, above) => {
  const fields = record(raw, 'plan');
  const depth = above + 1;
  if (depth > depthMax) throw corrupt('nesting');
  return {
    fragments: list(fields.fragments, decodeNode, depth),
    columns: list(fields.columns, decodeNamed, depth),
    subplans: list(fields.subplans, decodeQueryPlan, depth),
    tableIds: list(fields.tableIds, text, depth),
    systemTables: list(fields.systemTables, text, depth),
  };
};
