import { afterEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import { batchOf } from '../../../src/column/builder.ts';
import { encodeBatch } from '../../../src/column/frame.ts';
import { LONG, STRING } from '../../../src/column/type.ts';
import { diskError } from '../../sim/fault-disk.ts';
import { codeOf, fastClock, type Life, openWorld, range, rowsText, type World } from './world.ts';

const open: { world?: World; life?: Life } = {};

async function start(settings: Parameters<typeof openWorld>[0] = {}): Promise<{ world: World; life: Life }> {
  const world = await openWorld(settings);
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

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const endMs = performance.now() + 4_000; !(await holds()); ) {
    if (performance.now() > endMs) throw new Error('it never came to hold');
    await fastClock.sleep(100);
  }
};

describe('a push', () => {
  test('is visible to the next query once it is acknowledged', async () => {
    const { life } = await start();
    expect(await life.push(rowsText([1, 2, 3]))).toEqual({ accepted: 3, rejected: 0, rejects: [], duplicate: false });
    expect(await life.pinned()).toEqual([0, 3]);
    expect(await life.push('id,name\n4,x\n', { format: 'csv' })).toMatchObject({ accepted: 1 });
    expect(await life.push('[{"id":5}]', { format: 'json' })).toMatchObject({ accepted: 1 });
    expect(await life.pinned()).toEqual([0, 5]);
    expect(await life.state()).toMatchObject({
      table: 'events',
      committedEnd: 0,
      rowsIngested: 5,
      freshness: { ingestedOffset: 5, endOffset: 5, state: 'consuming', lagMs: 0, watermarkMs: 1_700_000_000_003 },
    });
  });

  test('keeps the good rows, and names and logs the bad ones; strict takes all or none', async () => {
    const { world, life } = await start();
    const text = '{"id":1}\n{"id":"x"}\n{"name":"y"}\n{"id":2}\n';
    const rejects = [
      { line: 2, column: 'id', reason: '"x" is not a LONG' },
      { line: 3, column: 'id', reason: 'is missing, and the column is NOT NULL without a default' },
    ];
    await expect(life.push(text, { strict: true })).rejects.toMatchObject({
      fault: {
        code: 'INVALID_ROWS',
        message: '2 of 4 rows do not fit; nothing was added. line 2, column id: "x" is not a LONG',
        details: { rejected: 2, rejects: rejects.map(each => `line ${each.line}, column id: ${each.reason}`) },
      },
    });
    expect(await life.pinned()).toEqual([0, 0]);
    expect(await life.push(text)).toEqual({ accepted: 2, rejected: 2, rejects, duplicate: false });
    expect(await life.push('nonsense')).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await life.state()).toMatchObject({ rowsIngested: 2, rowsRejected: 3 });
    await life.ingest.stop();
    const logged = Buffer.from(world.disk.bytes(`/data/log/${world.definition.id}/rejects.ndjson`))
      .toString()
      .trim()
      .split('\n');
    expect(logged.map(line => JSON.parse(line))).toMatchObject([
      { ...rejects[0], text: '{"id":"x"}', idempotencyKey: null },
      { ...rejects[1], text: '{"name":"y"}' },
      { line: 1, column: null, text: 'nonsense' },
    ]);
  });

  test('with the same key adds nothing: at once, later, after a restart, after publication', async () => {
    const { world, life } = await start();
    const again = { accepted: 2, rejected: 1, rejects: [], duplicate: true };
    const text = `${rowsText([1, 2])}broken\n`;
    const [first, second] = await Promise.all([life.push(text, { key: 'k' }), life.push(text, { key: 'k' })]);
    expect(first).toMatchObject({ accepted: 2, rejected: 1, duplicate: false });
    expect(second).toEqual(again);
    await life.push('broken', { key: 'nothing' });
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await life.push('other', { key: 'k' })).toEqual(again);
    await life.ingest.stop();
    world.powerCut();
    open.life = await world.start();
    expect(await open.life.push(text, { key: 'k' })).toEqual(again);
    expect(await open.life.push(text, { key: 'nothing' })).toMatchObject({ accepted: 0, rejected: 1, duplicate: true });
    expect(await open.life.pinned()).toEqual([2, 2]);
    expect(await codeOf(open.life.push(text, { key: '' }))).toBe('INVALID_REQUEST');
    expect(await codeOf(open.life.push(text, { key: 'x'.repeat(300) }))).toBe('INVALID_REQUEST');
  });

  test('that failed leaves its key free', async () => {
    const { world, life } = await start();
    world.disk.onStep = (step, path) => (step === 'write' ? diskError('ENOSPC', path) : null);
    const both = [life.push(rowsText([1]), { key: 'k' }), life.push(rowsText([1]), { key: 'k' })];
    expect(await Promise.all(both.map(codeOf))).toEqual(['DISK_FULL', 'DISK_FULL']);
    expect((await life.state()).lastFault?.code).toBe('DISK_FULL');
    world.disk.onStep = () => null;
    expect(await life.push(rowsText([1]), { key: 'k' })).toMatchObject({ accepted: 1, duplicate: false });
  });

  test('many at once share syncs, and keep the order of offsets', async () => {
    const { world, life } = await start();
    let syncs = 0;
    world.disk.onStep = step => {
      syncs += +(step === 'sync');
      return null;
    };
    await Promise.all(range(0, 200).map(id => life.push(rowsText([id]))));
    expect(syncs).toBeLessThan(20);
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await world.publishedIds()).toEqual(range(0, 200));
  });

  test('to no table, and to a role that stops', async () => {
    const { life } = await start();
    const input = { format: 'ndjson', body: new Uint8Array(0), strict: false, idempotencyKey: null } as const;
    expect(await codeOf(life.client.call('push', { tableId: 'ffffffffffff', ...input }))).toBe('UNKNOWN_TABLE');
    await life.ingest.stop();
    expect(await codeOf(life.push(rowsText([1])))).toBe('SHUTTING_DOWN');
  });
});

