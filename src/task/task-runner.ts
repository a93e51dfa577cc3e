/** The task role: a thread of low priority for long work over segments' bytes. */
import { type Account, type Accounts, unboundAccounts } from '../base/accounts.ts';
import type { Clock, Disk, Log, Random } from '../base/seams.ts';
import { WorkMemory } from '../base/work-memory.ts';
import type { SegmentEntry } from '../catalog/table.ts';
import { addIndexes } from '../segment/add-indexes.ts';
import { OpenFiles, type SegmentFiles } from '../segment/files.ts';
import { settleIndexes } from '../segment/settled-indexes.ts';
import { verifySegment } from '../segment/verify.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { inferFiles } from './infer-files.ts';
import { loadFiles } from './load.ts';
import { mergeSegments } from './merge.ts';

export interface TaskSettings {
  /** Rows of a load that are not yet in a segment. */
  readonly loadBufferSizeBytes: number;
}

export interface TaskComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The deep store, and its files on this machine. */
  readonly store: DeepStore;
  readonly segmentFiles: SegmentFiles;
  /** Files that loads read. */
  readonly disk: Disk;
  readonly uploadsFolder: string;
  readonly controller: Client<ControllerCalls>;
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
}

/** Of a segment's files: its columns as they are read, and as they are encoded anew. */
const segmentFactor = 2;
/** Of the rows of a load that are no segment yet: the rows, and what they are encoded to. */
const loadFactor = 2;

const sizeOf = (segments: readonly SegmentEntry[]): number =>
  segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** One piece of work after another, in the order asked for; each holds memory while it runs. */
function turns(account: Account, clock: Clock) {
  let turn: Promise<unknown> = Promise.resolve();
  return <T>(sizeBytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const done = turn.then(async () => {
      const memory = new WorkMemory(account, clock);
      try {
        await memory.hold(sizeBytes, signal);
        return await work();
      } finally {
        memory.close();
      }
    });
    turn = done.catch(() => {});
    return done;
  };
}

/**
 * One merge or index at a time, in the order asked for, and one load: each holds about a segment's columns in memory.
 * A load takes long, and those do not wait for it.
 */
export function createTaskRunner(
  { loadBufferSizeBytes }: TaskSettings,
  components: TaskComponents,
): Handlers<TaskCalls> {
  const { clock, segmentFiles, accounts = unboundAccounts() } = components;
  const upkeep = turns(accounts.account('builds'), clock);
  const loads = turns(accounts.account('loads'), clock);
  return {
    merge: (input, { signal }) =>
      upkeep(segmentFactor * sizeOf(input.segments), signal, async () => ({
        segment: await mergeSegments(input, { ...components, files: segmentFiles }, signal),
      })),
    index: (input, { signal }) =>
      upkeep(segmentFactor * sizeOf([input.segment]), signal, () => index(input, signal, components)),
    verify: ({ segment }) => ({
      problems: verifySegment(segment, new OpenFiles(segmentFiles), false)
        .filter(({ part }) => part === 'columns')
        .map(({ file, place, what }) => `${file}: ${place} ${what}`),
    }),
    load: ({ definition, load }, { signal }) =>
      loads(loadFactor * loadBufferSizeBytes, signal, () =>
        loadFiles(definition, load, { ...components, loadBufferSizeBytes }, signal),
      ),
    inferFiles: input => inferFiles(input, components),
  };
}

async function index(
  { definition, segment }: TaskCalls['index']['in'],
  signal: AbortSignal,
  { clock, log, store, segmentFiles: files }: TaskComponents,
): Promise<TaskCalls['index']['out']> {
  signal.throwIfAborted();
  const startedMs = clock.monotonicMs();
  const next = await addIndexes(segment, definition, files, store);
  const elapsedMs = Math.round(clock.monotonicMs() - startedMs);
  log.info('indexed a segment', {
    table: definition.name,
    segment: segment.id,
    generation: next.generation,
    elapsedMs,
  });
  return settleIndexes(segment, next, definition, files);
}
