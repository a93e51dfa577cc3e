/** ALTER TABLE, indexes and tasks as JSON. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type WeirClient } from '../../../src/client/client.ts';
import type { AlterAction } from '../../../src/client/types.ts';
import { startServer } from './roles.ts';

let door: Awaited<ReturnType<typeof startServer>>;
let client: WeirClient;
beforeAll(async () => {
  door = await startServer();
  client = createClient(door.url);
  await client.createTable({
    name: 't',
    columns: [
      { name: 'id', type: 'INT', nullable: false },
      { name: 's', type: 'STRING' },
      { name: 'gone', type: 'STRING' },
    ],
    indexes: [{ column: 'gone', kind: 'inverted', name: 'mine' }],
  });
});
afterAll(() => door.server.close());

test('actions are DDL’s, each on what those before it leave', async () => {
  const actions: AlterAction[] = [
    { action: 'addColumn', name: 'amount', type: 'DECIMAL(6,2)', nullable: false, default: '1.50' },
    { action: 'dropColumn', column: 'gone' },
    { action: 'renameColumn', column: 's', to: 'name' },
    { action: 'setType', column: 'id', type: 'LONG' },
    { action: 'setDefault', column: 'id', default: 9007199254740993n },
    { action: 'dropNotNull', column: 'id' },
    { action: 'setType', column: 'amount', type: 'DECIMAL(10,2)' },
    { action: 'dropDefault', column: 'amount' },
    { action: 'dropColumn', column: 'gone', ifExists: true },
  ];
  const table = await client.alterTable('t', actions);
  expect(table).toMatchObject({ version: 2, indexes: [] });
  expect(table.columns).toEqual([
    { id: 1, name: 'id', type: 'LONG', nullable: true, default: 9007199254740993n },
    { id: 2, name: 'name', type: 'STRING', nullable: true, default: null },
    { id: 4, name: 'amount', type: 'DECIMAL(10,2)', nullable: false, default: null },
  ]);
  expect(await client.table('t')).toEqual(table);
});

test('indexes come and go', async () => {
  const created = await client.createIndex('t', { column: 'name' });
  expect(created.indexes).toEqual([{ name: 't_name_inverted', column: 'name', kind: 'inverted' }]);
  await expect(client.createIndex('t', { column: 'name', name: 'other' })).rejects.toMatchObject({ status: 400 });
  expect((await client.dropIndex('t', 't_name_inverted')).indexes).toEqual([]);
  await expect(client.dropIndex('t', 't_name_inverted')).rejects.toMatchObject({ status: 404, code: 'NOT_FOUND' });
});

test.each([
  ['/v1/tables/t', 'PATCH', { actions: [] }, 400, 'INVALID_REQUEST'],
  ['/v1/tables/t', 'PATCH', { actions: [{ action: 'explode', column: 'x' }] }, 400, 'INVALID_REQUEST'],
  ['/v1/tables/t', 'PATCH', { actions: [{ action: 'dropColumn', column: 'nmae' }] }, 400, 'UNKNOWN_COLUMN'],
  ['/v1/tables/t', 'PATCH', { actions: [{ action: 'setType', column: 'name', type: 'INT' }] }, 400, 'UNSUPPORTED'],
  ['/v1/tables/t', 'PATCH', { actions: [{ action: 'setType', column: 'name', type: 'X' }] }, 400, 'INVALID_DEFINITION'],
  [
    '/v1/tables/t',
    'PATCH',
    { actions: [{ action: 'setDefault', column: 'id', default: 'x' }] },
    ...([400, 'INVALID_LITERAL'] as const),
  ],
  ['/v1/tables/nowhere', 'PATCH', { actions: [{ action: 'dropColumn', column: 'x' }] }, 404, 'UNKNOWN_TABLE'],
  ['/v1/tables/t/indexes', 'POST', { column: 'name', kind: 'magic' }, 400, 'INVALID_REQUEST'],
] as const)('%s, %s %j is refused', async (path, method, body, status, code) => {
  const response = await fetch(`${door.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
});

test('tasks are listed and cancelled', async () => {
  expect(await client.tasks()).toEqual([]);
  const cancel = (id: string) => fetch(`${door.url}/v1/tasks/${id}`, { method: 'DELETE' });
  expect(await (await cancel('task-1')).json()).toEqual({ taskId: 'task-1', cancelled: true });
  const missing = await cancel('task-2');
  expect([missing.status, await missing.json()]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
});
