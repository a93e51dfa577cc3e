import { expect, test } from 'vitest';
import { createTableText } from '../../../src/cli/create-text.ts';
import { LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import { createGenerator, eventSizeBytesMax, paymentsTable } from '../../../src/demo/generator.ts';
import { parseStatement } from '../../../src/sql/parse.ts';
import { seededRandom } from '../../support/random.ts';

test('the demo table is a statement that names every member of an event', () => {
  const statement = parseStatement(paymentsTable);
  if (statement.kind !== 'createTable') throw new Error(statement.kind);
  expect(statement.ifNotExists).toBe(true);
  const buffer = new Uint8Array(500 * eventSizeBytesMax);
  const text = new TextDecoder().decode(buffer.subarray(0, createGenerator(seededRandom(1)).write(buffer, 0, 500, 0)));
  const members = new Set(
    text
      .trimEnd()
      .split('\n')
      .flatMap(line => Object.keys(JSON.parse(line))),
  );
  expect([...members].sort()).toEqual(statement.columns.map(({ name }) => name.text).sort());
});

test('an inferred table is a statement, whatever its names', () => {
  const names = ['user', 'with "quotes"', 'select', 'a b', 'тест'];
  const columns = [
    { name: 'time', type: TIMESTAMP, nullable: false },
    ...names.map(name => ({ name, type: name === 'user' ? LONG : STRING, nullable: true })),
  ];
  const statement = parseStatement(createTableText('my-table', { columns, timeColumn: 'time' }));
  if (statement.kind !== 'createTable') throw new Error(statement.kind);
  expect(statement.columns.map(({ name }) => name.text)).toEqual(['time', ...names]);
});
