/** Expressions over dense rows. Compiled once per fragment into closures; NULLs are three-valued throughout. */
import { unreachable } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import { isPooled, type Type, type Value } from '../column/type.ts';
import type { Nulls, Vector } from '../column/vector.ts';
import { castVector } from '../function/cast.ts';
import { scalarFunction } from '../function/catalogue.ts';
import { compareDoubles } from '../function/compare.ts';
import { compareIntervals, intervalLengthMs } from '../function/datetime.ts';
import type { FunctionContext } from '../function/scalar.ts';
import { compareEntries } from '../function/strings.ts';
import { toBigints, unionNulls, vectorOf } from '../function/vectors.ts';
import type { CompareOperator, Expr } from '../plan/expr.ts';
import { EntryTable, entryTestOf } from './entry-test.ts';
import { gatherVector, type Input, morselRows, subset } from './input.ts';
import { ValueBuffer } from './row-buffer.ts';

/** The expression's value for every row of the input. The vector may be the input's own: borrowed. */
export type Evaluator = (input: Input) => Vector;
export type BoolVector = Extract<Vector, { form: 'bool' }>;

/**
 * @param context Borrowed for as long as the evaluator is used.
 * @throws FaultError INTERNAL for a subquery that has no value yet. The evaluator throws what functions and casts throw.
 */
export function compileExpr(expr: Expr, context: FunctionContext): Evaluator {
  const compile = (child: Expr): Evaluator => compileExpr(child, context);
  const table = entryTestOf(expr);
  if (table) return compileEntryTest(compile(columnOf(expr)), new EntryTable(table.test), nullOnMiss(expr));
  switch (expr.kind) {
    case 'literal':
      return compileLiteral(expr.type, expr.value);
    case 'column':
      return input => input.column(expr.index);
    case 'call': {
      const implementation = scalarFunction(expr.function);
      const args = expr.args.map(compile);
      const types = { args: expr.args.map(arg => arg.type), result: expr.type };
      return located(expr.position, input =>
        implementation.evaluate(
          args.map(arg => arg(input)),
          input.length,
          context,
          types,
        ),
      );
    }
    case 'cast': {
      const source = compile(expr.source);
      return located(expr.position, input =>
        castVector(source(input), expr.source.type, expr.type, input.length, context),
      );
    }
    case 'case':
      return compileCase(
        expr.branches.map(branch => ({ when: compile(branch.when), then: compile(branch.then) })),
        expr.otherwise && compile(expr.otherwise),
        expr.type,
      );
    case 'coalesce':
      return compileCoalesce(expr.args.map(compile), expr.type);
    case 'and':
    case 'or':
      return compileLogic(expr.args.map(compile), expr.kind === 'and' ? 0 : 1);
    case 'not': {
      const arg = compile(expr.arg);
      return input => {
        const { values, nulls } = arg(input) as BoolVector;
        return { form: 'bool', length: input.length, nulls, values: values.map(value => value ^ 1) };
      };
    }
    case 'compare': {
      const left = compile(expr.left);
      const right = compile(expr.right);
      const scales = [expr.left.type.scale ?? 0, expr.right.type.scale ?? 0] as const;
      const floating = expr.left.type.name === 'DOUBLE' || expr.left.type.name === 'FLOAT';
      return input => compareVectors(expr.op, left(input), right(input), input.length, floating, scales);
    }
    case 'in':
      if (!isPooled(expr.arg.type)) return compileIn(compile(expr.arg), expr.arg.type, expr.values);
      return compileComputedTest(expr, compile(expr.arg));
    case 'isNull': {
      const arg = compile(expr.arg);
      return input => {
        const { nulls } = arg(input);
        const values = nulls ? nulls.subarray(0, input.length) : new Uint8Array(input.length);
        return { form: 'bool', length: input.length, nulls: null, values };
      };
    }
    case 'like':
      return compileComputedTest(expr, compile(expr.arg));
    case 'subquery':
      throw fault('INTERNAL', 'a subquery reached execution without its value');
    default:
      return unreachable(expr);
  }
}

