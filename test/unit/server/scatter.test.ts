import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FaultError, fault } from '../../../src/base/fault.ts';
import { silentLog } from '../../../src/base/seams.ts';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { unitsOfScans } from '../../../src/server/deal.ts';
import { signOfLifeMs } from '../../../src/server/leaf.ts';
import { silentTicksMax } from '../../../src/server/remote-run.ts';
import { Routes, suspicionMs } from '../../../src/server/routes.ts';
import { attemptsMax, createScatter, type Scatter } from '../../../src/server/scatter.ts';
import { addStats, emptyStats } from '../../../src/shard/interleave.ts';
import type { Client, FrameStream } from '../../../src/wire/call.ts';
import type { LeafCalls, LeafInput, MemberCalls } from '../../../src/wire/cluster-calls.ts';
import { local } from '../../../src/wire/local.ts';
import type { ServerCalls, ServerRunInput } from '../../../src/wire/server-calls.ts';
import type { RunInput, RunStats, ShardCalls } from '../../../src/wire/shard-calls.ts';
import { ManualClock } from '../../support/clock.ts';

const definition = { id: '00000000000a', name: 't', columns: [] } as unknown as TableDefinition;
const segment = (number: number): SegmentEntry =>
  ({ id: `${definition.id}-0-${number}-ab`, tableId: definition.id, rowCount: 1, generation: 1, zones: {} }) as never;
const segments = [0, 1, 2, 3, 4, 5, 6, 7].map(segment);
const frame = new Uint8Array([1]);

type Leaf = (input: LeafInput, signal: AbortSignal) => FrameStream<RunStats>;

/** One frame for each segment, then a whole trailer. */
const honest: Leaf = async function* (input) {
  const units = unitsOfScans(input.scans);
  for (const _ of units) yield new Uint8Array(frame);
  return { ...emptyStats(), rowsScanned: units.length, unitsAnswered: units, unitsScanned: units };
};

let clock: ManualClock;
let routes: Routes;
/** By server; `owner` is the process that has the deep store. */
let leaves: Record<string, Leaf>;
/** Who was asked for what, in order. */
let asked: { readonly who: string; readonly units: readonly string[] }[];
let scatter: Scatter;
/** Frames that the root passes on as they come, instead of after all. */
let streams: boolean;

const leafOf = (who: string): Client<LeafCalls> =>
  local<LeafCalls>({
    leaf(input, { signal }) {
      asked.push({ who, units: unitsOfScans(input.scans) });
      return leaves[who]!(input, signal);
    },
  });

/** As a shard's run: pulls every task; a frame out for each frame in. */
async function* root(input: RunInput, signal: AbortSignal): FrameStream<RunStats> {
  const stats = emptyStats();
  const frames: Uint8Array[] = [];
  for (const { task } of input.remote!.tasks) {
    const stream = local(scatter.tasks).stream('task', { runId: input.remote!.runId, task }, { signal });
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) {
      if (next.value[0] === 0xff) throw fault('CORRUPT_FRAME', 'no batch', { details: { task } });
      if (streams) yield next.value;
      else frames.push(next.value);
    }
    addStats(stats, next.value);
  }
  yield* frames;
  return stats;
}

const announce = (holders: Record<string, readonly SegmentEntry[]>): void =>
  routes.take(
    Object.entries(holders).map(([serverId, held]) => ({
      ...{ serverId, address: { host: '127.0.0.1', port: 1 }, live: true, announcement: 1 },
      segments: held.map(({ id, generation }) => ({ id, generation })),
    })),
  );

const request = (change: Partial<ServerRunInput> = {}): ServerRunInput => ({
  queryId: 'q',
  fragments: [{ kind: 'exchange' }, { kind: 'scan' }] as never,
  scans: [
    {
      tableId: definition.id,
      definition,
      segments,
      ranges: [{ partition: 0, startOffset: 8, endOffset: 9 }],
      masks: {},
    },
  ],
  ...{ inline: {}, nowMs: 0, timeoutMs: 60_000, memoryBytes: 1 << 20, allowPartial: false },
  ...change,
});

async function run(input = request()): Promise<{ frames: number; answered: readonly string[] }> {
  const stream = local<ServerCalls>(scatter.server).stream('run', input);
  let frames = 0;
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) frames++;
  return { frames, answered: next.value.unitsAnswered.toSorted() };
}
const failure = async (input?: ServerRunInput): Promise<FaultError> => {
  const error = await run(input).catch((thrown: unknown) => thrown);
  if (error instanceof FaultError) return error;
  throw new Error('it answered');
};

