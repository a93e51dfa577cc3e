/** The builder's thread gives way to shards and ingestion: on Linux every thread has a niceness of its own. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Log } from '../base/seams.ts';

const niceness = 10;

export function lowerPriority(log: Log): void {
  if (process.platform !== 'linux') return;
  try {
    // "<pid>/task/<tid>"
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), niceness);
  } catch (error) {
    log.debug('the builder runs at normal priority', { error });
  }
}
