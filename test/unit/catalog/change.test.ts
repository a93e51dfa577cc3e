import { expect, test } from 'vitest';
import type { FaultError } from '../../../src/base/fault.ts';
import { changeTable } from '../../../src/catalog/change.ts';
import { hasChangedDefault, missingValueOf, storedTypeOf } from '../../../src/catalog/column.ts';
import { decodeTable, encodeDocument } from '../../../src/catalog/document.ts';
import { givenNameOf, indexNameOf } from '../../../src/catalog/index-name.ts';
import { columnCountMax, indexCountMax } from '../../../src/catalog/limits.ts';
import type { TableChange, TableDefinition } from '../../../src/catalog/table.ts';
import { defineTable, withColumns } from '../../../src/catalog/validate.ts';
import { DATE, DOUBLE, decimal, INT, LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';

const table = defineTable(
  {
    name: 't',
    columns: [
      { name: 'at', type: DATE, nullable: false },
      { name: 'n', type: INT, nullable: true, defaultValue: 5 },
      { name: 's', type: STRING, nullable: true },
    ],
    timeColumn: 'at',
    indexes: [{ column: 's', kind: 'inverted' }],
    settings: {},
  },
  { id: '0123456789ab', createdAtMs: 0 },
);

const add = (name: string, defaultValue: string | null = null, nullable = true): TableChange => ({
  ...{ kind: 'addColumn', name, type: STRING, nullable, defaultValue, ifNotExists: false },
});
const drop = (column: string): TableChange => ({ kind: 'dropColumn', column, ifExists: false });
const setType = (column: string, type: typeof INT): TableChange => ({ kind: 'setType', column, type });
const index = (column: string, name: string | null = null): TableChange => ({
  ...{ kind: 'createIndex', column, index: 'inverted', name, ifNotExists: false },
});

const codeOf = (changes: readonly TableChange[], of: TableDefinition = table): string => {
  try {
    changeTable(of, changes);
    return 'none';
  } catch (error) {
    return (error as FaultError).fault.code;
  }
};

const columnOf = (of: TableDefinition, name: string) => of.columns.find(column => column.name === name)!;

test('ids are given once, also behind columns that were dropped, whoever adds', () => {
  const added = changeTable(table, [add('x'), drop('x'), drop('s'), add('s')]);
  expect(added.columns.map(({ id, name }) => [id, name])).toEqual([
    [1, 'at'],
    [2, 'n'],
    [5, 's'],
  ]);
  expect(added).toMatchObject({ version: 2, nextColumnId: 6, indexes: [] });
  const widened = withColumns(changeTable(added, [drop('s')]), [{ name: 'brought', type: LONG }]);
  expect(widened.columns.at(-1)).toMatchObject({ id: 6, name: 'brought' });
  expect(widened.nextColumnId).toBe(7);
});

test('what rows without a column have stays what its default was when it was added', () => {
  const steps = [
    changeTable(table, [add('x', 'one', false)]),
    (of: TableDefinition) => changeTable(of, [{ kind: 'setDefault', column: 'x', defaultValue: 'two' }]),
    (of: TableDefinition) => changeTable(of, [{ kind: 'setDefault', column: 'x', defaultValue: null }]),
  ] as const;
  const added = steps[0];
  expect([missingValueOf(columnOf(added, 'x')), hasChangedDefault(columnOf(added, 'x'))]).toEqual(['one', false]);
  const two = steps[1](added);
  expect([missingValueOf(columnOf(two, 'x')), columnOf(two, 'x').defaultValue]).toEqual(['one', 'two']);
  expect(hasChangedDefault(columnOf(two, 'x'))).toBe(true);
  const none = steps[2](two);
  expect([missingValueOf(columnOf(none, 'x')), columnOf(none, 'x').defaultValue]).toEqual(['one', null]);
  // A column that was always there: rows that leave it out are not asked about it later.
  const old = changeTable(table, [{ kind: 'setDefault', column: 'n', defaultValue: 6 }]);
  expect(missingValueOf(columnOf(old, 'n'))).toBe(5);
});

test('a column that is widened remembers what segments of each version store', () => {
  const long = changeTable(table, [setType('n', LONG), setType('at', TIMESTAMP)]);
  const wide = changeTable(long, [setType('n', decimal(21, 2))]);
  const column = columnOf(wide, 'n');
  expect([1, 2, 3, 4].map(version => storedTypeOf(column, version))).toEqual([
    INT,
    LONG,
    decimal(21, 2),
    decimal(21, 2),
  ]);
  expect(column).toMatchObject({ defaultValue: 500n, missingValue: 500n });
  const twice = changeTable(table, [setType('n', LONG), setType('n', decimal(21, 2))]);
  expect(storedTypeOf(columnOf(twice, 'n'), 1)).toEqual(INT);
  expect(decodeTable(encodeDocument(wide))).toEqual(wide);
});

test('nothing changed is nothing done', () => {
  const same: TableChange[] = [
    { ...(add('s') as Extract<TableChange, { kind: 'addColumn' }>), ifNotExists: true },
    { kind: 'dropColumn', column: 'nothing', ifExists: true },
    { kind: 'renameColumn', column: 's', to: 's' },
    setType('n', INT),
    { kind: 'dropNotNull', column: 's' },
    { kind: 'dropIndex', name: 'nothing', ifExists: true },
    { ...(index('s') as Extract<TableChange, { kind: 'createIndex' }>), ifNotExists: true },
  ];
  for (const change of same) expect(changeTable(table, [change]), change.kind).toBe(table);
});

test('indexes have names of their own, which a rename keeps', () => {
  const renamed = changeTable(table, [{ kind: 'renameColumn', column: 's', to: 'r' }]);
  expect(renamed.indexes.map(each => [indexNameOf(renamed, each), givenNameOf(renamed, each)])).toEqual([
    ['t_s_inverted', 't_s_inverted'],
  ]);
  const again = changeTable(renamed, [add('s'), index('s')]);
  expect(again.indexes.map(each => indexNameOf(again, each))).toEqual(['t_s_inverted', 't_s_inverted_2']);
  expect(changeTable(again, [{ kind: 'dropIndex', name: 'T_S_INVERTED_2', ifExists: false }]).indexes).toHaveLength(1);
  const odd = changeTable(table, [add('a b, c'), index('a b, c')]);
  expect(odd.indexes.at(-1)!.name).toBe('t_a_b__c_inverted');
});

test.each<[string, readonly TableChange[], string]>([
  ['the time column goes', [drop('at')], 'INVALID_DEFINITION'],
  ['the last column goes', [drop('n'), drop('s')], 'none'],
  ['an unknown column goes', [drop('x')], 'UNKNOWN_COLUMN'],
  ['a column is there twice', [add('N')], 'INVALID_DEFINITION'],
  ['a column is NOT NULL without a default', [add('x', null, false)], 'INVALID_DEFINITION'],
  ['a virtual column is added', [add('$offset')], 'INVALID_DEFINITION'],
  ['a name is taken', [{ kind: 'renameColumn', column: 'n', to: 'S' }], 'INVALID_DEFINITION'],
  ['a name is none', [{ kind: 'renameColumn', column: 'n', to: ' n' }], 'INVALID_DEFINITION'],
  ['only the case changes', [{ kind: 'renameColumn', column: 'n', to: 'N' }], 'none'],
  ['a type narrows', [setType('n', STRING)], 'UNSUPPORTED'],
  ['a type is none', [setType('n', decimal(50, 2))], 'INVALID_DEFINITION'],
  ['a default does not fit', [{ kind: 'setDefault', column: 's', defaultValue: 5 }], 'INVALID_DEFINITION'],
  ['an index is there twice', [index('s')], 'INVALID_DEFINITION'],
  ['an index has a name that is taken', [add('x'), index('x', 'T_s_inverted')], 'INVALID_DEFINITION'],
  ['an index has a name that is none', [add('x'), index('x', 'a b')], 'INVALID_DEFINITION'],
  ['an index is on numbers', [index('n')], 'INVALID_DEFINITION'],
  ['an unknown index goes', [{ kind: 'dropIndex', name: 't_s', ifExists: false }], 'NOT_FOUND'],
])('%s', (_, changes, code) => expect(codeOf(changes)).toBe(code));

test('the last column stays, and limits hold', () => {
  const one = changeTable({ ...table, timeColumnId: null }, [drop('n'), drop('s')]);
  expect(codeOf([drop('at')], one)).toBe('INVALID_DEFINITION');
  const many = Array.from({ length: columnCountMax - 3 }, (_, number) => add(`c${number}`));
  const full = changeTable(table, many);
  expect(full.columns).toHaveLength(columnCountMax);
  expect(codeOf([add('one more')], full)).toBe('INVALID_DEFINITION');
  const indexes = Array.from({ length: indexCountMax - 1 }, (_, number) => index(`c${number}`));
  expect(codeOf([...indexes, index(`c${indexCountMax}`)], full)).toBe('INVALID_DEFINITION');
  expect(codeOf(indexes, full)).toBe('none');
});

test('widened twice in one direction or not at all', () => {
  expect(codeOf([setType('n', DOUBLE), setType('n', LONG)])).toBe('UNSUPPORTED');
});
