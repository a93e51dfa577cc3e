/**
 * Keeps what this process holds as the controller places it: fetches what is missing, announces what is there, drops what is
 * another's by now. A failure (the controller is away, the disk is full) is logged once and tried again for ever; meanwhile
 * queries find those segments elsewhere.
 */
import { toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { HeldSegment, MemberCalls, MemberRef, PlacedSegment, StoreCalls } from '../wire/cluster-calls.ts';
import type { CacheFolder } from './cache-folder.ts';
import { fetchSegment } from './fetch.ts';
import type { Holdings } from './holdings.ts';

/** Segments fetched at once: one waits for the disk while another's bytes come. */
const fetchesMax = 2;

/** Between two looks at the assignment, which changes with each segment that is published anywhere. */
const assignmentStepMs = 200;

/** After a failure, doubled with each further one up to the second. */
const retryMsMin = 500;
const retryMsMax = 30_000;

export interface LoaderComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly members: Client<MemberCalls>;
  readonly store: Client<StoreCalls>;
  readonly cache: CacheFolder;
  readonly holdings: Holdings;
  /** Nobody reads these any more: close their files. */
  evict(segmentIds: readonly string[]): Promise<void>;
}

export interface Loader {
  /** The controller knows nothing of this process yet, or any more: everything is announced again. */
  registered(): void;
  /** Their files are damaged: they are dropped now, and fetched again. */
  damaged(segmentIds: readonly string[]): void;
  /** What is in the cache is held from the start. Resolves after the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLoader(ref: MemberRef, components: LoaderComponents): Loader {
  const { clock, log, members, store, cache, holdings } = components;
  let placed: ReadonlyMap<string, PlacedSegment> = new Map();
  /** What the controller was told last; null: nothing. */
  let announced: Map<string, number> | null = null;
  let since: number | null = null;
  let isRegistered = false;
  /** Ids of segments that are being fetched or dropped. */
  const busy = new Set<string>();
  let wake = new AbortController();
  const kick = (): void => wake.abort();

  /** Until kicked, or for so long. */
  const pause = async (delayMs: number, signal: AbortSignal): Promise<void> => {
    await clock.sleep(delayMs, AbortSignal.any([signal, wake.signal])).catch(() => {});
    if (wake.signal.aborted) wake = new AbortController();
  };

  const announce = async (): Promise<void> => {
    const now = new Map(holdings.segments.map(({ id, generation }) => [id, generation]));
    const before = announced;
    const added: HeldSegment[] = [];
    for (const [id, generation] of now) if (before?.get(id) !== generation) added.push({ id, generation });
    const removed = before ? [...before.keys()].filter(id => !now.has(id)) : [];
    if (before && added.length + removed.length === 0) return;
    await members.call('announce', { ...ref, all: before === null, added, removed });
    // Registered again while that was on its way: the controller of now has not heard it.
    if (announced === before) announced = now;
  };

  const drop = async (segment: PlacedSegment): Promise<void> => {
    const unused = holdings.remove(segment.id);
    await announce().catch(() => {});
    await unused;
    await components.evict([segment.id]);
    await cache.remove(segment);
  };

  const isWanted = (segment: PlacedSegment): boolean => placed.get(segment.id)?.generation === segment.generation;

  async function followAssignment(signal: AbortSignal): Promise<void> {
    const failures = new Failures(log, 'the controller does not tell what is placed here');
    while (!signal.aborted) {
      if (!isRegistered) {
        await clock.sleep(assignmentStepMs, signal).catch(() => {});
        continue;
      }
      try {
        const news: MemberCalls['assignment']['out'] = await members.call('assignment', { ...ref, since }, { signal });
        since = news.version;
        placed = new Map(news.segments.map(segment => [segment.id, segment]));
        failures.over();
        kick();
        await clock.sleep(assignmentStepMs, signal).catch(() => {});
      } catch (error) {
        since = null;
        if (!signal.aborted) await clock.sleep(failures.note(error), signal).catch(() => {});
      }
    }
  }

  /** Drops and announces; the fetching is `fetchMissing`'s. */
  async function settle(signal: AbortSignal): Promise<void> {
    const failures = new Failures(log, 'what is held here cannot be announced');
    while (!signal.aborted) {
      try {
        if (isRegistered) await announce();
        // Before the first assignment nothing is known to be another's.
        if (since !== null)
          for (const segment of holdings.segments) {
            if (placed.has(segment.id) || busy.has(segment.id)) continue;
            busy.add(segment.id);
            void drop(segment)
              .catch(error =>
                log.warn('a segment cannot be removed', { segment: segment.id, reason: toFault(error).message }),
              )
              .finally(() => busy.delete(segment.id));
          }
        failures.over();
        await pause(assignmentStepMs * 5, signal);
      } catch (error) {
        await clock.sleep(failures.note(error), signal).catch(() => {});
      }
    }
  }

  async function fetchMissing(signal: AbortSignal): Promise<void> {
    const failures = new Failures(log, 'a segment cannot be fetched');
    while (!signal.aborted) {
      const segment = [...placed.values()].find(each => !holdings.has(each) && !busy.has(each.id));
      if (!segment) {
        await clock.sleep(assignmentStepMs, signal).catch(() => {});
        continue;
      }
      busy.add(segment.id);
      try {
        await fetchSegment(segment, store, cache, signal);
        if (isWanted(segment)) holdings.add(segment);
        else if (!holdings.get(segment.id)) await cache.remove(segment);
        failures.over();
        kick();
      } catch (error) {
        // One that was dropped meanwhile is no failure.
        if (!signal.aborted && isWanted(segment))
          await clock.sleep(failures.note(error, { segment: segment.id }), signal).catch(() => {});
      } finally {
        busy.delete(segment.id);
      }
    }
  }

  return {
    registered() {
      isRegistered = true;
      announced = null;
      since = null;
      kick();
    },
    damaged(segmentIds) {
      for (const id of segmentIds) {
        const segment = holdings.get(id);
        if (!segment || busy.has(id)) continue;
        log.warn('the cached files of a segment are damaged: they are fetched again', { segment: id });
        busy.add(id);
        void drop(segment)
          .catch(error => log.warn('a segment cannot be removed', { segment: id, reason: toFault(error).message }))
          .finally(() => busy.delete(id));
      }
    },
    async run(signal) {
      for (const segment of await cache.segments()) holdings.add(segment);
      kick();
      const fetchers = Array.from({ length: fetchesMax }, () => fetchMissing(signal));
      await Promise.all([followAssignment(signal), settle(signal), ...fetchers]);
    },
  };
}

/** Says once that something fails, and how long to wait before the next try. */
class Failures {
  readonly #log: Log;
  readonly #what: string;
  #delayMs = 0;

  constructor(log: Log, what: string) {
    this.#log = log;
    this.#what = what;
  }

  note(error: unknown, fields: Readonly<Record<string, unknown>> = {}): number {
    if (this.#delayMs === 0)
      this.#log.warn(`${this.#what}; tried again`, { ...fields, reason: toFault(error).message });
    this.#delayMs = Math.min(retryMsMax, Math.max(retryMsMin, this.#delayMs * 2));
    return this.#delayMs;
  }

  over(): void {
    if (this.#delayMs > 0) this.#log.info(`${this.#what}: no longer`);
    this.#delayMs = 0;
  }
}
