/** Pushes while the table changes, and records of older definitions when they are read again. */
import { tableFromIPC } from 'apache-arrow';
import { afterEach, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import type { TableChange, TableDefinition } from '../../../src/catalog/table.ts';
import { batchOf } from '../../../src/column/builder.ts';
import { encodeBatch } from '../../../src/column/frame.ts';
import { DOUBLE, decimal, LONG, STRING } from '../../../src/column/type.ts';
import { codeOf, fastClock, type Life, openWorld, range, type World } from './world.ts';

const open: { world?: World; life?: Life } = {};

async function start(): Promise<{ world: World; life: Life }> {
  const world = await openWorld();
  const life = await world.start();
  Object.assign(open, { world, life });
  return { world, life };
}

afterEach(async () => {
  await open.life?.ingest.stop();
  await open.world?.close();
  open.life = undefined;
  open.world = undefined;
});

async function alter(world: World, ...changes: TableChange[]): Promise<TableDefinition> {
  const { tables } = await world.controller.call('catalog', null);
  const { id: tableId, version } = tables[0]!;
  return (await world.controller.call('alterTable', { tableId, version, changes }))!;
}

const addColumn = (name: string, defaultValue: string | null): TableChange => ({
  ...{ kind: 'addColumn', name, type: STRING, nullable: true, defaultValue, ifNotExists: false },
});

/** Of each published segment, its table version and its rows in the order of offsets, by column name. */
async function publishedRows(world: World) {
  const { segments } = await world.published();
  return segments.map(({ id, tableId, tableVersion }) => {
    const table = tableFromIPC(world.store.objects.get(`${tableId}/${id}/columns.arrow`)!);
    const names = table.schema.fields.map(({ name }) => name).filter(name => !name.startsWith('$'));
    const rows = Array.from({ length: table.numRows }, (_, row) => ({
      offset: Number(table.getChild('$offset')!.get(row)),
      values: Object.fromEntries(names.map(name => [name, table.getChild(name)!.get(row) as unknown])),
    }));
    return { tableVersion, rows: rows.sort((a, b) => a.offset - b.offset).map(({ values }) => values) };
  });
}

const commit = (world: World, life: Life) => life.client.call('commit', { tableId: world.definition.id });

/** Holds calls of that name until told otherwise. */
function hold(world: World, name: string) {
  let release = (): void => {};
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  let arrive = (): void => {};
  const reached = new Promise<void>(resolve => {
    arrive = resolve;
  });
  world.calls = {
    async before(call) {
      if (call !== name) return;
      arrive();
      await held;
    },
    after() {},
  };
  return { reached, release };
}

test('each segment is of one definition: what was there rolls, and is sealed with the columns it has', async () => {
  const { world, life } = await start();
  await life.push('{"id":1,"name":"a"}\n');
  await alter(world, addColumn('extra', 'before'));
  await life.push('{"id":2,"extra":"x"}\n{"id":3}\n');
  await alter(world, { kind: 'dropColumn', column: 'name', ifExists: false });
  await life.push('{"id":4,"name":"gone"}\n');
  await commit(world, life);
  expect(await publishedRows(world)).toEqual([
    { tableVersion: 1, rows: [{ id: 1n, ts: null, name: 'a' }] },
    {
      tableVersion: 2,
      rows: [
        { id: 2n, ts: null, name: null, extra: 'x' },
        { id: 3n, ts: null, name: null, extra: 'before' },
      ],
    },
    { tableVersion: 3, rows: [{ id: 4n, ts: null, extra: 'before' }] },
  ]);
});

test('pushes under way while the consuming segment rolls wait for it, each once and in order', async () => {
  const { world, life } = await start();
  await life.push('{"id":0}\n');
  const roll = hold(world, 'roll');
  const altered = alter(world, addColumn('extra', null));
  await roll.reached;
  const pushes = range(1, 20).map(id => life.push(`{"id":${id},"extra":"e${id}"}\n`));
  await fastClock.sleep(500);
  expect(await life.pinned()).toEqual([0, 1]);
  roll.release();
  await Promise.all([altered, ...pushes]);
  expect(await life.pinned()).toEqual([0, 20]);
  await commit(world, life);
  const segments = await publishedRows(world);
  expect(segments.map(({ tableVersion, rows }) => [tableVersion, rows.length])).toEqual([
    [1, 1],
    [2, 19],
  ]);
  expect(segments[1]!.rows.map(({ extra }) => extra)).toEqual(range(1, 20).map(id => `e${id}`));
});

test('a push that was decoded before the change is taken after it', async () => {
  const { world, life } = await start();
  const append = hold(world, 'append');
  const pushed = life.push('{"id":1,"name":"a"}\n');
  await append.reached;
  // The shard has not got it yet, and rolls before it does.
  await alter(
    world,
    { kind: 'dropColumn', column: 'name', ifExists: false },
    { kind: 'setType', column: 'id', type: decimal(22, 2) },
    addColumn('extra', 'd'),
  );
  append.release();
  await pushed;
  await commit(world, life);
  const [segment] = await publishedRows(world);
  expect(segment).toMatchObject({ tableVersion: 2, rows: [{ ts: null, extra: 'd' }] });
  expect(String((segment!.rows[0] as { id: unknown }).id)).toBe('100');
});

test('a shard that does not roll for a while keeps pushes waiting, and loses none', async () => {
  const { world, life } = await start();
  await life.push('{"id":0}\n');
  let failures = 0;
  world.calls = {
    before(name) {
      if (name === 'roll' && failures++ < 4) throw fault('MEMORY_BUDGET', 'no room');
    },
    after() {},
  };
  await alter(world, addColumn('extra', null));
  await Promise.all(range(1, 6).map(id => life.push(`{"id":${id},"extra":"e${id}"}\n`)));
  expect((await life.pinned())[1]).toBe(6);
  expect(failures).toBeGreaterThan(4);
  await commit(world, life);
  expect((await publishedRows(world)).map(({ tableVersion, rows }) => [tableVersion, rows.length])).toEqual([
    [1, 1],
    [2, 5],
  ]);
});

test.each(['kill', 'powerCut'] as const)('records of older definitions are replayed after a %s', async how => {
  const { world, life } = await start();
  // Nothing comes to be published: all of it is read again.
  world.calls = {
    before(name) {
      if (name === 'publish') throw fault('UNAVAILABLE', 'not now');
    },
    after() {},
  };
  await life.push('{"id":1,"name":"a"}\n');
  await alter(world, addColumn('extra', 'one'));
  await life.push('{"id":2}\n');
  await alter(world, { kind: 'setDefault', column: 'extra', defaultValue: 'two' });
  await life.push('{"id":3}\n');
  // An INSERT that leaves the column out takes the default of its time, too.
  const inserted = encodeBatch(batchOf([LONG], [[4n]]));
  await life.client.call('insert', { tableId: world.definition.id, columnIds: [1], frame: inserted });
  await alter(
    world,
    { kind: 'setDefault', column: 'extra', defaultValue: 'three' },
    { kind: 'dropColumn', column: 'name', ifExists: false },
    addColumn('name', 'again'),
    { kind: 'setType', column: 'id', type: decimal(19, 0) },
  );
  await life.push('{"id":5,"name":"new"}\n');
  world[how]();
  await life.ingest.stop();
  world.calls = { before() {}, after() {} };
  open.life = await world.start();
  expect(await open.life.pinned()).toEqual([0, 5]);
  await commit(world, open.life);
  const [segment, ...others] = await publishedRows(world);
  expect(others).toEqual([]);
  expect(segment!.rows.map(row => ({ ...row, id: String((row as { id: unknown }).id) }))).toEqual([
    { id: '1', ts: null, extra: 'one', name: 'again' },
    { id: '2', ts: null, extra: 'one', name: 'again' },
    { id: '3', ts: null, extra: 'two', name: 'again' },
    { id: '4', ts: null, extra: 'two', name: 'again' },
    { id: '5', ts: null, extra: 'three', name: 'new' },
  ]);
});

test('rows that come as columns of the definition before are taken as the present one', async () => {
  const { world, life } = await start();
  const insert = (columnIds: number[], types: Parameters<typeof batchOf>[0], row: Parameters<typeof batchOf>[1][0]) =>
    life.client.call('insert', {
      tableId: world.definition.id,
      columnIds,
      frame: encodeBatch(batchOf(types, [row])),
    });
  await alter(world, { kind: 'setType', column: 'id', type: decimal(19, 0) });
  expect(await insert([1], [LONG], [7n])).toEqual({ inserted: 1 });
  expect(await codeOf(insert([1], [DOUBLE], [7]))).toBe('TYPE_MISMATCH');
  await alter(world, { kind: 'dropColumn', column: 'name', ifExists: false });
  expect(await codeOf(insert([1, 3], [LONG, STRING], [8n, 'x']))).toBe('UNKNOWN_COLUMN');
  expect(await life.pinned()).toEqual([0, 1]);
});
