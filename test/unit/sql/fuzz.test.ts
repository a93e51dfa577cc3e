/** Whatever comes in, a plan or a Fault comes out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { batchOf } from '../../../src/column/builder.ts';
import { JSON_TYPE, LONG, STRING, type Value } from '../../../src/column/type.ts';
import { createTransform } from '../../../src/exec/transform.ts';
import { decodePlan, encodePlan } from '../../../src/plan/codec.ts';
import { explainPlan } from '../../../src/plan/explain.ts';
import type { Node, QueryPlan } from '../../../src/plan/node.ts';
import { typesOf } from '../../../src/plan/shape.ts';
import type { TransformPlan } from '../../../src/plan/transform.ts';
import { addColumnsUsed } from '../../../src/plan/visit.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { bindTransform } from '../../../src/sql/bind-transform.ts';
import { parseStatement } from '../../../src/sql/parse.ts';
import { tokens } from '../../../src/sql/token.ts';
import { ManualClock } from '../../support/clock.ts';
import { catalog, nowMs, payments } from './fixture.ts';

/** Expressions of a node see columns that its source has, with their types. */
function checkNode(node: Node, plan: QueryPlan): void {
  const source = 'source' in node ? node.source : node;
  const types = typesOf(node.kind === 'aggregate' && node.mode === 'final' ? partialOf(node, plan) : source);
  const used = new Set<number>();
  const exprs =
    node.kind === 'scan' && node.filter !== null
      ? [node.filter]
      : node.kind === 'filter'
        ? [node.predicate]
        : node.kind === 'unnest'
          ? [node.expr]
          : node.kind === 'project'
            ? node.exprs
            : node.kind === 'sort'
              ? node.keys.map(key => key.expr)
              : node.kind === 'aggregate'
                ? [...node.keys, ...node.calls.flatMap(call => call.args)]
                : [];
  for (const expr of exprs) addColumnsUsed(expr, used);
  for (const index of used) expect(index).toBeLessThan(types.length);
  if ('source' in node) checkNode(node.source, plan);
}

function partialOf(node: Extract<Node, { kind: 'aggregate' }>, plan: QueryPlan): Node {
  const { source } = node;
  if (source.kind !== 'exchange') throw new Error('a final aggregate is over an exchange');
  const partial = plan.fragments[source.fragment]!;
  if (partial.kind !== 'aggregate') throw new Error('a final aggregate is over a partial one');
  return partial.source;
}

/** Parses, binds, explains, encodes; false where a Fault refused it. Anything else thrown fails the test. */
function survives(sql: string, parameters: readonly Value[]): boolean {
  try {
    const statement = parseStatement(sql);
    const given = Array.from(
      { length: Math.min(statement.parameterCount, 100) },
      (_, index) => parameters[index % parameters.length]!,
    );
    const bound = bindStatement(statement, { catalog, parameters: given, nowMs, timeZone: 'UTC' });
    if (bound.kind !== 'select' && bound.kind !== 'explain') return true;
    const { plan } = bound;
    expect(explainPlan(plan).length).toBeGreaterThan(0);
    expect(decodePlan(encodePlan(plan))).toEqual(withoutUndefined(plan));
    expect(typesOf(plan.fragments[0]!)).toEqual(plan.columns.map(column => column.type));
    for (const fragment of plan.fragments) checkNode(fragment, plan);
    return true;
  } catch (error) {
    if (error instanceof FaultError) return false;
    throw error;
  }
}

const withoutUndefined = (plan: QueryPlan): QueryPlan => structuredClone(plan);

const words = [
  ...tokens.filter(token => /^[A-Z_]+$/.test(token.name)).map(token => token.name),
  ...payments.columns.map(column => column.name),
  ...[
    'payments',
    'mixed',
    'system',
    'queries',
    'p',
    'x',
    'count',
    'sum',
    'avg',
    'lower',
    'coalesce',
    'nullif',
    'date_trunc',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '^',
    '=',
    '<>',
    '<',
    '<=',
    '>',
    '>=',
    '||',
    '->',
    '->>',
    '::',
    '(',
    ')',
    '[',
    ']',
    ',',
    '.',
    ';',
    '?',
    '$1',
    '$2',
  ],
  ...[
    '0',
    '1',
    '42',
    '1.5',
    '1e9',
    '3000000000',
    '9223372036854775808',
    "'a'",
    "'2024-01-01'",
    "'1 day'",
    "E'\\n'",
    "'$.a[0]'",
    '"ts"',
    '$offset',
  ],
  ...['KAFKA', 'message', 'extra', '$key', 'json_value', "'env:A'"],
  ...['int', 'text', 'timestamp', 'date', 'decimal', '--', '/*', '*/', "'", '"', '\\', 'é', '💥', '\0'],
];
const parameter = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.bigInt(),
  fc.string(),
  fc.constant(new Uint8Array([1, 255])),
  fc.constant({ months: 1, days: 2, ms: 3 }),
);
const parameters = fc.array(parameter, { minLength: 1, maxLength: 3 });

