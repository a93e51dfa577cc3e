import type { Clock, Log, Random } from '../../base/seams.ts';
import { Cluster } from './cluster.ts';
import type { ReadSecret } from './credentials.ts';
import { findOffsets } from './offsets.ts';
import { produce } from './produce.ts';
import { Reader } from './reader.ts';
import type { KafkaClient, KafkaConnection } from './types.ts';

export interface KafkaComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The text behind `env:NAME` or `file:/path`; asked at each connection, and nowhere kept. */
  readonly readSecret: ReadSecret;
}

/** Connects when it is first asked something. */
export function createKafkaClient(connection: KafkaConnection, components: KafkaComponents): KafkaClient {
  const { clock, random, log, readSecret } = components;
  const cluster = new Cluster(connection, clock, log, readSecret);
  const readers = new Set<Reader>();
  return {
    async describeTopic(topic) {
      const { topicId, partitions } = await cluster.describe(topic);
      return { topicId, partitions: partitions.map(({ partition }) => partition) };
    },
    findOffsets: async (topic, partitions, at, isolation = 'read_committed') =>
      partitions.length === 0 ? new Map() : findOffsets(cluster, { topic, partitions, at, isolation }),
    openReader(settings) {
      const reader = new Reader(settings, cluster, clock, random, () => readers.delete(reader));
      readers.add(reader);
      return reader;
    },
    produce: (topic, messages) => produce(cluster, components, topic, messages),
    async close() {
      for (const reader of [...readers]) await reader.close();
      cluster.close();
    },
  };
}
