/**
 * A query over several processes: each segment goes to one live server that announced it, what nobody announced and the
 * consuming rows to the process that has the deep store, and the root to a shard of this process, which merges.
 *
 * Who fails is found out before the answer has left, as far as that can be: as long as no row was given out the query runs
 * again, over the same snapshot, without the server that failed.
 */
import { type FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type { LeafCalls, RemoteTaskCalls } from '../wire/cluster-calls.ts';
import type { ServerCalls, ServerRunInput, ServerScan } from '../wire/server-calls.ts';
import type { RunInput, RunStats, ShardCalls } from '../wire/shard-calls.ts';
import { answeredUnits, busiestShard, dealTasks, type Task, unitsOfScans, unitsOfTask } from './deal.ts';
import { signOfLifeMs } from './leaf.ts';
import { type Lost, RemoteRun, type RemoteTask } from './remote-run.ts';
import type { Routes } from './routes.ts';
import { Ticker } from './ticker.ts';

/** Runs of one query: each leaves out the servers that failed it before, and the last all of them: the deep store has everything. */
export const attemptsMax = 4;

/** The process that has the deep store and the consuming rows. */
export interface Owner {
  readonly server: Client<ServerCalls>;
  readonly leaf: Client<LeafCalls>;
}

export interface ScatterComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly routes: Routes;
  /** Of this process, by number: one of them runs a query's root. */
  readonly shards: readonly Client<ShardCalls>[];
  /** This process's own role, for the status of its shards; and for all else where `owner` is null: then it is that process. */
  readonly own: Client<ServerCalls>;
  readonly owner: Owner | null;
}

export interface Scatter {
  readonly server: Handlers<ServerCalls>;
  /** For this process's shards. */
  readonly tasks: Handlers<RemoteTaskCalls>;
}

interface Attempt {
  /** Scans of this process's own shards. */
  readonly tasks: readonly Task[];
  readonly remoteTasks: readonly RemoteTask[];
}

export function createScatter(components: ScatterComponents): Scatter {
  const { log, routes, shards, own, owner } = components;
  const runs = new Map<string, RemoteRun>();
  let runCount = 0;
  const ticker = new Ticker(components.clock, signOfLifeMs);
  const server = owner?.server ?? own;

  async function* run(input: ServerRunInput, signal: AbortSignal): FrameStream<RunStats> {
    const excluded = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      const dealt = deal(input, attempt === attemptsMax ? null : excluded, components);
      if (dealt === null) return yield* own.stream('run', input, { signal });
      const runId = `${input.queryId}/${runCount++}`;
      let sent = false;
      const remote = new RemoteRun({
        ...{ input, ticker, clock: components.clock, tasks: dealt.remoteTasks, memoryBytes: input.memoryBytes },
        // Nobody stands in for the owner, and nobody for a server once rows have left.
        mayLeaveOut: task => input.allowPartial && (sent || task.serverId === null),
      });
      runs.set(runId, remote);
      try {
        remote.start(signal);
        const root = busiestShard(dealt.tasks) ?? runCount % shards.length;
        const frames = shards[root]!.stream('run', rootInput(input, dealt, runId), { signal });
        for (let next = await frames.next(); ; next = await frames.next()) {
          if (next.done) return withUnits(next.value, dealt, remote);
          sent = true;
          yield next.value;
        }
      } catch (error) {
        noteForeign(error, dealt, remote);
        if (signal.aborted || remote.lost.length === 0) throw error;
        for (const { task, reason } of remote.lost) {
          log.warn('another process failed a query', { process: task.name, reason: reason.message, attempt });
          if (task.serverId !== null) routes.suspect(task.serverId);
        }
        const isOwner = remote.lost.some(({ task }) => task.serverId === null);
        if (sent || isOwner || attempt === attemptsMax) throw incomplete(remote.lost);
        for (const { task } of remote.lost) if (task.serverId !== null) excluded.add(task.serverId);
      } finally {
        runs.delete(runId);
        remote.close();
      }
    }
  }

  return {
    server: {
      run: (input, { signal }) => run(input, signal),
      pin: (input, { signal }) => server.call('pin', input, { signal }),
      release: input => server.call('release', input),
      evict: input => own.call('evict', input),
      status: () => own.call('status', null),
    },
    tasks: {
      task({ runId, task }, { signal }) {
        const remote = runs.get(runId);
        if (!remote) throw fault('CANCELLED', 'the query has ended');
        return remote.frames(task, signal);
      },
    },
  };
}

