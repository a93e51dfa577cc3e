import { expect, test } from 'vitest';
import { columnCountMax } from '../../../src/catalog/limits.ts';
import { defineTable, withColumns } from '../../../src/catalog/validate.ts';
import { LONG } from '../../../src/column/type.ts';

const table = (count: number) =>
  defineTable(
    {
      ...{ name: 't', timeColumn: null, indexes: [], settings: {} },
      columns: Array.from({ length: count }, (_, index) => ({ name: `c${index}`, type: LONG, nullable: true })),
    },
    { id: '0000000000aa', createdAtMs: 0 },
  );
const added = (count: number, ...names: string[]) => {
  const before = table(count);
  const after = withColumns(
    before,
    names.map(name => ({ name, type: LONG })),
  );
  return { names: after.columns.slice(count).map(({ name }) => name), version: after.version - before.version };
};

// Names come from messages: one that is no name must not stop ingestion.
test('columns that data suggests are added as far as they can be', () => {
  expect(added(1, 'a', 'b')).toEqual({ names: ['a', 'b'], version: 1 });
  expect(added(1, '$offset', 'a', 'A', 'C0', ' x', 'x\ny', 'y'.repeat(129))).toEqual({ names: ['a'], version: 1 });
  expect(added(1, '$offset', 'C0')).toEqual({ names: [], version: 0 });
  expect(added(columnCountMax - 1, 'a', 'b')).toEqual({ names: ['a'], version: 1 });
  expect(added(columnCountMax, 'a')).toEqual({ names: [], version: 0 });
});