/** A predicate: NULL counts as false. */
export const isTrue = ({ values, nulls }: BoolVector, row: number): boolean => values[row] === 1 && !nulls?.[row];

/** Errors of a call or cast learn where in the SQL it stands. */
function located(position: Extract<Expr, { kind: 'call' }>['position'], evaluate: Evaluator): Evaluator {
  if (!position) return evaluate;
  return input => {
    try {
      return evaluate(input);
    } catch (error) {
      throw withPosition(error, position);
    }
  };
}

function withPosition(error: unknown, position: NonNullable<Extract<Expr, { kind: 'call' }>['position']>): unknown {
  if (!(error instanceof Error) || !('fault' in error)) return error;
  const { code, message, kind: _, ...extras } = (error as import('../base/fault.ts').FaultError).fault;
  return extras.position ? error : fault(code, message, { ...extras, position });
}

function compileLiteral(type: Type, value: Value): Evaluator {
  const one = vectorOf(type, [value]);
  const zeros = new Uint32Array(morselRows);
  let many = gatherVector(one, zeros, morselRows);
  return input => {
    if (input.length > many.length) many = gatherVector(one, new Uint32Array(input.length), input.length);
    return { ...many, length: input.length };
  };
}

const columnOf = (expr: Expr): Expr => {
  if (expr.kind === 'not') return columnOf(expr.arg);
  if (expr.kind === 'compare') return expr.left;
  if (expr.kind === 'in' || expr.kind === 'like') return expr.arg;
  throw new Error('an entry test is of a comparison, IN or LIKE');
};

const nullOnMiss = (expr: Expr): boolean => expr.kind === 'in' && expr.values.includes(null);

/** An entry test of a computed string; of a column it is one as it stands. */
function compileComputedTest(expr: Extract<Expr, { kind: 'in' | 'like' }>, arg: Evaluator): Evaluator {
  const column: Expr = { kind: 'column', type: expr.arg.type, index: 0 };
  return compileEntryTest(arg, new EntryTable(entryTestOf({ ...expr, arg: column })!.test), nullOnMiss(expr));
}

function compileEntryTest(arg: Evaluator, table: EntryTable, missIsNull: boolean): Evaluator {
  return input => {
    const vector = arg(input);
    if (vector.form !== 'string') throw new Error(`a string test got a ${vector.form} vector`);
    const { ids, pool, length } = vector;
    const values = new Uint8Array(length);
    if (pool.distinct && pool.count <= length * 4) {
      const answers = table.of(pool);
      for (let row = 0; row < length; row++) values[row] = answers[ids[row]!]!;
    } else
      for (let row = 0; row < length; row++) values[row] = !vector.nulls?.[row] && table.holds(pool, ids[row]!) ? 1 : 0;
    return { form: 'bool', length, nulls: missIsNull ? missNulls(values, vector.nulls) : vector.nulls, values };
  };
}

function missNulls(values: Uint8Array, nulls: Nulls): Nulls {
  return values.map((value, row) => (value === 0 || nulls?.[row] ? 1 : 0));
}

/** AND (`decided` 0) and OR (`decided` 1): an argument sees only the rows that those before it left open. */
function compileLogic(args: readonly Evaluator[], decided: 0 | 1): Evaluator {
  return input => {
    const { length } = input;
    const values = new Uint8Array(length).fill(1 - decided);
    let nulls: Uint8Array | null = null;
    let open = new Uint32Array(length);
    let openCount = length;
    for (let row = 0; row < length; row++) open[row] = row;
    for (const arg of args) {
      if (openCount === 0) break;
      const part = arg(openCount === length ? input : subset(input, open, openCount)) as BoolVector;
      const stillOpen = new Uint32Array(openCount);
      let count = 0;
      for (let index = 0; index < openCount; index++) {
        const row = open[index]!;
        if (part.nulls?.[index]) {
          (nulls ??= new Uint8Array(length))[row] = 1;
        } else if (part.values[index] === decided) {
          values[row] = decided;
          if (nulls) nulls[row] = 0;
          continue;
        }
        stillOpen[count++] = row;
      }
      open = stillOpen;
      openCount = count;
    }
    return { form: 'bool', length, nulls, values };
  };
}

