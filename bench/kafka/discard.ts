/** The contestant: kafkajs alone, a consumer group of one that counts messages and throws them away. */
import { answerParent } from '../child.ts';
import { openClient } from './client.ts';
import type { Consumed } from './throughput.ts';

export interface DiscardOrder {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  /** Ends when it has seen so many. */
  readonly messageCount: number;
}

answerParent(async ({ brokers, topic, groupId, messageCount }: DiscardOrder): Promise<Consumed> => {
  const consumer = openClient(brokers).consumer({ groupId });
  const startedMs = performance.now();
  const cpuAtStart = process.cpuUsage();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  const consumed = await new Promise<Consumed>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          seen += batch.messages.length;
          if (seen < messageCount) return;
          const { user, system } = process.cpuUsage(cpuAtStart);
          resolve({ elapsedMs: performance.now() - startedMs, cpuMs: (user + system) / 1000 });
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return consumed;
});
