import { expect, test } from 'vitest';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  typeText,
} from '../../../src/column/type.ts';
import {
  canCastExplicitly,
  canCastImplicitly,
  commonType,
  comparisonType,
  functionCatalogue,
  isFailure,
  resolveAggregate,
  resolveScalar,
  scalarFunction,
} from '../../../src/function/resolve.ts';

const show = (name: string, args: readonly (Type | null)[]): string => {
  const resolved = resolveScalar(name, args);
  if (isFailure(resolved)) return resolved.kind;
  return `${resolved.argTypes.map(typeText).join(' ')} -> ${typeText(resolved.returns)}`;
};
const check = (name: string, args: readonly (Type | null)[], want: string) => expect(show(name, args)).toBe(want);

test('operators over numbers choose as PostgreSQL', () => {
  check('add', [INT, INT], 'INT INT -> INT');
  check('ADD', [INT, LONG], 'LONG LONG -> LONG');
  check('add', [INT, decimal(5, 2)], 'DECIMAL(10,0) DECIMAL(5,2) -> DECIMAL(13,2)');
  check('multiply', [LONG, decimal(3, 2)], 'DECIMAL(19,0) DECIMAL(3,2) -> DECIMAL(22,2)');
  check('divide', [decimal(38, 2), LONG], 'DECIMAL(38,2) DECIMAL(19,0) -> DECIMAL(38,6)');
  check('divide', [decimal(12, 2), INT], 'DECIMAL(12,2) DECIMAL(10,0) -> DECIMAL(26,16)');
  check('add', [FLOAT, FLOAT], 'FLOAT FLOAT -> FLOAT');
  check('add', [FLOAT, INT], 'FLOAT DOUBLE -> DOUBLE');
  check('add', [decimal(5, 2), FLOAT], 'DOUBLE FLOAT -> DOUBLE');
  check('multiply', [DOUBLE, decimal(2, 1)], 'DOUBLE DOUBLE -> DOUBLE');
  check('add', [INT, null], 'INT INT -> INT');
  check('add', [null, decimal(5, 2)], 'DECIMAL(5,2) DECIMAL(5,2) -> DECIMAL(6,2)');
  check('modulo', [DOUBLE, DOUBLE], 'mismatch');
  check('add', [STRING, INT], 'mismatch');
  check('negate', [STRING], 'mismatch');
});

test('operators over moments choose as PostgreSQL', () => {
  check('subtract', [TIMESTAMP, TIMESTAMP], 'TIMESTAMP TIMESTAMP -> INTERVAL');
  check('subtract', [TIMESTAMP, DATE], 'TIMESTAMP TIMESTAMP -> INTERVAL');
  check('subtract', [TIMESTAMP, null], 'TIMESTAMP TIMESTAMP -> INTERVAL');
  check('add', [TIMESTAMP, null], 'TIMESTAMP INTERVAL -> TIMESTAMP');
  check('add', [DATE, INT], 'DATE INT -> DATE');
  check('subtract', [DATE, DATE], 'DATE DATE -> INT');
  check('add', [DATE, INTERVAL], 'DATE INTERVAL -> TIMESTAMP');
  check('add', [DATE, null], 'mismatch');
  check('multiply', [INT, INTERVAL], 'DOUBLE INTERVAL -> INTERVAL');
  check('multiply', [INTERVAL, decimal(3, 1)], 'INTERVAL DOUBLE -> INTERVAL');
  check('add', [TIMESTAMP, TIMESTAMP], 'mismatch');
});

test('functions choose as PostgreSQL', () => {
  check('round', [INT], 'DOUBLE -> DOUBLE');
  check('round', [decimal(5, 2)], 'DECIMAL(5,2) -> DECIMAL(4,0)');
  check('sign', [LONG], 'DOUBLE -> DOUBLE');
  check('abs', [null], 'DOUBLE -> DOUBLE');
  check('abs', [INT], 'INT -> INT');
  check('mod', [INT, LONG], 'LONG LONG -> LONG');
  check('length', [null], 'STRING -> INT');
  check('length', [BYTES], 'BYTES -> INT');
  check('lower', [INT], 'mismatch');
  check('date_trunc', [null, TIMESTAMP], 'STRING TIMESTAMP -> TIMESTAMP');
  check('date_trunc', [STRING, DATE], 'STRING TIMESTAMP -> TIMESTAMP');
  check('extract', [STRING, INTERVAL], 'STRING INTERVAL -> DOUBLE');
  check('greatest', [INT, null, decimal(3, 1)], 'DECIMAL(11,1) DECIMAL(11,1) DECIMAL(11,1) -> DECIMAL(11,1)');
  check('greatest', [INT, STRING], 'mismatch');
  check('concat', [INT, null, DATE], 'INT STRING DATE -> STRING');
  check('concat', [], 'mismatch');
  check('textcat', [null, INT], 'STRING STRING -> STRING');
  check('textcat', [null, null], 'STRING STRING -> STRING');
  check('textcat', [STRING, null], 'STRING STRING -> STRING');
  check('textcat', [INT, INT], 'mismatch');
  check('now', [], ' -> TIMESTAMP');
});