interface Part {
  readonly rows: Uint32Array;
  readonly count: number;
  readonly vector: Vector;
}

/** Puts parts that together hold every row once back into row order. */
function assemble(type: Type, length: number, parts: readonly Part[]): Vector {
  if (parts.length === 1 && parts[0]!.count === length) return parts[0]!.vector;
  const buffer = new ValueBuffer(type);
  const order = new Uint32Array(length);
  let at = 0;
  for (const { rows, count, vector } of parts) {
    for (let index = 0; index < count; index++) order[rows[index]!] = at++;
    buffer.append(vector);
  }
  return gatherVector(buffer.vector(), order, length);
}

const allRows = (length: number): Uint32Array => Uint32Array.from({ length }, (_, row) => row);
const nullsOf = (type: Type, length: number): Vector =>
  gatherVector(vectorOf(type, [null]), new Uint32Array(length), length);

function compileCase(
  branches: readonly { when: Evaluator; then: Evaluator }[],
  otherwise: Evaluator | null,
  type: Type,
): Evaluator {
  return input => {
    const parts: Part[] = [];
    let open = allRows(input.length);
    let openCount = input.length;
    for (const { when, then } of branches) {
      if (openCount === 0) break;
      const left = openCount === input.length ? input : subset(input, open, openCount);
      const condition = when(left) as BoolVector;
      const taken = new Uint32Array(openCount);
      const rest = new Uint32Array(openCount);
      let takenCount = 0;
      let restCount = 0;
      for (let index = 0; index < openCount; index++) {
        if (isTrue(condition, index)) taken[takenCount++] = open[index]!;
        else rest[restCount++] = open[index]!;
      }
      if (takenCount > 0)
        parts.push({ rows: taken, count: takenCount, vector: then(subset(input, taken, takenCount)) });
      open = rest;
      openCount = restCount;
    }
    if (openCount > 0 || parts.length === 0) {
      const vector = otherwise ? otherwise(subset(input, open, openCount)) : nullsOf(type, openCount);
      parts.push({ rows: open, count: openCount, vector });
    }
    return assemble(type, input.length, parts);
  };
}

function compileCoalesce(args: readonly Evaluator[], type: Type): Evaluator {
  return input => {
    const parts: Part[] = [];
    let open = allRows(input.length);
    let openCount = input.length;
    for (const [position, arg] of args.entries()) {
      const vector = arg(openCount === input.length ? input : subset(input, open, openCount));
      if (vector.nulls === null || position === args.length - 1) {
        parts.push({ rows: open, count: openCount, vector });
        break;
      }
      const present = new Uint32Array(openCount);
      const presentRows = new Uint32Array(openCount);
      const rest = new Uint32Array(openCount);
      let presentCount = 0;
      let restCount = 0;
      for (let index = 0; index < openCount; index++) {
        if (vector.nulls[index]) rest[restCount++] = open[index]!;
        else {
          present[presentCount] = index;
          presentRows[presentCount++] = open[index]!;
        }
      }
      if (presentCount > 0)
        parts.push({ rows: presentRows, count: presentCount, vector: gatherVector(vector, present, presentCount) });
      open = rest;
      openCount = restCount;
      if (openCount === 0) break;
    }
    return assemble(type, input.length, parts);
  };
}

