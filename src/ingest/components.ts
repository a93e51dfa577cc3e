import type { Accounts } from '../base/accounts.ts';
import type { Clock, Disk, Log, Random } from '../base/seams.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { SchemaRegistry } from '../catalog/table.ts';
import type { KafkaClient, KafkaConnection } from '../stream/kafka/types.ts';
import type { BuilderCalls } from '../wire/builder-calls.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { ShardCalls } from '../wire/shard-calls.ts';

export interface IngestComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
  readonly controller: Client<ControllerCalls>;
  /** By number; a partition's rows live in one of them, always the same. */
  readonly shards: readonly Client<ShardCalls>[];
  readonly builder: Client<BuilderCalls>;
  /** Loads the code of streams; the client connects when it is first asked something. */
  openKafka(connection: KafkaConnection): Promise<KafkaClient>;
  openSchemas(registry: SchemaRegistry): Promise<SchemaSource>;
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
}

/** What tables are given besides. */
export interface TableComponents extends IngestComponents {
  readonly segmentSizeBytesMax: number;
  /**
   * An arena is full: publishes what the partition with most consuming rows holds, whosever it is, and resolves when that
   * is done or has failed. Never throws.
   */
  makeRoom(): Promise<void>;
}
