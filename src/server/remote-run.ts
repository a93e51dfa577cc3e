/** One attempt of a query whose leaf fragments run in several processes: what each was asked, and what it answered. */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { emptyStats } from '../shard/interleave.ts';
import type { Client, FrameStream } from '../wire/call.ts';
import type { LeafCalls } from '../wire/cluster-calls.ts';
import type { ServerRunInput, ServerScan } from '../wire/server-calls.ts';
import type { RunStats } from '../wire/shard-calls.ts';
import { unitsOfScans } from './deal.ts';
import { signOfLifeMs } from './leaf.ts';
import type { Ticker } from './ticker.ts';

/**
 * Without a frame or a sign of life for so many ticks, a process is taken for lost: after five times what it promises, six
 * seconds at most.
 */
export const silentTicksMax = 6;

/** What one process runs of one fragment. */
export interface RemoteTask {
  /** A server's id; null: the process that has the deep store. */
  readonly serverId: string | null;
  /** For messages. */
  readonly name: string;
  readonly client: Client<LeafCalls>;
  readonly fragment: number;
  readonly scans: readonly ServerScan[];
}

export interface RemoteRunSettings {
  readonly input: ServerRunInput;
  readonly tasks: readonly RemoteTask[];
  readonly clock: Clock;
  /** Of `signOfLifeMs`. */
  readonly ticker: Ticker;
  readonly memoryBytes: number;
  /** Whether what is lost may be left out of the answer now; if not, losing it ends the attempt. */
  mayLeaveOut(task: RemoteTask): boolean;
}

/** A server that did not do its part. */
export interface Lost {
  readonly task: RemoteTask;
  readonly reason: Fault;
}

export class RemoteRun {
  readonly #settings: RemoteRunSettings;
  /** Of tasks that have ended by themselves. */
  readonly #answered = new Map<RemoteTask, readonly string[]>();
  readonly #ended = new AbortController();
  #started: readonly {
    readonly frames: FrameStream<RunStats>;
    readonly first: Promise<IteratorResult<Uint8Array, RunStats>>;
  }[] = [];
  readonly lost: Lost[] = [];

  constructor(settings: RemoteRunSettings) {
    this.#settings = settings;
  }

  /** Asks every process now, ahead of the root, which would only take longer to ask the same. */
  start(signal: AbortSignal): void {
    const { tasks, input, memoryBytes } = this.#settings;
    const { queryId, fragments, nowMs, timeoutMs: remainingMs, allowPartial } = input;
    const either = AbortSignal.any([signal, this.#ended.signal]);
    this.#started = tasks.map(task => {
      const node = fragments[task.fragment]!;
      const leaf = { queryId, nowMs, allowPartial, memoryBytes, remainingMs, node, scans: task.scans };
      const frames = task.client.stream('leaf', leaf, { signal: either });
      const first = frames.next();
      // Nobody may ever take it.
      first.catch(() => {});
      return { frames, first };
    });
  }

  /** Frames of a task, checked for nothing but their coming; then what it cost. Once for each. */
  async *frames(index: number, signal: AbortSignal): FrameStream<RunStats> {
    const task = this.#settings.tasks[index];
    const started = this.#started[index];
    if (!task || !started) throw fault('INVALID_REQUEST', `there is no task ${index}`);
    const { frames } = started;
    try {
      for (let coming = started.first; ; coming = frames.next()) {
        const next = await this.#unlessSilent(coming, signal);
        if (next.done) return this.#finish(task, next.value);
        if (next.value.length > 0) yield next.value;
      }
    } catch (error) {
      if (signal.aborted || !isLoss(error, task)) throw error;
      this.lose(task, toFault(error));
      if (!this.#settings.mayLeaveOut(task)) throw error;
      this.#answered.set(task, []);
      return emptyStats();
    } finally {
      frames.return(undefined as never).catch(() => {});
    }
  }

  /** Ends what still runs elsewhere. */
  close(): void {
    this.#ended.abort('over');
    for (const { frames } of this.#started) frames.return(undefined as never).catch(() => {});
  }

  lose(task: RemoteTask, reason: Fault): void {
    if (!this.lost.some(({ task: known }) => known === task)) this.lost.push({ task, reason });
  }

  /** Once the root has all it needs: what was answered, and what of tasks that it ended early, or never asked for, is unnecessary. */
  get answeredUnits(): string[] {
    return this.#settings.tasks.flatMap(task => this.#answered.get(task) ?? unitsOfScans(task.scans));
  }

  /** Rejects after a silence, or when the signal aborts, whatever comes then. */
  async #unlessSilent<T>(coming: Promise<T>, signal: AbortSignal): Promise<T> {
    for (let ticks = 0; ticks < silentTicksMax; ticks++) {
      const first = await Promise.race([coming, this.#settings.ticker.next()]);
      if (first) return first;
      signal.throwIfAborted();
    }
    coming.catch(() => {});
    throw fault('UNAVAILABLE', `nothing was heard from it for ${(silentTicksMax - 1) * signOfLifeMs} ms`);
  }

  /** A trailer that answers what was asked, and nothing else. @throws FaultError CORRUPT_FRAME, INCOMPLETE */
  #finish(task: RemoteTask, given: unknown): RunStats {
    const stats = checkStats(given);
    const asked = new Set(unitsOfScans(task.scans));
    const answered = new Set(stats.unitsAnswered);
    const foreign = [...answered, ...stats.unitsScanned].find(unit => !asked.has(unit));
    if (foreign !== undefined || answered.size !== stats.unitsAnswered.length)
      throw fault('CORRUPT_FRAME', `it answers for ${foreign ?? 'one unit twice'}, which it was not asked`);
    const missing = [...asked].filter(unit => !answered.has(unit));
    if (missing.length > 0) {
      const reason = fault('INCOMPLETE', `it did not answer ${missing.length} of ${asked.size} segments`, {
        details: { missing: missing.slice(0, 20) },
      });
      if (!this.#settings.mayLeaveOut(task)) throw reason;
      this.lose(task, reason.fault);
    }
    this.#answered.set(task, [...answered]);
    // They are told by `answeredUnits`: the root may have ended before this reaches it.
    return { ...stats, unitsAnswered: [] };
  }
}

/** Errors of the query itself (a division by zero, a budget, its deadline) are not the process's. */
function isLoss(error: unknown, { serverId }: RemoteTask): boolean {
  const { kind, code } = toFault(error);
  if (kind === 'unavailable' || code === 'CORRUPT_FRAME') return true;
  // Damaged copies and bugs of one server are not another's; nobody stands in for the process that has the deep store.
  return serverId !== null && (kind === 'corrupt' || kind === 'internal');
}

const counts = ['rowsScanned', 'rowsMatched', 'blocksScanned', 'blocksPruned', 'memoryPeakBytes', 'elapsedMs'] as const;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string');

function checkStats(given: unknown): RunStats {
  const stats = (typeof given === 'object' && given !== null ? given : {}) as Partial<RunStats>;
  const { filters } = stats;
  const isWhole =
    counts.every(name => Number.isFinite(stats[name]) && stats[name]! >= 0) &&
    isTexts(stats.unitsAnswered) &&
    isTexts(stats.unitsScanned) &&
    typeof filters === 'object' &&
    filters !== null &&
    Object.values(filters).every(count => Number.isFinite(count));
  if (isWhole) return stats as RunStats;
  throw fault('CORRUPT_FRAME', 'its answer has no statistics');
}
