import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/base/seams.ts';
import { formatSegmentId } from '../../../src/catalog/segment-id.ts';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { INT } from '../../../src/column/type.ts';
import { Changes } from '../../../src/controller/changes.ts';
import { createMembership, type Membership } from '../../../src/controller/membership.ts';
import { heartbeatMs, memberSilenceMs } from '../../../src/controller/settings.ts';
import { stateOf, withSegment, withTable } from '../../../src/controller/state.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { clusterVersion, type MemberRole, type Registration } from '../../../src/wire/cluster-calls.ts';
import { ManualClock } from '../../support/clock.ts';
import { codeOf } from '../../support/cluster.ts';

const settings = { replicaCount: 1, serverGraceMs: 60_000 };
const context = { signal: new AbortController().signal };
const table: TableDefinition = defineTable(
  { name: 't', columns: [{ name: 'a', type: INT, nullable: true }], timeColumn: null, indexes: [], settings: {} },
  { id: '0123456789ab', createdAtMs: 0 },
);

let meta: MetaStore;
let clock: ManualClock;
let changes: Changes;
let membership: Membership;
let stopping: AbortController;
let running: Promise<void>;

const begin = async (): Promise<void> => {
  changes = new Changes(meta, silentLog, stateOf(await meta.load()));
  membership = createMembership(settings, { clock, log: silentLog, changes });
  stopping = new AbortController();
  running = membership.run(stopping.signal);
};
const end = async (): Promise<void> => {
  stopping.abort();
  await running;
};

beforeEach(async () => {
  meta = await openSqliteMeta(':memory:');
  clock = new ManualClock();
  await begin();
  await changes.run(async (store, set) => set(withTable(changes.state, await store.createTable(table), table)));
  for (let number = 0; number < 20; number++) await publish(number);
});
afterEach(async () => {
  await end();
  await meta.close();
});

async function publish(number: number): Promise<void> {
  const segment: SegmentEntry = {
    ...{
      id: formatSegmentId({ tableId: table.id, partition: 0, startOffset: number, attempt: 'abc' }),
      tableId: table.id,
    },
    ...{ partition: 0, startOffset: number, endOffset: number + 1, rowCount: 1, sizeBytes: 10, generation: 1 },
    ...{ tableVersion: 1, minTimeMs: null, maxTimeMs: null, zones: {}, createdAtMs: 0 },
  };
  await changes.run(async (store, set) => set(withSegment(changes.state, await store.publish(segment), segment)));
}

const registration = (memberId: string, role: MemberRole = 'server', incarnation = 'first'): Registration => ({
  ...{ memberId, incarnation, role, address: { host: '127.0.0.1', port: 1 } },
  ...{ release: '0.1.0', version: clusterVersion, startedAtMs: 0 },
});
const register = async (memberId: string, role: MemberRole = 'server', incarnation = 'first') =>
  membership.handlers.register(registration(memberId, role, incarnation), context);
const ref = (memberId: string, incarnation = 'first') => ({ memberId, incarnation });
const assignment = async (memberId: string) =>
  (await membership.handlers.assignment({ ...ref(memberId), since: null }, context)).segments;
const announce = async (memberId: string, ids: readonly string[], all = true, removed: readonly string[] = []) =>
  membership.handlers.announce(
    { ...ref(memberId), all, added: ids.map(id => ({ id, generation: 1 })), removed },
    context,
  );
const announcePlaced = async (memberId: string) =>
  announce(
    memberId,
    (await assignment(memberId)).map(({ id }) => id),
  );
const entries = async () => membership.handlers.members(null, context);
const entry = async (id: string) => (await entries()).find(each => each.id === id);
const heartbeat = async (memberId: string, incarnation = 'first') =>
  membership.handlers.heartbeat(ref(memberId, incarnation), context);
const routes = async () => (await membership.handlers.routes({ since: null, known: {} }, context)).servers;
/** Every process beats; then time passes, in steps of the heartbeat. */
async function pass(ms: number, alive: readonly string[]): Promise<void> {
  for (let left = ms; left > 0; left -= heartbeatMs) {
    for (const id of alive) await heartbeat(id);
    await clock.untilSleeping();
    clock.advance(Math.min(left, heartbeatMs));
    await clock.untilSleeping();
  }
}

describe('joining', () => {
  test('every segment is placed on one of the servers', async () => {
    await register('server-a');
    await register('server-b');
    const [a, b] = [await assignment('server-a'), await assignment('server-b')];
    expect(a.length + b.length).toBe(20);
    expect(a.length).toBeGreaterThan(0);
    expect(b.length).toBeGreaterThan(0);
    expect(new Set([...a, ...b].map(({ id }) => id)).size).toBe(20);
  });

  test('brokers are listed, and hold nothing', async () => {
    await register('broker-a', 'broker');
    expect(await entry('broker-a')).toMatchObject({ roles: ['broker'], state: 'live', segmentsPlaced: 0 });
    expect(await routes()).toEqual([]);
    expect(changes.state.servers.size).toBe(0);
  });

  test.each([
    ['another version', { version: clusterVersion + 1 }, 'UNSUPPORTED'],
    ['a name that is none', { memberId: '../x' }, 'INVALID_REQUEST'],
    ['a role that is none', { role: 'king' as MemberRole }, 'INVALID_REQUEST'],
    ['no address', { address: { host: '127.0.0.1', port: 0 } }, 'INVALID_REQUEST'],
  ])('%s is refused', async (_, change, code) => {
    const asked = Promise.resolve(membership.handlers.register({ ...registration('server-a'), ...change }, context));
    expect(await codeOf(asked)).toBe(code);
  });

  test('who has not registered is told so; of two starts the later one counts', async () => {
    expect(await codeOf(heartbeat('server-a'))).toBe('NOT_FOUND');
    await register('server-a');
    await register('server-a', 'server', 'second');
    expect(await codeOf(heartbeat('server-a'))).toBe('FORBIDDEN');
    expect(await heartbeat('server-a', 'second')).toEqual({ state: 'live' });
  });
});

