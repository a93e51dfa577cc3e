import { expect, test } from 'vitest';
import {
  remoteSnapshots,
  type SnapshotSource,
  snapshotDoor,
  snapshotLimitMs,
} from '../../../src/broker/snapshot-source.ts';
import type { TableSnapshot } from '../../../src/catalog/table.ts';
import type { Client } from '../../../src/wire/call.ts';
import type { SnapshotCalls } from '../../../src/wire/cluster-calls.ts';
import { local } from '../../../src/wire/local.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const table = (id: string, version: number): TableSnapshot =>
  ({ definition: { id, version }, segments: [], replacements: [], committedEnds: [version], epochs: [] }) as never;

const clock = new ManualClock();
const outside = (seed: number) => ({ random: seededRandom(seed), clock });

/** The controller's tables, as a source beside it has them: values are replaced whole. */
function world() {
  const tables = new Map([
    ['a', table('a', 1)],
    ['b', table('b', 1)],
  ]);
  const released: string[] = [];
  const source: SnapshotSource = {
    open: async (_, partitions, ids) => ({
      pins: partitions.map(ref => ({ ...ref, startOffset: 0, endOffset: 1, epoch: 0 })) as never,
      tables: ids.map(id => ({ ...tables.get(id)! })),
      quarantine: [],
    }),
    release: async leaseId => void released.push(leaseId),
  };
  return { tables, released, source };
}

/** What went over the wire: ids of tables that were sent. */
function counted(door: Client<SnapshotCalls>, sent: string[]): Client<SnapshotCalls> {
  return {
    ...door,
    async call(name: keyof SnapshotCalls, input: never) {
      const output = await door.call(name, input);
      if (name === 'open')
        for (const entry of (output as SnapshotCalls['open']['out']).tables)
          if (entry.table) sent.push(entry.table.definition.id);
      return output;
    },
  } as Client<SnapshotCalls>;
}

test('a table that has not changed is not sent again, and is the same', async () => {
  const { tables, source, released } = world();
  const sent: string[] = [];
  const broker = remoteSnapshots(counted(local(snapshotDoor(source, outside(1))), sent), 'b');
  const ids = async () => (await broker.open('q', [], ['a', 'b'])).tables.map(each => each.committedEnds[0]);
  expect(await ids()).toEqual([1, 1]);
  expect(await ids()).toEqual([1, 1]);
  expect(sent).toEqual(['a', 'b']);
  tables.set('b', table('b', 2));
  expect(await ids()).toEqual([1, 2]);
  expect(sent).toEqual(['a', 'b', 'b']);
  expect((await broker.open('q', [], ['b'])).tables[0]!.committedEnds).toEqual([2]);
  expect(sent).toHaveLength(3);
  await broker.release('q');
  expect(released).toEqual(['b/q']);
});

test('another process of the controller names its states otherwise', async () => {
  const { tables, source } = world();
  const sent: string[] = [];
  let door = counted(local(snapshotDoor(source, outside(1))), sent);
  const calls = { call: (...args: never[]) => (door.call as (...all: never[]) => unknown)(...args) };
  const broker = remoteSnapshots(calls as never, 'b');
  await broker.open('q', [], ['a']);
  tables.set('a', table('a', 7));
  door = counted(local(snapshotDoor(source, outside(2))), sent);
  expect((await broker.open('q', [], ['a'])).tables[0]!.committedEnds).toEqual([7]);
  expect(sent).toEqual(['a', 'a']);
});

test('what a broker that is gone had pinned is released when no query can be that old', async () => {
  const { source, released } = world();
  const door = local(snapshotDoor(source, outside(1)));
  const [gone, here] = [remoteSnapshots(door, 'gone'), remoteSnapshots(door, 'here')];
  await gone.open('q', [], ['a']);
  clock.advance(snapshotLimitMs - 1);
  await here.open('q', [], ['a']);
  expect(released).toEqual([]);
  clock.advance(1);
  await here.open('q2', [], ['a']);
  expect(released).toEqual(['gone/q']);
});