function compileIn(arg: Evaluator, type: Type, values: readonly Value[]): Evaluator {
  const hasNull = values.includes(null);
  const keyOf = (value: unknown): unknown =>
    typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'object' && value
        ? intervalLengthMs(value as never)
        : value;
  const present = values.filter(value => value !== null).map(keyOf);
  const members = new Set(type.name === 'LONG' ? present.map(value => Number(value)) : present);
  const bigMembers = new Set(type.name === 'LONG' ? present.map(value => BigInt(value as bigint)) : []);
  return input => {
    const vector = arg(input);
    if (vector.form === 'string') throw new Error('IN over strings is an entry test');
    const values = new Uint8Array(input.length);
    if (vector.form === 'bigint')
      for (let row = 0; row < input.length; row++) values[row] = bigMembers.has(vector.values[row]!) ? 1 : 0;
    else for (let row = 0; row < input.length; row++) values[row] = members.has(keyOf(vector.values[row])) ? 1 : 0;
    return {
      form: 'bool',
      length: input.length,
      nulls: hasNull ? missNulls(values, vector.nulls) : vector.nulls,
      values,
    };
  };
}

/** `floating`: NaN may occur; `scales`: of DECIMALs. */
function compareVectors(
  op: CompareOperator,
  left: Vector,
  right: Vector,
  length: number,
  floating: boolean,
  scales: readonly [number, number],
): BoolVector {
  const nulls = unionNulls([left, right], length);
  const values = new Uint8Array(length);
  const wanted = signs[op];
  const mark = (compare: (row: number) => number): void => {
    for (let row = 0; row < length; row++) values[row] = (wanted >> (Math.sign(compare(row)) + 1)) & 1;
  };
  if ((left.form === 'number' || left.form === 'bool') && (right.form === 'number' || right.form === 'bool')) {
    const a = left.values;
    const b = right.values;
    if (floating) mark(row => compareDoubles(a[row]!, b[row]!));
    else compareNumbers(op, a, b, length, values);
  } else if (left.form === 'string' && right.form === 'string') {
    mark(row => (nulls?.[row] ? 0 : compareEntries(left.pool, left.ids[row]!, right.pool, right.ids[row]!)));
  } else if (left.form === 'wide' && right.form === 'wide') {
    const scale = Math.max(...scales);
    const a = 10n ** BigInt(scale - scales[0]);
    const b = 10n ** BigInt(scale - scales[1]);
    mark(row => compareBigints(left.values[row]! * a, right.values[row]! * b));
  } else if (left.form === 'interval' && right.form === 'interval') {
    mark(row => compareIntervals(left.values[row]!, right.values[row]!));
  } else if (
    (left.form === 'bigint' || left.form === 'number') &&
    (right.form === 'bigint' || right.form === 'number')
  ) {
    const a = toBigints(left, length);
    const b = toBigints(right, length);
    mark(row => compareBigints(a[row]!, b[row]!));
  } else throw new Error(`cannot compare a ${left.form} with a ${right.form} vector`);
  return { form: 'bool', length, nulls, values };
}

const compareBigints = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Bit 0: holds when less, bit 1: when equal, bit 2: when greater. */
const signs: Record<CompareOperator, number> = { '<': 1, '=': 2, '<=': 3, '>': 4, '<>': 5, '>=': 6 };

function compareNumbers(
  op: CompareOperator,
  a: Float64Array | Uint8Array,
  b: Float64Array | Uint8Array,
  length: number,
  out: Uint8Array,
): void {
  switch (op) {
    case '=':
      for (let row = 0; row < length; row++) out[row] = a[row] === b[row] ? 1 : 0;
      return;
    case '<>':
      for (let row = 0; row < length; row++) out[row] = a[row] !== b[row] ? 1 : 0;
      return;
    case '<':
      for (let row = 0; row < length; row++) out[row] = a[row]! < b[row]! ? 1 : 0;
      return;
    case '<=':
      for (let row = 0; row < length; row++) out[row] = a[row]! <= b[row]! ? 1 : 0;
      return;
    case '>':
      for (let row = 0; row < length; row++) out[row] = a[row]! > b[row]! ? 1 : 0;
      return;
    case '>=':
      for (let row = 0; row < length; row++) out[row] = a[row]! >= b[row]! ? 1 : 0;
      return;
  }
}
