import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import type { Expression, Query } from '../../../src/sql/ast.ts';
import { Grammar } from '../../../src/sql/grammar/statements.ts';
import { nestingDepthMax, sqlTextLengthMax, tokenCountMax, treeDepthMax } from '../../../src/sql/limits.ts';
import { parseStatement } from '../../../src/sql/parse.ts';
import { faultText } from './fixture.ts';

function queryOf(sql: string): Query {
  const statement = parseStatement(sql);
  if (statement.kind !== 'query') throw new Error(`${sql} is a ${statement.kind}`);
  return statement.query;
}

/** An expression's tree with every operator in parentheses. */
function show(node: Expression): string {
  switch (node.kind) {
    case 'number':
      return node.text;
    case 'string':
      return `'${node.value}'`;
    case 'boolean':
      return String(node.value);
    case 'name':
      return node.parts.join('.');
    case 'parameter':
      return `$${node.index + 1}`;
    case 'interval':
      return `interval(${node.text}${node.unit === null ? '' : ` ${node.unit}`})`;
    case 'negate':
      return `(- ${show(node.arg)})`;
    case 'binary':
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
    case 'and':
    case 'or':
      return `(${node.args.map(show).join(` ${node.kind} `)})`;
    case 'not':
      return `(not ${show(node.arg)})`;
    case 'call':
      return `${node.name}(${node.isDistinct ? 'distinct ' : ''}${node.isStar ? '*' : node.args.map(show).join(', ')})`;
    case 'cast':
      return `cast(${show(node.source)} as ${node.type.name})`;
    case 'in':
      return `(${show(node.arg)} ${node.isNegated ? 'not in' : 'in'} [${node.values.map(show).join(', ')}])`;
    case 'between':
      return `(${show(node.arg)} ${node.isNegated ? 'not between' : 'between'} ${show(node.low)}..${show(node.high)})`;
    case 'like':
      return `(${show(node.arg)} ${node.isNegated ? 'not like' : 'like'} ${show(node.pattern)})`;
    case 'is':
      return `(${show(node.arg)} is ${node.isNegated ? 'not ' : ''}${node.test})`;
    default:
      return node.kind;
  }
}

function shown(expression: string): string {
  const { body } = queryOf(`SELECT ${expression}`);
  if (body.kind !== 'select') throw new Error('not a SELECT');
  const [item] = body.items;
  return item?.kind === 'expression' ? show(item.expression) : 'star';
}

describe('precedence is PostgreSQL’s', () => {
  test.each([
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 - 2 - 3', '((1 - 2) - 3)'],
    ['a OR b AND NOT c = d', '(a or (b and (not (c = d))))'],
    ['a AND b AND c OR d OR e', '((a and b and c) or d or e)'],
    ['NOT a IS NULL', '(not (a is null))'],
    ['a = b IS TRUE', '((a = b) is true)'],
    ['a || b = c', '((a || b) = c)'],
    ['a + b || c', '((a + b) || c)'],
    ['a LIKE b || c', '(a like (b || c))'],
    ['a < b AND c BETWEEN 1 + 1 AND 3 AND d', '((a < b) and (c between (1 + 1)..3) and d)'],
    ['a NOT BETWEEN 1 AND 2 OR b', '((a not between 1..2) or b)'],
    ['a NOT IN (1, 2) = b', '((a not in [1, 2]) = b)'],
    ['-2 ^ 2', '(-2 ^ 2)'],
    ['-a ^ 2', '((- a) ^ 2)'],
    ['2 * -3', '(2 * -3)'],
    ['- - 3', '3'],
    ['-a::text', '(- cast(a as text))'],
    ["a::date + INTERVAL '1' DAY", '(cast(a as date) + interval(1 day))'],
    ["DATE '2024-01-01' - 1", "(cast('2024-01-01' as date) - 1)"],
    ["TIMESTAMP '2024-01-01' AT TIME ZONE 'UTC'", "timezone('UTC', cast('2024-01-01' as timestamp))"],
    ['a NOT LIKE b AND NOT c', '((a not like b) and (not c))'],
    ['POSITION(a IN b)', 'position(a, b)'],
    ["TRIM(LEADING 'x' FROM a)", "ltrim(a, 'x')"],
    ['SUBSTRING(a FROM 2 FOR 3)', 'substring(a, 2, 3)'],
    ["EXTRACT('hour' FROM a)", "extract('hour', a)"],
    ['left(a, 2)', 'left(a, 2)'],
    ['COUNT(DISTINCT a)', 'COUNT(distinct a)'],
    ['?', '$1'],
    ['$2', '$2'],
  ])('%s', (expression, want) => expect(shown(expression)).toBe(want));
});