describe('announcing', () => {
  test('routes have what was announced, and deltas change it', async () => {
    await register('server-a');
    await announce('server-a', ['x', 'y']);
    const [first] = await routes();
    expect(first!.segments).toEqual([
      { id: 'x', generation: 1 },
      { id: 'y', generation: 1 },
    ]);
    await announce('server-a', ['z'], false, ['x']);
    const known = { 'server-a': first!.announcement };
    const [second] = (await membership.handlers.routes({ since: null, known }, context)).servers;
    expect(second!.segments!.map(({ id }) => id)).toEqual(['y', 'z']);
    const again = { 'server-a': second!.announcement };
    expect((await membership.handlers.routes({ since: null, known: again }, context)).servers[0]!.segments).toBeNull();
  });

  test('a call that waits is answered by the next change, and after a while without one', async () => {
    await register('server-a');
    const { version } = await membership.handlers.routes({ since: null, known: {} }, context);
    const waiting = membership.handlers.routes({ since: version, known: {} }, context);
    await announce('server-a', ['x']);
    expect((await waiting).version).toBeGreaterThan(version);
    const { version: later } = await waiting;
    const idle = membership.handlers.routes({ since: later, known: {} }, context);
    await clock.untilSleeping();
    clock.advance(10_000);
    await idle;
  });
});

describe('liveness', () => {
  test('a silent server is not asked, keeps its segments, and is asked again when it is heard', async () => {
    await register('server-a');
    await register('server-b');
    const before = await assignment('server-a');
    await pass(memberSilenceMs + 2 * heartbeatMs, ['server-b']);
    expect((await entry('server-a'))?.state).toBe('silent');
    expect((await routes()).map(({ serverId, live }) => [serverId, live])).toEqual([
      ['server-a', false],
      ['server-b', true],
    ]);
    expect(await assignment('server-b')).toHaveLength(20 - before.length);
    expect(await heartbeat('server-a')).toEqual({ state: 'live' });
    expect((await routes()).every(({ live }) => live)).toBe(true);
    expect(await assignment('server-a')).toEqual(before);
  });

  test('one that leaves is not asked, and keeps its segments', async () => {
    await register('server-a');
    await membership.handlers.leave(ref('server-a'), context);
    expect(await routes()).toMatchObject([{ live: false }]);
    expect(await entry('server-a')).toMatchObject({ state: 'leaving', segmentsPlaced: 20 });
  });

  test('after the grace period its segments are placed elsewhere', async () => {
    await register('server-a');
    await register('server-b');
    await pass(settings.serverGraceMs + 2 * heartbeatMs, ['server-b']);
    expect(await entry('server-a')).toBeUndefined();
    expect(await assignment('server-b')).toHaveLength(20);
  });

  test('a restart of the controller moves nothing: servers are metadata', async () => {
    await register('server-a');
    await register('server-b');
    const before = await assignment('server-a');
    await end();
    await begin();
    expect(await entries()).toMatchObject([
      { id: 'server-a', state: 'silent', segmentsPlaced: before.length },
      { id: 'server-b', state: 'silent' },
    ]);
    await register('server-b');
    expect(await assignment('server-b')).toHaveLength(20 - before.length);
    // One that never comes back is let go, from the controller's start on.
    await pass(settings.serverGraceMs + 2 * heartbeatMs, ['server-b']);
    expect(await assignment('server-b')).toHaveLength(20);
  });
});

describe('moving', () => {
  test('who held a segment keeps it until who it is placed on has announced it', async () => {
    await register('server-a');
    await announcePlaced('server-a');
    await register('server-b');
    const moved = (await assignment('server-b')).map(({ id }) => id);
    expect(await assignment('server-a')).toHaveLength(20);
    await announce('server-b', moved.slice(0, 3));
    expect(await assignment('server-a')).toHaveLength(17);
    await announce('server-b', moved);
    expect((await assignment('server-a')).map(({ id }) => id).filter(id => moved.includes(id))).toEqual([]);
  });

  test('a server that is drained leaves when the others have all of it', async () => {
    await register('server-a');
    await register('server-b');
    await announcePlaced('server-a');
    await announcePlaced('server-b');
    await membership.handlers.drain({ serverId: 'server-a' }, context);
    expect(await heartbeat('server-a')).toEqual({ state: 'draining' });
    expect((await routes()).every(({ live }) => live)).toBe(true);
    await announcePlaced('server-b');
    expect(await heartbeat('server-a')).toEqual({ state: 'drained' });
    expect(await assignment('server-a')).toEqual([]);
    expect([...changes.state.servers.keys()]).toEqual(['server-b']);
    expect(await assignment('server-b')).toHaveLength(20);
  });

  test('the only server can be drained: the deep store has all of it', async () => {
    await register('server-a');
    await announcePlaced('server-a');
    await membership.handlers.drain({ serverId: 'server-a' }, context);
    expect(await heartbeat('server-a')).toEqual({ state: 'drained' });
  });

  test('who is not there cannot be drained', async () => {
    expect(await codeOf(Promise.resolve(membership.handlers.drain({ serverId: 'x' }, context)))).toBe('NOT_FOUND');
  });
});
