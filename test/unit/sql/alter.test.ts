/** ALTER TABLE, CREATE INDEX and DROP INDEX: what they are bound to. Errors with their places are in test/sql/alter.slt. */
import { expect, test } from 'vitest';
import { changeTable } from '../../../src/catalog/change.ts';
import type { TableDefinition } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { decimal, LONG } from '../../../src/column/type.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { createTableText } from '../../../src/sql/create-text.ts';
import { parseStatement } from '../../../src/sql/parse.ts';

const bindTo = (tables: readonly TableDefinition[], sql: string) =>
  bindStatement(parseStatement(sql), {
    catalog: { tables, systemTables: [] },
    parameters: [],
    nowMs: 0,
    timeZone: 'UTC',
  });

function create(sql: string, id = '00000000000a'): TableDefinition {
  const bound = bindTo([], sql);
  if (bound.kind !== 'createTable') throw new Error(`a ${bound.kind} makes no table`);
  return defineTable(bound.request, { id, createdAtMs: 0 });
}

const table = create(
  "CREATE TABLE t (id INT, at TIMESTAMP, s STRING, r STRING) WITH (time_column = 'at', index = 's: inverted by_s')",
);

const alter = (sql: string, of = table): TableDefinition => {
  const bound = bindTo([of], sql);
  if (bound.kind !== 'alterTable') throw new Error(`a ${bound.kind} changes nothing`);
  return changeTable(of, bound.changes);
};

test('actions of one statement, in order', () => {
  const bound = bindTo(
    [table],
    'ALTER TABLE T ADD COLUMN IF NOT EXISTS c DECIMAL(4, 1) NOT NULL DEFAULT 1.5, ADD d INT NULL, DROP COLUMN IF EXISTS x, ' +
      'RENAME COLUMN c TO e, ALTER COLUMN id SET DATA TYPE LONG, ALTER id SET DEFAULT 5, ALTER s DROP DEFAULT, ALTER e DROP NOT NULL',
  );
  expect(bound).toEqual({
    kind: 'alterTable',
    table: 't',
    status: 'altered table t',
    changes: [
      {
        ...{ kind: 'addColumn', name: 'c', type: decimal(4, 1), nullable: false },
        ...{ defaultValue: 15n, ifNotExists: true },
      },
      {
        ...{ kind: 'addColumn', name: 'd', type: { name: 'INT' }, nullable: true },
        ...{ defaultValue: null, ifNotExists: false },
      },
      { kind: 'dropColumn', column: 'x', ifExists: true },
      { kind: 'renameColumn', column: 'c', to: 'e' },
      { kind: 'setType', column: 'id', type: LONG },
      { kind: 'setDefault', column: 'id', defaultValue: 5n },
      { kind: 'setDefault', column: 's', defaultValue: null },
      { kind: 'dropNotNull', column: 'e' },
    ],
  });
});

test('SHOW CREATE TABLE tells the truth, and makes an equal table again', () => {
  const altered = alter(
    'ALTER TABLE t ADD c DOUBLE DEFAULT \'NaN\', DROP s, RENAME r TO "my r", ALTER id TYPE LONG, ALTER id SET DEFAULT 7, ADD s UUID',
  );
  const indexed = alter('CREATE INDEX odd ON t USING inverted ("my r")', alter('CREATE INDEX ON t (s)', altered));
  const text = createTableText(indexed);
  expect(text).toBe(`CREATE TABLE t (
  id LONG DEFAULT 7,
  at TIMESTAMP,
  "my r" STRING,
  c DOUBLE DEFAULT 'NaN',
  s UUID
) WITH (
  time_column = 'at',
  index = 's: inverted, my r: inverted odd',
  segment_rows = 1000000,
  segment_age = '3600000 milliseconds'
)`);
  const again = create(text);
  expect(createTableText(again)).toBe(text);
  const shape = ({ columns }: TableDefinition) =>
    columns.map(({ name, type, nullable, defaultValue }) => ({ name, type, nullable, defaultValue }));
  expect(shape(again)).toEqual(shape(indexed));
});

test('an index is found in whichever table has it', () => {
  const other = create("CREATE TABLE u (s STRING) WITH (index = 's: inverted by_u')", '00000000000b');
  expect(bindTo([table, other], 'DROP INDEX BY_U')).toMatchObject({ table: 'u', status: 'dropped index BY_U' });
  const twin = create("CREATE TABLE v (s STRING) WITH (index = 's: inverted by_s')", '00000000000c');
  expect(() => bindTo([table, twin], 'DROP INDEX by_s')).toThrow('tables t and v have an index by_s');
  expect(bindTo([table, twin], 'DROP INDEX by_s ON v')).toMatchObject({ table: 'v' });
  expect(bindTo([], 'DROP INDEX IF EXISTS nothing')).toMatchObject({ changes: [] });
});