describe('words and signs', () => {
  test.each([
    ["'it''s'", "'it's'"],
    ["E'a\\n\\'b\\\\\\u0041'", "'a\n'b\\A'"],
    ['"a ""b"""', 'a "b"'],
    ['$offset', '$offset'],
    ['größe', 'größe'],
    ['status /* a /* nested */ comment */', 'status'],
    ['date -- a column', 'date'],
    ['.5', '.5'],
    ['1.', '1.'],
    ['1e-3', '1e-3'],
    ['t."Order"', 't.Order'],
    ['t.order', 't.order'],
    ['first', 'first'],
  ])('%s', (expression, want) => expect(shown(expression)).toBe(want));
});

test('one trailing semicolon, or several, or none', () => {
  for (const tail of ['', ';', ' ; ;', '; -- done'])
    expect(parseStatement(`SHOW TABLES${tail}`).kind).toBe('showTables');
});

test('LIMIT, OFFSET and FETCH in any order', () => {
  for (const tail of ['LIMIT 2 OFFSET 1', 'OFFSET 1 LIMIT 2', 'OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY']) {
    const { limit, offset } = queryOf(`SELECT 1 ${tail}`);
    expect([limit, offset]).toMatchObject([{ text: '2' }, { text: '1' }]);
  }
});

test('positions count lines and columns from 1, offsets from 0', () => {
  const { body } = queryOf('SELECT\r\n  a,\n\tb');
  if (body.kind !== 'select') throw new Error('not a SELECT');
  const places = body.items.map(item => item.kind === 'expression' && item.expression.at);
  expect(places).toEqual([
    { line: 2, column: 3, offset: 10 },
    { line: 3, column: 2, offset: 14 },
  ]);
});

describe('syntax errors', () => {
  test.each([
    ['', 'SYNTAX_ERROR 1:1 the statement is empty'],
    [' ; ', 'SYNTAX_ERROR 1:1 the statement is empty'],
    ['SELCT * FROM t', 'SYNTAX_ERROR 1:1 syntax error at or near "SELCT" (did you mean SELECT?)'],
    ['SELECT * FORM t', 'SYNTAX_ERROR 1:10 syntax error at or near "FORM" (did you mean FROM?)'],
    ['SELECT a FORM t', 'SYNTAX_ERROR 1:15 syntax error at or near "t" (did you mean FROM instead of FORM?)'],
    ['SELECT a FROM t WHERE', 'SYNTAX_ERROR 1:22 syntax error at end of input'],
    ['SELECT a FROM t GROUP a', 'SYNTAX_ERROR 1:23 syntax error at or near "a" (expected BY)'],
    ['SELECT a < b < c', 'SYNTAX_ERROR 1:14 syntax error at or near "<"'],
    ['SELECT (1', 'SYNTAX_ERROR 1:10 syntax error at end of input (expected ))'],
    ['SELECT a = NOT b', 'SYNTAX_ERROR 1:12 syntax error at or near "NOT"'],
    ['SELECT 1 LIMIT 1 LIMIT 2', 'SYNTAX_ERROR 1:18 syntax error at or near "LIMIT"'],
    ["SELECT 'abc", 'SYNTAX_ERROR 1:8 unterminated quoted string'],
    ['SELECT "abc', 'SYNTAX_ERROR 1:8 unterminated quoted identifier'],
    ['SELECT 1 /* a', 'SYNTAX_ERROR 1:10 unterminated comment'],
    ['SELECT 12ab', 'SYNTAX_ERROR 1:8 trailing junk after a numeric literal'],
    ['SELECT #', 'SYNTAX_ERROR 1:8 syntax error at or near "#"'],
    ['SELECT ""', 'SYNTAX_ERROR 1:8 a quoted name is empty'],
    ['SELECT TRIM()', 'SYNTAX_ERROR 1:13 syntax error at or near ")" (expected the text to trim)'],
    ['SHOW TABELS', 'SYNTAX_ERROR 1:6 syntax error at or near "TABELS" (did you mean TABLES?)'],
    ['SELECT 1; SELECT 2', 'UNSUPPORTED 1:11 one statement at a time (send the statements one by one)'],
    ['SELECT * FROM a JOIN b ON 1 = 1', 'UNSUPPORTED 1:17 joins are not supported yet'],
    ['SELECT 1 UNION SELECT 2', 'UNSUPPORTED 1:10 UNION is not supported yet'],
    ['WITH a AS (SELECT 1) SELECT 1', 'UNSUPPORTED 1:1 WITH queries are not supported yet'],
    ['SELECT sum(a) OVER () FROM t', 'UNSUPPORTED 1:15 window functions are not supported yet'],
    ['SELECT a IN (SELECT 1)', 'UNSUPPORTED 1:13 IN (SELECT …) is not supported yet'],
    ['SELECT ?, $1', 'INVALID_PARAMETER 1:11 a statement uses either ? or $1, not both'],
    ['SELECT $0', 'INVALID_PARAMETER 1:8 parameters are numbered from $1'],
  ])('%s', (sql, want) => expect(faultText(() => parseStatement(sql))).toBe(want));
});

