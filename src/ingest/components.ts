import type { Clock, Disk, Log, Random } from '../base/seams.ts';
import type { Client } from '../wire/call.ts';
import type { BuilderCalls, ControllerCalls, ShardCalls } from '../wire/calls.ts';

export interface IngestComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
  readonly controller: Client<ControllerCalls>;
  /** By number; a partition's rows live in one of them, always the same. */
  readonly shards: readonly Client<ShardCalls>[];
  readonly builder: Client<BuilderCalls>;
}