const all = unitsOfScans(request0().scans).toSorted();
function request0(): Pick<ServerRunInput, 'scans'> {
  return {
    scans: [
      {
        tableId: definition.id,
        definition,
        segments,
        ranges: [{ partition: 0, startOffset: 8, endOffset: 9 }],
        masks: {},
      },
    ],
  };
}
const whole = { frames: 9, answered: all };
const sizes = (who: string): number[] => asked.filter(each => each.who === who).map(({ units }) => units.length);

beforeEach(() => {
  clock = new ManualClock();
  leaves = { a: honest, b: honest, owner: honest };
  asked = [];
  streams = false;
  routes = new Routes({
    ...{ clock, log: silentLog, members: {} as Client<MemberCalls> },
    connect: (id, address) => ({ id, address, client: leafOf(id), close() {} }),
  });
  const shard: Client<ShardCalls> = {
    call: () => Promise.reject(new Error('not asked here')),
    stream: ((_: 'run', input: RunInput, options: { signal: AbortSignal }) => root(input, options.signal)) as never,
  };
  scatter = createScatter({
    ...{ clock, log: silentLog, routes, shards: [shard], own: {} as Client<ServerCalls> },
    owner: { server: {} as Client<ServerCalls>, leaf: leafOf('owner') },
  });
});
afterEach(() => routes.take([]));

describe('who is asked', () => {
  test('each segment at one of those that announced it, the rest and the consuming rows at the owner', async () => {
    announce({ a: segments.slice(0, 6), b: segments.slice(2, 7) });
    expect(await run()).toEqual(whole);
    expect(asked.flatMap(({ units }) => units).toSorted()).toEqual(all);
    expect(sizes('owner')).toEqual([2]);
    // Six are held by one or both: both have work.
    expect(sizes('a')[0]! + sizes('b')[0]!).toBe(7);
    expect(sizes('a')[0]! >= 2 && sizes('b')[0]! >= 1).toBe(true);
  });

  test('nobody but the owner, where the generation announced is another', async () => {
    announce({ a: segments.map(each => ({ ...each, generation: 2 })) });
    expect(await run()).toEqual(whole);
    expect(sizes('a')).toEqual([]);
  });

  test('not who is silent', async () => {
    announce({ a: segments });
    routes.take([
      { serverId: 'a', address: { host: '127.0.0.1', port: 1 }, live: false, announcement: 1, segments: null },
    ]);
    expect(await run()).toEqual(whole);
    expect(sizes('owner')).toEqual([9]);
  });
});

const lies: Record<string, Leaf> = {
  'a connection that is lost': async function* () {
    yield new Uint8Array(frame);
    throw fault('UNAVAILABLE', 'the connection was lost');
  },
  'damaged files': async function* () {
    yield new Uint8Array(frame);
    throw fault('CORRUPT_SEGMENT', 'fails its checksum');
  },
  'a bug': async function* () {
    yield new Uint8Array(frame);
    throw new Error('undefined is not a function');
  },
  'frames that are no batches': async function* (input) {
    yield new Uint8Array([0xff]);
    return { ...emptyStats(), unitsAnswered: unitsOfScans(input.scans) };
  },
  'fewer segments than were asked for': async function* (input) {
    yield new Uint8Array(frame);
    return { ...emptyStats(), unitsAnswered: unitsOfScans(input.scans).slice(1) };
  },
  'a segment twice': async function* (input) {
    yield new Uint8Array(frame);
    const units = unitsOfScans(input.scans);
    return { ...emptyStats(), unitsAnswered: [...units, units[0]!] };
  },
  'a segment that it was not asked for': async function* (input) {
    yield new Uint8Array(frame);
    return { ...emptyStats(), unitsAnswered: [...unitsOfScans(input.scans), 'another'] };
  },
  'no trailer': async function* () {
    yield new Uint8Array(frame);
    return null as never;
  },
  'a trailer of nonsense': async function* (input) {
    yield new Uint8Array(frame);
    return { ...emptyStats(), unitsAnswered: unitsOfScans(input.scans), rowsScanned: 'many' as never };
  },
};

