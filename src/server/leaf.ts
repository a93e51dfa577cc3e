/** What this process answers of other processes' queries: leaf fragments over what it holds. */
import { toFault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { addStats, emptyStats, interleave } from '../shard/interleave.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type { LeafCalls, LeafInput } from '../wire/cluster-calls.ts';
import type { ServerScan } from '../wire/server-calls.ts';
import type { RunStats, ShardCalls } from '../wire/shard-calls.ts';
import { answeredUnits, dealFragment, unitsOfTask } from './deal.ts';
import type { Holdings } from './holdings.ts';
import { Ticker } from './ticker.ts';

export interface LeafComponents {
  readonly clock: Clock;
  readonly shards: readonly Client<ShardCalls>[];
  /** What of committed segments is here; null: the deep store itself is, and the consuming rows are. */
  readonly holdings: Holdings | null;
  /** Files of these turned out damaged. */
  onDamaged(segmentIds: readonly string[]): void;
}

/** Without a frame for so long at most, an empty one says that the shards still take turns. */
export const signOfLifeMs = 1_000;

/** Of what has ended, where nobody looks at the reason: an Error costs its stack. */
const over = 'over';

const noFrame = new Uint8Array(0);

export interface Leaf extends Handlers<LeafCalls> {
  /** Resolves when none of them runs any more, at a moment in which that is so. */
  idle(): Promise<void>;
}

export function createLeaf(components: LeafComponents): Leaf {
  let runCount = 0;
  const waiting: (() => void)[] = [];
  const handlers = leafHandlers(components, new Ticker(components.clock, signOfLifeMs));
  return {
    async *leaf(input, context) {
      runCount++;
      try {
        return yield* handlers.leaf(input, context);
      } finally {
        if (--runCount === 0) for (const wake of waiting.splice(0)) wake();
      }
    },
    idle: () => (runCount === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
  };
}

const leafHandlers = (components: LeafComponents, ticker: Ticker): Handlers<LeafCalls> => ({
  async *leaf(input, { signal }): FrameStream<RunStats> {
    const { holdings, onDamaged, shards } = components;
    const held = holdings?.use(input.scans) ?? { scans: input.scans, release() {} };
    const ended = new AbortController();
    try {
      const frames = runOnShards(input, held.scans, AbortSignal.any([signal, ended.signal]), components);
      return yield* withSigns(frames, ticker, () => Promise.all(shards.map(shard => shard.call('status', null))));
    } catch (error) {
      const { kind, message } = toFault(error);
      // Such messages name the file, and with it the segment.
      if (kind === 'corrupt')
        onDamaged(held.scans.flatMap(scan => scan.segments.map(({ id }) => id).filter(id => message.includes(id))));
      throw error;
    } finally {
      ended.abort(over);
      held.release();
    }
  },
});

async function* runOnShards(
  input: LeafInput,
  scans: readonly ServerScan[],
  signal: AbortSignal,
  { shards }: LeafComponents,
): FrameStream<RunStats> {
  const { queryId, node, nowMs, memoryBytes, allowPartial } = input;
  const tasks = dealFragment(0, scans, shards.length);
  const stats = emptyStats();
  const streams = tasks.map(({ shard, scans: own }) =>
    shards[shard]!.stream(
      'run',
      {
        ...{ queryId, nowMs, allowPartial, fragments: [node], fragment: 0, tasks: [], scans: own, inline: {} },
        timeoutMs: input.remainingMs,
        memoryBytes: Math.floor(memoryBytes / tasks.length),
      },
      { signal },
    ),
  );
  try {
    for await (const { frame } of interleave(streams, trailer => addStats(stats, trailer))) yield frame;
    return { ...stats, unitsAnswered: answeredUnits(tasks.map(unitsOfTask), stats.unitsAnswered) };
  } finally {
    for (const stream of streams) stream.return(undefined as never).catch(() => {});
  }
}

/** The same frames; an empty one for each tick without any in which the shards answered. */
async function* withSigns<T>(
  frames: FrameStream<T>,
  ticker: Ticker,
  askShards: () => Promise<unknown>,
): FrameStream<T> {
  let next = frames.next();
  try {
    for (;;) {
      const first = await Promise.race([next, ticker.next()]);
      if (!first) {
        await Promise.race([next, askShards()]);
        yield noFrame;
      } else if (first.done) return first.value;
      else {
        next = frames.next();
        yield first.value;
      }
    }
  } finally {
    next.catch(() => {});
    frames.return(undefined as T).catch(() => {});
  }
}