test('failures help', () => {
  expect(resolveScalar('subst', [])).toEqual({ kind: 'unknown', suggestions: ['substr'] });
  expect(resolveScalar('lenght', [STRING])).toEqual({ kind: 'unknown', suggestions: ['length'] });
  expect(resolveScalar('constructor', [])).toMatchObject({ kind: 'unknown' });
  expect(resolveScalar('lower', [])).toEqual({ kind: 'mismatch', candidates: ['lower(STRING)'] });
});

test('aggregates', () => {
  const agg = (name: string, arg: Type | null, distinct = false): string => {
    const resolved = resolveAggregate(name, [arg], distinct);
    return isFailure(resolved) ? resolved.kind : typeText(resolved.returns);
  };
  expect(resolveAggregate('COUNT', [], false)).toEqual({ function: 'count', argTypes: [], returns: LONG });
  expect(agg('count', JSON_TYPE)).toBe('LONG');
  expect(agg('count', JSON_TYPE, true)).toBe('mismatch');
  expect(agg('sum', INT)).toBe('LONG');
  expect(agg('sum', LONG)).toBe('LONG');
  expect(agg('sum', FLOAT)).toBe('DOUBLE');
  expect(agg('sum', decimal(5, 2))).toBe('DECIMAL(38,2)');
  expect(agg('sum', STRING)).toBe('mismatch');
  expect(agg('sum', INTERVAL)).toBe('mismatch');
  expect(agg('avg', INT)).toBe('DOUBLE');
  expect(agg('avg', null)).toBe('mismatch');
  expect(agg('min', TIMESTAMP)).toBe('TIMESTAMP');
  expect(agg('max', null)).toBe('STRING');
  expect(agg('max', BOOLEAN)).toBe('mismatch');
  expect(agg('max', JSON_TYPE)).toBe('mismatch');
  expect(resolveAggregate('summ', [INT], false)).toEqual({ kind: 'unknown', suggestions: ['sum'] });
});

test('common types', () => {
  const common = (...types: (Type | null)[]): string | null => {
    const type = commonType(types);
    return type && typeText(type);
  };
  expect(common(INT, LONG)).toBe('LONG');
  expect(common(LONG, decimal(5, 2))).toBe('DECIMAL(21,2)');
  expect(common(decimal(5, 2), decimal(6, 4))).toBe('DECIMAL(7,4)');
  expect(common(decimal(38, 0), decimal(38, 10))).toBe('DECIMAL(38,10)');
  expect(common(decimal(5, 2), FLOAT)).toBe('FLOAT');
  expect(common(FLOAT, INT, DOUBLE)).toBe('DOUBLE');
  expect(common(DATE, null, TIMESTAMP)).toBe('TIMESTAMP');
  expect(common(null, null)).toBe('STRING');
  expect(common()).toBe('STRING');
  expect(common(INT, STRING)).toBe(null);
  expect(common(STRING, JSON_TYPE)).toBe(null);
  expect(comparisonType(FLOAT, INT)).toEqual(DOUBLE);
  expect(comparisonType(FLOAT, FLOAT)).toEqual(FLOAT);
  expect(comparisonType(FLOAT, null)).toEqual(FLOAT);
});

test('casts that need no word, and those that do', () => {
  expect(canCastImplicitly(INT, DOUBLE)).toBe(true);
  expect(canCastImplicitly(DOUBLE, INT)).toBe(false);
  expect(canCastExplicitly(DOUBLE, INT)).toBe(true);
  expect(canCastImplicitly(INT, STRING)).toBe(false);
  expect(canCastExplicitly(INT, STRING)).toBe(true);
  expect(canCastExplicitly(LONG, TIMESTAMP)).toBe(true);
  expect(canCastExplicitly(DOUBLE, TIMESTAMP)).toBe(false);
  expect(canCastExplicitly(BOOLEAN, LONG)).toBe(false);
  expect(canCastImplicitly(null, JSON_TYPE)).toBe(true);
});

test('every name in the catalogue resolves to what it lists', () => {
  const entries = functionCatalogue();
  expect(entries.length).toBeGreaterThan(70);
  for (const { name, signatures, summary } of entries) {
    expect(summary.length, name).toBeGreaterThan(5);
    for (const signature of signatures) expect(signature.startsWith(`${name}(`)).toBe(true);
  }
  expect(scalarFunction('lower(STRING)').name).toBe('lower');
});