describe.each(Object.entries(lies))('a server that gives %s', (_, lie) => {
  beforeEach(() => {
    leaves.a = lie;
  });

  test('is left out, and another that has the segments answers', async () => {
    announce({ a: segments, b: segments });
    expect(await run()).toEqual(whole);
    expect(sizes('b').at(-1)).toBe(8);
  });

  test('is left out, and the owner answers where nobody else has them', async () => {
    announce({ a: segments });
    expect(await run()).toEqual(whole);
    expect(sizes('owner').at(-1)).toBe(9);
  });

  test('is not asked again for a while', async () => {
    announce({ a: segments });
    await run();
    const before = sizes('a').length;
    await run();
    expect(sizes('a').length).toBe(before);
    clock.advance(suspicionMs);
    leaves.a = honest;
    await run();
    expect(sizes('a').length).toBe(before + 1);
  });
});

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('a server that hangs', () => {
  const silent: Leaf = async function* (_, signal) {
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    yield new Uint8Array(frame);
    return emptyStats();
  };

  test('is given up after a while without a sign of life', async () => {
    announce({ a: segments, b: segments });
    leaves.a = silent;
    const answer = run();
    for (let tick = 0; tick < silentTicksMax; tick++) {
      await clock.untilSleeping();
      clock.advance(signOfLifeMs);
      await turn();
    }
    expect(await answer).toEqual(whole);
  });

  test('is waited for as long as it shows that it works', async () => {
    announce({ a: segments });
    leaves.a = async function* (input, signal) {
      for (let sign = 0; sign < 5; sign++) {
        await clock.sleep((silentTicksMax - 2) * signOfLifeMs);
        yield new Uint8Array(0);
      }
      return yield* honest(input, signal);
    };
    const answer = run();
    for (let tick = 0; tick < 5 * silentTicksMax; tick++) {
      await turn();
      clock.advance(signOfLifeMs);
    }
    expect(await answer).toEqual(whole);
    expect(sizes('a')).toEqual([8]);
  });
});

test('however many servers fail, the attempts are few, and the last is the owner’s alone', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const name of names) leaves[name] = lies['a connection that is lost']!;
  announce(Object.fromEntries(names.map(name => [name, segments])));
  expect(await run()).toEqual(whole);
  expect(sizes('owner').at(-1)).toBe(9);
  expect(sizes('owner').length).toBeLessThanOrEqual(attemptsMax);
});

describe('a query fails', () => {
  test('where rows have left, naming the server and its segments', async () => {
    announce({ a: segments, b: segments });
    streams = true;
    leaves.a = lies['a connection that is lost']!;
    const { code, message, details } = (await failure()).fault;
    expect(code).toBe('INCOMPLETE');
    expect(message).toContain('server a at 127.0.0.1:1 did not answer for');
    expect((details!.missing as string[]).length).toBeGreaterThan(0);
  });

  test('where the owner is away: nobody has its consuming rows', async () => {
    announce({ a: segments });
    leaves.owner = lies['a connection that is lost']!;
    const { code, message } = (await failure()).fault;
    expect(code).toBe('UNAVAILABLE');
    expect(message).toContain("the controller's process did not answer");
    expect(asked.filter(({ who }) => who === 'owner')).toHaveLength(1);
  });

  test('with its own error, which no other server would answer better', async () => {
    announce({ a: segments, b: segments });
    leaves.a = async function* () {
      yield new Uint8Array(frame);
      throw fault('DIVISION_BY_ZERO', 'division by zero');
    };
    expect((await failure()).fault.code).toBe('DIVISION_BY_ZERO');
    expect(sizes('a')).toHaveLength(1);
  });
});

describe('a partial answer, where it is allowed', () => {
  test('lacks what the owner alone has', async () => {
    announce({ a: segments });
    leaves.owner = lies['a connection that is lost']!;
    const { answered } = await run(request({ allowPartial: true }));
    expect(answered).toEqual(segments.map(({ id }) => id));
  });

  test('lacks what a server had, when rows had left', async () => {
    announce({ a: segments.slice(0, 4), b: segments.slice(4) });
    streams = true;
    leaves.a = lies['a connection that is lost']!;
    leaves.b = honest;
    const { answered } = await run(request({ allowPartial: true }));
    expect(answered).toEqual(expect.arrayContaining(segments.slice(4).map(({ id }) => id)));
  });

  test('is whole where another has it', async () => {
    announce({ a: segments, b: segments });
    leaves.a = lies['frames that are no batches']!;
    expect(await run(request({ allowPartial: true }))).toEqual(whole);
  });
});

test('what the root does not need is not missing', async () => {
  announce({ a: segments });
  const shard: Client<ShardCalls> = {
    call: () => Promise.reject(new Error('not asked here')),
    stream: async function* (_: 'run', input: RunInput, options: { signal: AbortSignal }) {
      const { task } = input.remote!.tasks[0]!;
      const stream = local(scatter.tasks).stream('task', { runId: input.remote!.runId, task }, options);
      yield (await stream.next()).value as Uint8Array;
      await stream.return(undefined as never);
      return emptyStats();
    } as never,
  };
  scatter = createScatter({
    ...{ clock, log: silentLog, routes, shards: [shard], own: {} as Client<ServerCalls> },
    owner: { server: {} as Client<ServerCalls>, leaf: leafOf('owner') },
  });
  expect((await run()).answered).toEqual(all);
});
