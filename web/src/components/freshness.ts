import type { PartitionFreshness } from '../api/client.ts';
import { formatDuration, plural } from './format.ts';

export interface Freshness {
  readonly level: 'good' | 'warn' | 'bad';
  readonly text: string;
}

/** Behind by more than this, a partition is worth a look: ten times the age that rows have at most when all is well. */
export const lateMs = 10_000;

/** The worst of some partitions in a few words; null where there are none. An idle partition is not a late one. */
export function freshnessOf(partitions: readonly PartitionFreshness[]): Freshness | null {
  if (partitions.length === 0) return null;
  const failed = partitions.filter(partition => partition.state === 'failed');
  if (failed.length > 0)
    return {
      level: 'bad',
      text: `${plural(failed.length, 'partition')} failed: ${failed[0]!.cause ?? 'no cause given'}`,
    };
  const paused = partitions.filter(partition => partition.state === 'paused');
  if (paused.length > 0) return { level: 'warn', text: `${plural(paused.length, 'partition')} paused` };
  const lagMs = Math.max(...partitions.map(partition => partition.lagMs));
  if (lagMs > lateMs) return { level: 'warn', text: `${formatDuration(lagMs)} behind` };
  return { level: 'good', text: lagMs === 0 ? 'up to date' : `${formatDuration(lagMs)} behind` };
}