describe('limits', () => {
  const refused = (sql: string): string => faultText(() => parseStatement(sql));
  const nested = (open: string, inner: string, close: string, levels: number): string =>
    `SELECT ${open.repeat(levels)}${inner}${close.repeat(levels)}`;

  test.each([
    ['parentheses', '(', '1', ')'],
    ['NOT', 'NOT ', 'true', ''],
    ['minus', '- ', 'a', ''],
    ['CASE', 'CASE WHEN true THEN ', '1', ' END'],
    ['scalar subqueries', '(SELECT ', '1', ')'],
    ['calls', 'f(', '1', ')'],
  ])('nesting of %s', (_what, open, inner, close) => {
    expect(refused(nested(open, inner, close, nestingDepthMax / 4))).toBe('no fault');
    expect(refused(nested(open, inner, close, 10_000))).toMatch(/^LIMIT_EXCEEDED .*deeper than 128 levels/);
  });

  test('a hundred thousand parentheses are refused, not run into', () => {
    expect(refused(`SELECT ${'('.repeat(100_000)}`)).toMatch(/^LIMIT_EXCEEDED/);
    expect(refused(`SELECT ${'(('.repeat(40_000)}`)).toMatch(/^LIMIT_EXCEEDED 1:\d+ the statement nests deeper/);
  });

  test('a chain of operators is a level each, one of AND or OR is one level', () => {
    expect(refused(`SELECT a${'+a'.repeat(treeDepthMax - 10)}`)).toBe('no fault');
    expect(refused(`SELECT a${'+a'.repeat(treeDepthMax)}`)).toMatch(/^LIMIT_EXCEEDED 1:\d+ .*more than 400 levels/);
    expect(refused(`SELECT a${'::text'.repeat(treeDepthMax)}`)).toMatch(/^LIMIT_EXCEEDED/);
    expect(refused(`SELECT a${' OR a'.repeat(20_000)}`)).toBe('no fault');
  });

  test('text, words, lists and names', () => {
    expect(refused(`SELECT '${'x'.repeat(sqlTextLengthMax)}'`)).toMatch(/^LIMIT_EXCEEDED - .* at most 262144/);
    expect(refused(`SELECT ${'1,'.repeat(tokenCountMax / 2)}1`)).toMatch(/^LIMIT_EXCEEDED 1:.* at most 100000/);
    expect(refused(`SELECT a IN (${'1,'.repeat(40_000)}1)`)).toBe(
      'LIMIT_EXCEEDED 1:13 an IN list of 40001 values; at most 32768',
    );
    expect(refused(`SELECT ${'x'.repeat(129)}`)).toBe('LIMIT_EXCEEDED 1:8 a name of 129 characters; at most 128');
    expect(refused('/*'.repeat(100_000))).toBe('SYNTAX_ERROR 1:1 unterminated comment');
  });
});

test('the grammar has no ambiguity that Chevrotain can see', () => {
  expect(() => new Grammar(true)).not.toThrow();
});

test('a fault leaves the parser fit for the next statement', () => {
  expect(() => parseStatement(`SELECT ? + ${'('.repeat(500)}`)).toThrow(FaultError);
  expect(parseStatement('SELECT $1, $3').parameterCount).toBe(3);
});