/** Who scans what, without servers that are excluded, or (null) without any; null: nothing is to be asked of other processes. */
function deal(
  input: ServerRunInput,
  excluded: ReadonlySet<string> | null,
  components: ScatterComponents,
): Attempt | null {
  const { routes, owner, shards } = components;
  if (owner === null && routes.isEmpty) return null;
  const shares = shareScans(input.scans, segment => excluded && routes.holderOf(segment, excluded));
  const ownScans = shares.get(null) ?? [];
  shares.delete(null);
  if (owner === null && shares.size === 0) return null;
  const remoteTasks: RemoteTask[] = [];
  for (let fragment = 1; fragment < input.fragments.length; fragment++) {
    for (const [serverId, scans] of shares) {
      const { client, address } = routes.peer(serverId!)!;
      remoteTasks.push({
        serverId,
        name: `server ${serverId} at ${address.host}:${address.port}`,
        client,
        fragment,
        scans,
      });
    }
    if (owner !== null && ownScans.length > 0)
      remoteTasks.push({
        serverId: null,
        name: "the controller's process",
        client: owner.leaf,
        fragment,
        scans: ownScans,
      });
  }
  const tasks = owner === null ? dealTasks({ fragments: input.fragments, scans: ownScans }, shards.length) : [];
  return { tasks, remoteTasks };
}

/** Scans by who answers them, null for what no server does; a table of which one has no part is not in its scans. */
function shareScans(
  scans: readonly ServerScan[],
  holderOf: (segment: SegmentEntry) => string | null,
): Map<string | null, ServerScan[]> {
  const shares = new Map<string | null, ServerScan[]>();
  for (const scan of scans) {
    const bySegments = new Map<string | null, SegmentEntry[]>(scan.ranges.length > 0 ? [[null, []]] : []);
    for (const segment of scan.segments) {
      const holder = holderOf(segment);
      const held = bySegments.get(holder);
      if (held) held.push(segment);
      else bySegments.set(holder, [segment]);
    }
    for (const [holder, segments] of bySegments) {
      const part: ServerScan = {
        ...scan,
        // Zone maps have done their work at the broker; a shard reads its blocks' own from the manifest.
        segments: segments.map(entry => ({ ...entry, zones: {} })),
        ranges: holder === null ? scan.ranges : [],
      };
      const share = shares.get(holder);
      if (share) share.push(part);
      else shares.set(holder, [part]);
    }
  }
  return shares;
}

const rootInput = (input: ServerRunInput, attempt: Attempt, runId: string): RunInput => ({
  queryId: input.queryId,
  fragments: input.fragments,
  fragment: 0,
  tasks: attempt.tasks,
  remote: { runId, tasks: attempt.remoteTasks.map(({ fragment }, task) => ({ fragment, task })) },
  scans: [],
  inline: input.inline,
  nowMs: input.nowMs,
  timeoutMs: input.timeoutMs,
  memoryBytes: input.memoryBytes,
  allowPartial: input.allowPartial,
});

function withUnits(stats: RunStats, { tasks, remoteTasks }: Attempt, remote: RemoteRun): RunStats {
  const dealt = [...tasks.map(unitsOfTask), ...remoteTasks.map(({ scans }) => unitsOfScans(scans))];
  return { ...stats, unitsAnswered: answeredUnits(dealt, [...stats.unitsAnswered, ...remote.answeredUnits]) };
}

/** The shard that merges found a frame of some task to be no batch of its fragment: that is a lost server, too. */
function noteForeign(error: unknown, { remoteTasks }: Attempt, remote: RemoteRun): void {
  const reason = toFault(error);
  const task = reason.code === 'CORRUPT_FRAME' ? remoteTasks[Number(reason.details?.task ?? -1)] : undefined;
  if (task) remote.lose(task, reason);
}

function incomplete(lost: readonly Lost[]): FaultError {
  const units = [...new Set(lost.flatMap(({ task }) => unitsOfScans(task.scans)))];
  const [{ task, reason }] = lost as readonly [Lost];
  // What keeps the controller's process from answering is clear by itself: nobody can stand in for it.
  const code = task.serverId === null && reason.code === 'UNAVAILABLE' ? 'UNAVAILABLE' : 'INCOMPLETE';
  return fault(code, `${task.name} did not answer for ${units.length} segments: ${reason.message}`, {
    hint: 'try again, or allow a partial answer with "allowPartial": true',
    details: { missing: units.slice(0, 20), process: task.name },
  });
}