describe('INSERT', () => {
  test('takes columns, checks them, and leaves the others to their defaults', async () => {
    const { world, life } = await start();
    const insert = (columnIds: number[], types: Parameters<typeof batchOf>[0], rows: Parameters<typeof batchOf>[1]) =>
      life.client.call('insert', { tableId: world.definition.id, columnIds, frame: encodeBatch(batchOf(types, rows)) });
    expect(
      await insert(
        [3, 1],
        [STRING, LONG],
        [
          ['x', 7n],
          [null, 8n],
        ],
      ),
    ).toEqual({ inserted: 2 });
    expect(await codeOf(insert([3], [STRING], [['x']]))).toBe('CONSTRAINT');
    expect(await codeOf(insert([1], [LONG], [[null]]))).toBe('CONSTRAINT');
    expect(await codeOf(insert([1], [STRING], [['x']]))).toBe('TYPE_MISMATCH');
    expect(await codeOf(insert([1, 9], [LONG, LONG], [[1n, 1n]]))).toBe('UNKNOWN_COLUMN');
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await world.publishedIds()).toEqual([7, 8]);
  });
});

describe('sealing', () => {
  test('by rows: consumption goes on, every segment has exactly its offsets, the log shrinks', async () => {
    const { world, life } = await start({ segmentRows: 100 });
    for (let id = 0; id < 1000; id += 25) await life.push(rowsText(range(id, id + 25)));
    await until(async () => (await world.published()).committedEnd === 1000);
    const { segments } = await world.published();
    expect(segments.length).toBe(10);
    expect(await world.publishedIds()).toEqual(range(0, 1000));
    await until(async () => (await life.pinned())[0] === 1000);
    expect(world.disk.paths.filter(path => path.endsWith('.log'))).toEqual([
      `/data/log/${world.definition.id}/0/00000000000000001000.log`,
    ]);
    expect(await life.state()).toMatchObject({ committedEnd: 1000, lastFault: null });
  });

  test('by age, without any further row', async () => {
    const { world, life } = await start({ segmentAgeMs: 5_000 });
    await life.push(rowsText([1, 2]));
    await until(async () => (await world.published()).committedEnd === 2);
    expect(await world.publishedIds()).toEqual([1, 2]);
  });

  test('on request: resolves when it is published', async () => {
    const { world, life } = await start();
    const commit = () => life.client.call('commit', { tableId: world.definition.id });
    expect(await commit()).toEqual({ segments: 0 });
    await life.push(rowsText([1]));
    expect(await commit()).toEqual({ segments: 1 });
    expect((await world.published()).committedEnd).toBe(1);
    expect(await commit()).toEqual({ segments: 0 });
  });

  test('that fails is tried again, with its cause in the state; rows are taken meanwhile', async () => {
    const { world, life } = await start();
    await life.push(rowsText([1]));
    world.calls = {
      before: name => {
        if (name === 'build') throw fault('UNAVAILABLE', 'the builder is away');
      },
      after() {},
    };
    await expect(life.client.call('commit', { tableId: world.definition.id })).rejects.toMatchObject({
      fault: { message: 'the builder is away' },
    });
    await life.push(rowsText([2]));
    expect((await life.state()).lastFault?.message).toBe('the builder is away');
    world.calls = { before() {}, after() {} };
    await until(async () => (await world.published()).committedEnd === 1);
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await world.publishedIds()).toEqual([1, 2]);
    expect((await life.state()).lastFault).toBe(null);
  });

  test('whose publication was done but not answered is not done twice', async () => {
    const { world, life } = await start();
    let lost = 0;
    world.calls = {
      before() {},
      after: name => {
        if (name === 'publish' && lost++ === 0) throw fault('UNAVAILABLE', 'the answer was lost');
      },
    };
    await life.push(rowsText([1, 2]));
    expect(await codeOf(life.client.call('commit', { tableId: world.definition.id }))).toBe('UNAVAILABLE');
    await until(async () => (await life.state()).committedEnd === 2);
    expect((await world.published()).segments.length).toBe(1);
    await life.push(rowsText([3]));
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await world.publishedIds()).toEqual([1, 2, 3]);
  });

  test('of a builder that loses a row is not published', async () => {
    const { world, life } = await start();
    await life.push(rowsText([1, 2]));
    const shard = life.shards[0]!;
    const call = shard.call.bind(shard);
    Object.assign(shard, {
      call: async (name: 'roll', input: never, options: never) => {
        const output = await call(name, input, options);
        return name === 'roll' ? { ...output, endOffset: 3 } : output;
      },
    });
    expect(await codeOf(life.client.call('commit', { tableId: world.definition.id }))).toBe('INTERNAL');
    expect((await world.published()).segments).toEqual([]);
  });
});

