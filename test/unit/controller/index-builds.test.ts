/** Indexes on rows that are there: built behind the answers, through restarts, leases, drops and damage. */
import { appendFile, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { type Cluster, type ClusterOptions, openCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';

let folder: string;
let meta: MetaStore;
let cluster: Cluster;
/** Calls of the task role wait for it. */
let gate: Promise<void> = Promise.resolve();
let calls = 0;

const restart = async (options: ClusterOptions = {}): Promise<void> => {
  await cluster?.close();
  cluster = await openCluster({
    ...{ folder, meta },
    controllerSettings: { removalGraceMs: 0, sweepIntervalMs: 20 },
    intercept(role, client) {
      if (role !== 'task') return client;
      const { call } = client as { call(...args: unknown[]): Promise<unknown> };
      return {
        ...client,
        async call(...args: unknown[]) {
          calls++;
          await gate;
          return call(...args);
        },
      };
    },
    ...options,
  });
};

/** Closes the gate; what it returns opens it. */
function closeGate(): () => void {
  let open = (): void => {};
  gate = new Promise(resolve => {
    open = resolve;
  });
  return open;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-'));
  meta = await openSqliteMeta(':memory:');
  gate = Promise.resolve();
  calls = 0;
  cluster = undefined as never;
  await restart();
});

afterEach(async () => {
  await cluster.close();
  await meta.close();
  await rm(folder, { recursive: true, force: true });
});

/** Three segments of four rows, and a consuming one: that rolls, is sealed as it was, and gets its index as they do. */
async function fill(): Promise<void> {
  await cluster.query('CREATE TABLE t (x INT, s STRING)');
  for (let segment = 0; segment < 3; segment++) {
    await cluster.query(`INSERT INTO t VALUES (${segment}, 'a'), (${segment}, 'b'), (${segment}, NULL), (9, 'c')`);
    await cluster.commit('t');
  }
  await cluster.query("INSERT INTO t VALUES (3, 'a')");
}

const snapshot = async () => {
  const { tables } = await cluster.controller.call('catalog', null);
  const { tables: found } = await cluster.controller.call('snapshot', { leaseId: 'test', tableIds: [tables[0]!.id] });
  await cluster.controller.call('release', { leaseId: 'test' });
  return found[0]!;
};
const generations = async () => (await snapshot()).segments.map(({ generation }) => generation);
const tasks = async () =>
  (await cluster.query('SELECT kind, "table", state, done, total, unit FROM system.tasks')).rows;
const files = async (): Promise<string[]> => {
  const { segments } = await snapshot();
  const lists = segments.map(({ tableId, id }) => readdir(join(folder, 'store', tableId, id)));
  return (await Promise.all(lists)).flat().filter(name => !/^(columns|index-null)/.test(name));
};

const rare = "SELECT x, COUNT(*) FROM t WHERE s = 'a' GROUP BY x ORDER BY x";
const answer = [0, 1, 2, 3].map(x => [x, 1n]);

async function check(usesIndex: boolean): Promise<void> {
  const { rows, trailer } = await cluster.query(rare);
  expect(rows).toEqual(answer);
  expect('inverted index' in trailer.stats.filters).toBe(usesIndex);
}

test('an index is built behind the answers, with progress, and used from then on', async () => {
  await fill();
  await check(false);
  const open = closeGate();
  expect((await cluster.query('CREATE INDEX ON t (s)')).rows).toEqual([['created index t_s_inverted on t']]);
  await eventually(async () => expect(calls).toBeGreaterThan(0));
  await check(false);
  expect(await tasks()).toMatchObject([['index', 't', 'running', 0n, 3n, 'segments']]);
  open();
  await eventually(async () => expect(await generations()).toEqual([2, 2, 2, 2]));
  await check(true);
  await eventually(async () => expect(await tasks()).toMatchObject([['index', 't', 'finished', 4n, 4n, 'segments']]));
});

test('a restart in the middle goes on where it was', async () => {
  await fill();
  const open = closeGate();
  await cluster.query('CREATE INDEX by_s ON t USING inverted (s)');
  await eventually(async () => expect(calls).toBeGreaterThan(0));
  const closing = cluster.close();
  open();
  await closing;
  cluster = undefined as never;
  await restart();
  await eventually(async () => {
    const { segments } = await snapshot();
    expect(segments.slice(0, 3).map(({ indexes }) => indexes!.length)).toEqual([1, 1, 1]);
    expect((await tasks())[0]).toMatchObject([
      'index',
      't',
      'finished',
      expect.anything(),
      expect.anything(),
      'segments',
    ]);
  });
  await check(true);
});

test('an attempt that left files behind is in nobody’s way', async () => {
  await fill();
  const { segments } = await snapshot();
  const path = join(folder, 'store', segments[0]!.tableId, segments[0]!.id);
  await appendFile(join(path, 'index-inverted-2-2.bin'), 'half');
  await cluster.query('CREATE INDEX ON t (s)');
  await eventually(async () => expect(await generations()).toEqual([3, 2, 2, 2]));
  await check(true);
  await restart();
  // What is left of it goes once a later process looks.
  await eventually(async () => expect(await readdir(path)).not.toContain('index-inverted-2-2.bin'));
  await check(true);
});

test('who reads the old generation keeps its files; they go after it', async () => {
  await fill();
  const { segments, definition } = await snapshot();
  await cluster.controller.call('snapshot', { leaseId: 'reader', tableIds: [definition.id] });
  await cluster.query('CREATE INDEX ON t (s)');
  await eventually(async () => expect((await generations()).slice(0, 3)).toEqual([2, 2, 2]));
  await check(true);
  expect(await files()).toEqual(expect.arrayContaining(['manifest-1.json', 'manifest-2.json']));
  await cluster.controller.call('release', { leaseId: 'reader' });
  await eventually(async () => {
    const first = await readdir(join(folder, 'store', definition.id, segments[0]!.id));
    expect(first).not.toContain('manifest-1.json');
  });
  await check(true);
});

test('a dropped index is used no more, and its files go', async () => {
  await fill();
  await cluster.query('CREATE INDEX by_s ON t (s)');
  await eventually(async () => expect((await generations()).slice(0, 3)).toEqual([2, 2, 2]));
  const open = closeGate();
  await cluster.query('DROP INDEX by_s');
  await check(false);
  open();
  await eventually(async () => {
    expect((await snapshot()).segments.every(({ indexes }) => indexes!.length === 0)).toBe(true);
    expect((await files()).filter(name => name.startsWith('index'))).toEqual([]);
  });
  await check(false);
  await cluster.query('CREATE INDEX by_s ON t (s)');
  await eventually(async () =>
    expect((await snapshot()).segments.every(({ indexes }) => indexes!.length === 1)).toBe(true),
  );
  await check(true);
});

test('a cancelled build rests until the table changes, or the next start', async () => {
  await fill();
  const open = closeGate();
  await cluster.query('CREATE INDEX by_s ON t (s)');
  const [running] = await cluster.controller.call('tasks', null);
  expect(await cluster.controller.call('cancelTask', { taskId: running!.taskId })).toEqual({ cancelled: true });
  expect(await cluster.controller.call('cancelTask', { taskId: 'other' })).toEqual({ cancelled: false });
  open();
  await eventually(async () => expect(await tasks()).toMatchObject([['index', 't', 'cancelled', 0n, 3n, 'segments']]));
  await cluster.commit('t');
  await check(false);
  expect((await generations()).slice(0, 3)).toEqual([1, 1, 1]);
  await restart();
  await eventually(async () => expect((await generations()).slice(0, 3)).toEqual([2, 2, 2]));
  await check(true);
});

test('segments that go meanwhile are passed over', async () => {
  await fill();
  const open = closeGate();
  await cluster.query('CREATE INDEX by_s ON t (s)');
  await eventually(async () => expect(calls).toBeGreaterThan(0));
  await cluster.query('DROP TABLE t');
  open();
  await eventually(async () => expect((await cluster.controller.call('tasks', null))[0]?.state).not.toBe('running'));
  await eventually(async () => expect(await readdir(join(folder, 'store'))).toEqual([]));
});

test('a damaged segment is left as it is, and the others get theirs', async () => {
  await fill();
  const { segments } = await snapshot();
  const { tableId, id } = segments[1]!;
  await truncate(join(folder, 'store', tableId, id, 'columns.arrow'), 100);
  await cluster.query('CREATE INDEX by_s ON t (s)');
  await eventually(async () => {
    const [task] = await cluster.controller.call('tasks', null);
    expect(task).toMatchObject({ state: 'failed', done: expect.any(Number) });
    expect(task!.error).toContain(id);
  });
  expect((await generations()).slice(0, 3)).toEqual([2, 1, 2]);
});
