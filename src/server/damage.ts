/** Tells the controller which segments the shards found damaged. */
import { toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { SegmentDamage, ShardCalls } from '../wire/shard-calls.ts';

export interface DamageComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly shards: readonly Client<ShardCalls>[];
  readonly controller: Client<ControllerCalls>;
}

/** Between two looks: until a segment is known to be damaged each query that needs it reads it, and fails, by itself. */
const reportIntervalMs = 1_000;

/**
 * Until the signal. A shard keeps what it found until the segment is evicted from it, so a report that fails is made again;
 * what a crash takes along is found again by the next query.
 */
export async function reportDamage(
  { clock, log, shards, controller }: DamageComponents,
  signal: AbortSignal,
): Promise<void> {
  let told = new Set<string>();
  while (!signal.aborted) {
    try {
      const statuses = await Promise.all(shards.map(shard => shard.call('status', null)));
      const found = new Map<string, SegmentDamage>();
      for (const { damaged } of statuses) for (const each of damaged) found.set(`${each.part} ${each.segmentId}`, each);
      told = new Set([...told].filter(key => found.has(key)));
      for (const [key, { segmentId, part, cause }] of found) {
        if (told.has(key)) continue;
        await controller.call('reportCorrupt', { segmentId, part, cause });
        told.add(key);
      }
    } catch (error) {
      if (!signal.aborted)
        log.warn('damaged segments could not be reported; it is tried again', { cause: toFault(error).message });
    }
    await clock.sleep(reportIntervalMs, signal).catch(() => {});
  }
}