test('token soup', () => {
  const soup = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map(parts => parts.join(' '));
  fc.assert(
    fc.property(soup, parameters, (sql, given) => void survives(sql, given)),
    { numRuns: 800 },
  );
});

test('any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), parameters, (sql, given) => void survives(sql, given)),
    { numRuns: 300 },
  );
});

/** Statements of the right shape, most of which bind. */
const expression = fc.letrec<{ any: string; boolean: string; number: string }>(tie => ({
  number: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('amount', 'fee', 'tries', 'price', 'rate', '1', '2.5', '3000000000', '?', 'NULL'),
    fc
      .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/', '%'), tie('number'))
      .map(parts => `(${parts.join(' ')})`),
    tie('number').map(inner => `abs(${inner}::double)`),
    tie('number').map(inner => `-(${inner}::double)`),
    fc
      .tuple(tie('boolean'), tie('number'), tie('number'))
      .map(([when, a, b]) => `CASE WHEN ${when} THEN ${a} ELSE ${b} END`),
    fc.tuple(tie('number'), tie('number')).map(([a, b]) => `coalesce(${a}, ${b})`),
    fc.tuple(tie('number'), tie('number')).map(([a, b]) => `nullif(${a}, ${b})`),
    fc.constant('(SELECT max(amount) FROM payments)'),
  ),
  boolean: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('paid', 'TRUE', 'NULL', "ts > now() - INTERVAL '1 hour'", "country IN ('US', NULL)"),
    fc.constantFrom("merchant LIKE 'a%'", "ts::date = '2024-01-01'"),
    fc
      .tuple(tie('number'), fc.constantFrom('=', '<>', '<', '<=', '>', '>='), tie('number'))
      .map(parts => `(${parts.join(' ')})`),
    fc.tuple(tie('boolean'), fc.constantFrom('AND', 'OR'), tie('boolean')).map(parts => `(${parts.join(' ')})`),
    tie('boolean').map(inner => `NOT (${inner})`),
    fc.tuple(tie('any'), fc.constantFrom('IS NULL', 'IS NOT NULL')).map(([a, b]) => `(${a}) ${b}`),
    fc.tuple(tie('number'), tie('number'), tie('number')).map(([a, b, c]) => `${a} BETWEEN ${b} AND ${c}`),
    fc.tuple(tie('number'), tie('number')).map(([a, b]) => `${a} IS NOT DISTINCT FROM ${b}`),
    fc.tuple(tie('number'), tie('number'), tie('number')).map(([a, b, c]) => `${a} NOT IN (${b}, ${c})`),
  ),
  any: fc.oneof(
    { maxDepth: 3 },
    tie('number'),
    tie('boolean'),
    fc.constantFrom('merchant', 'ts', 'country', "date_trunc('hour', ts)", 'lower(merchant)', '1'),
  ),
}));
const aggregate = fc.oneof(
  fc.constantFrom('count(*)', 'count(DISTINCT merchant)', 'max(ts)'),
  fc.tuple(fc.constantFrom('sum', 'avg', 'min'), expression.number).map(([name, arg]) => `${name}((${arg})::double)`),
  fc.tuple(expression.any, expression.boolean).map(([arg, filter]) => `count(${arg}) FILTER (WHERE ${filter})`),
);
const from = fc.constantFrom(
  ' FROM payments',
  ' FROM (SELECT * FROM payments WHERE fee > 1 ORDER BY ts LIMIT 9) p',
  ' FROM (SELECT *, lower(id) AS low FROM payments) p',
);
const clause = (word: string, inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(inner, { nil: null }).map(text => (text === null ? '' : ` ${word} ${text}`));
const limit = clause('LIMIT', fc.constantFrom('0', '5', '5 OFFSET 2', 'ALL'));
const list = (items: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(items, { minLength: 1, maxLength: 3 }).map(parts => parts.join(', '));

const plain = fc
  .tuple(
    list(fc.oneof(expression.any, fc.constant('*'))).map(items => `SELECT ${items}`),
    from,
    clause('WHERE', expression.boolean),
    clause('ORDER BY', fc.oneof(expression.any, fc.constantFrom('1', '1 DESC NULLS LAST, fee'))),
    limit,
  )
  .map(parts => parts.join(''));
const grouped = fc
  .tuple(expression.any, list(aggregate), from, clause('WHERE', expression.boolean), aggregate, aggregate, limit)
  .map(
    ([key, calls, source, where, having, order, end]) =>
      `SELECT ${key} AS k, ${calls}${source}${where} GROUP BY k HAVING ${having} IS NOT NULL ORDER BY 1, ${order}${end}`,
  );

test.each([
  ['plain', plain],
  ['grouped', grouped],
])('statements of the right shape: %s', (_name, statements) => {
  let boundCount = 0;
  const numRuns = 200;
  fc.assert(
    fc.property(statements, fc.array(fc.integer(), { minLength: 1, maxLength: 2 }), (sql, given) => {
      if (survives(sql, given)) boundCount++;
    }),
    { numRuns },
  );
  expect(boundCount).toBeGreaterThan(numRuns / 4);
});

test('transforms: a plan that runs, or a Fault', () => {
  const fields = [
    { name: 'a', type: LONG },
    { name: 'b', type: STRING },
    { name: 'j', type: JSON_TYPE },
  ];
  const columns = ['a', 'b', 'j', 'n'].map((name, index) => ({
    ...{
      id: index + 1,
      name,
      type: [LONG, STRING, JSON_TYPE, LONG][index]!,
      nullable: name !== 'b',
      defaultValue: name === 'b' ? 'd' : null,
    },
  }));
  const part = fc.constantFrom(
    ...['a AS a', 'b AS b', "j->>'k' AS b", '10 / a AS a', 'j AS j', 'item AS j', 'CAST(b AS LONG) AS a', '$key AS b'],
    ...[
      'COUNT(*) AS n',
      'SUM(a) AS n',
      'MIN(a) AS a',
      'upper(b) AS b',
      '1 AS n',
      '*',
      'NULL AS b',
      '$offset AS n',
      'AVG(a) AS n',
    ],
  );
  const tail = fc.constantFrom(
    '',
    ' WHERE a > 1',
    ' WHERE false',
    ' GROUP BY b',
    ' GROUP BY a, b',
    ' GROUP BY 1',
    ' WHERE 1 / a > 0',
  );
  const from = fc.constantFrom(' FROM message', ' FROM message, UNNEST(j) AS item', ' FROM message, UNNEST(b) AS item');
  const cells: Record<string, fc.Arbitrary<Value>> = {
    a: fc.option(fc.bigInt({ min: -2n, max: 2n })),
    b: fc.constantFrom(null, '', 'x', '7', '[1,"x"]'),
    j: fc.constantFrom(null, '[]', '[1,{"k":"v"}]', '{"k":5}'),
    $key: fc.constantFrom(null, 'key'),
    $offset: fc.bigInt({ min: 0n, max: 9n }),
  };
  let bound = 0;
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), from, tail, fc.gen(), (parts, where, rest, gen) => {
      let plan: TransformPlan;
      try {
        plan = bindTransform({ sql: `SELECT ${parts.join(', ')}${where}${rest}`, fields }, columns);
      } catch (error) {
        expect(error).toBeInstanceOf(FaultError);
        return;
      }
      bound++;
      const rows = Array.from({ length: 12 }, (_, row) =>
        plan.message.map(({ name }) => (name === '$row' ? row : gen(() => cells[name]!))),
      );
      const batch = batchOf(
        plan.message.map(({ type }) => type),
        rows,
      );
      const { batch: out, rowOf, rejects, takenOf } = createTransform(plan, { clock: new ManualClock() }).run(batch);
      expect(out.columns.map(({ type }) => type)).toEqual(plan.columns.map(({ type }) => type));
      expect(rowOf).toHaveLength(out.rowCount);
      expect([...rowOf]).toEqual([...rowOf].sort((a, b) => a - b));
      expect(new Set(takenOf).size + rejects.length).toBeLessThanOrEqual(rows.length);
      expect(out.rowCount).toBeLessThanOrEqual(takenOf.length);
      const bad = new Set(rejects.map(({ row }) => row));
      expect(bad.size).toBe(rejects.length);
      for (const row of rowOf) expect(bad.has(row)).toBe(false);
    }),
    { numRuns: 1_000 },
  );
  expect(bound).toBeGreaterThan(50);
});