describe('trouble', () => {
  test('a shard that refuses rows: they wait, others are refused, and all is well when it takes them', async () => {
    const { world, life } = await start();
    let refusing = true;
    world.calls = {
      before: name => {
        if (name === 'append' && refusing) throw fault('MEMORY_BUDGET', 'no room for a block');
      },
      after() {},
    };
    const waiting = [life.push(rowsText([1])), life.push(rowsText([2]))];
    await until(async () => (await life.state()).freshness.state === 'failed');
    expect(await life.state()).toMatchObject({
      freshness: { ingestedOffset: 0, endOffset: 2, cause: 'no room for a block' },
      lastFault: { code: 'MEMORY_BUDGET' },
    });
    expect(await codeOf(life.push(rowsText([3])))).toBe('MEMORY_BUDGET');
    refusing = false;
    expect((await Promise.all(waiting)).map(answer => answer.accepted)).toEqual([1, 1]);
    await life.push(rowsText([4]));
    await life.client.call('commit', { tableId: world.definition.id });
    expect(await world.publishedIds()).toEqual([1, 2, 4]);
  });

  test('an append that was done but not answered is not done twice', async () => {
    const { world, life } = await start();
    let lost = 0;
    world.calls = {
      before() {},
      after: name => {
        if (name === 'append' && lost++ === 0) throw fault('UNAVAILABLE', 'the answer was lost');
      },
    };
    expect(await life.push(rowsText([1, 2]))).toMatchObject({ accepted: 2 });
    await life.push(rowsText([3]));
    expect(await life.pinned()).toEqual([0, 3]);
  });

  test('a damaged log fails its table with the cause, and comes back when it is restored', async () => {
    const { world, life } = await start();
    await life.push(rowsText([1]));
    await life.push(rowsText([2]));
    await life.ingest.stop();
    world.kill();
    const path = world.disk.paths.find(each => each.endsWith('.log'))!;
    world.disk.bytes(path)[40]! ^= 1;
    const next = await world.start();
    open.life = next;
    expect(await codeOf(next.push(rowsText([3])))).toBe('CORRUPT_LOG');
    expect((await next.state()).freshness).toMatchObject({
      state: 'failed',
      cause: expect.stringContaining('damaged'),
    });
    world.disk.bytes(path)[40]! ^= 1;
    await until(async () => (await next.state()).freshness.state !== 'failed');
    expect(await next.pinned()).toEqual([0, 2]);
  });

  test('a broken disk: the cause is in the state, and the table heals by itself', async () => {
    const { world, life } = await start();
    world.disk.onStep = (step, path) => (step === 'sync' || step === 'truncate' ? diskError('EIO', path) : null);
    expect(await codeOf(life.push(rowsText([1])))).toBe('UNAVAILABLE');
    expect((await life.state()).freshness).toMatchObject({ state: 'failed', cause: expect.stringContaining('EIO') });
    world.disk.onStep = () => null;
    await until(async () => (await life.state()).freshness.state !== 'failed');
    await life.push(rowsText([2]));
    expect(await life.pinned()).toEqual([0, 1]);
  });
});

describe('tables come and go', () => {
  test('a dropped table takes its log with it; one of the same name starts empty', async () => {
    const { world, life } = await start();
    await life.push(rowsText([1]));
    await world.controller.call('dropTable', { name: 'events', ifExists: false });
    expect(await codeOf(life.push(rowsText([2])))).toBe('UNKNOWN_TABLE');
    expect(world.disk.paths.filter(path => path.includes(world.definition.id))).toEqual([]);
    const { id, createdAtMs, version, timeColumnId, source, ...rest } = world.definition;
    const again = await world.controller.call('createTable', {
      definition: { ...rest, timeColumn: 'ts', indexes: [] },
      ifNotExists: false,
    });
    expect(again.id).not.toBe(id);
    const body = new TextEncoder().encode(rowsText([7]));
    const answer = await life.client.call('push', {
      tableId: again.id,
      format: 'ndjson',
      body,
      strict: true,
      idempotencyKey: null,
    });
    expect(answer.accepted).toBe(1);
  });
});
