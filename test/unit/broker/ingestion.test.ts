import { expect, test } from 'vitest';
import { commandColumns, runCommand } from '../../../src/broker/statement.ts';
import type { SystemSources } from '../../../src/broker/system-source.ts';
import { systemTableFrame, systemTables } from '../../../src/broker/system-tables.ts';
import type { OffsetAccounts } from '../../../src/catalog/table.ts';
import { decodeBatch } from '../../../src/column/frame.ts';
import { rowsOf } from '../../../src/column/value.ts';
import type { BoundStatement } from '../../../src/sql/bound.ts';
import type { AuditEntry } from '../../../src/wire/controller-calls.ts';
import { openCluster } from '../../support/cluster.ts';
import { createRoles } from '../http/roles.ts';

type Ingestion = Extract<BoundStatement, { kind: 'ingestion' }>;

test('statements that steer ingestion call it, and tell of it', async () => {
  const { components, steered } = createRoles();
  const run = async (action: Ingestion['action'], partition: number | null, to: Ingestion['to'] = null) => {
    const command: Ingestion = { kind: 'ingestion', action, tableId: 'id', table: 't', partition, to };
    const { columns, rows } = await runCommand(command, { ...components, signal: new AbortController().signal });
    expect(columns).toBe(commandColumns(command));
    return rows;
  };
  expect(await run('pause', null)).toEqual([['t', null, 'paused']]);
  expect(await run('resume', 2)).toEqual([['t', 2, 'resumed']]);
  expect(await run('commit', null)).toEqual([['t', null, 2]]);
  expect(await run('commit', 1)).toEqual([['t', 1, 2]]);
  expect(await run('seek', 1, { kind: 'end' })).toEqual([['t', 1, 7n]]);
  expect(steered.map(({ input }) => input)).toEqual([
    { tableId: 'id', partition: null },
    { tableId: 'id', partition: 2 },
    { tableId: 'id' },
    { tableId: 'id', partition: 1 },
    { tableId: 'id', partition: 1, to: { kind: 'end' } },
  ]);
});

test('an audit shows which ranges add up', async () => {
  const accounts: OffsetAccounts = {
    ...{ taken: 5, filtered: 1, rejected: 1, control: 1, aborted: 1, gaps: 1, lost: 0, skipped: 0 },
    ...{ rowsIn: 7, rowsOut: 6 },
  };
  const entry: AuditEntry = {
    ...{
      tableId: 'id',
      partition: 0,
      kind: 'segment',
      segmentId: 's',
      startOffset: 0,
      endOffset: 10,
      accounts,
      atMs: 1,
    },
  };
  const sources = {
    audit: async () => [entry, { ...entry, endOffset: 11 }],
    tables: async () => [],
  } as Partial<SystemSources> as SystemSources;
  const { columns } = systemTables.find(({ name }) => name === 'system.audit')!;
  const rows = rowsOf(decodeBatch(await systemTableFrame('system.audit', sources)));
  const cell = (row: number, name: string) => rows[row]![columns.findIndex(column => column.name === name)];
  expect([cell(0, 'span'), cell(0, 'balanced'), cell(0, 'taken'), cell(0, 'rows_out')]).toEqual([10n, true, 5n, 6n]);
  expect([cell(1, 'span'), cell(1, 'balanced')]).toEqual([11n, false]);
});

test('a list of queries has no secret in it', async () => {
  const cluster = await openCluster({ shardCount: 1 });
  try {
    await cluster.query("SELECT * FROM (SELECT 'a' AS password) s WHERE password = 'hunter2'");
    const { rows } = await cluster.query('SELECT sql FROM system.queries');
    expect(rows[0]).toEqual(["SELECT * FROM (SELECT 'a' AS password) s WHERE password = '…'"]);
  } finally {
    await cluster.close();
  }
});
