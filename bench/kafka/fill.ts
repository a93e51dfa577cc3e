/** Fills a topic as fast as kafkajs can, in a process of its own. */
import type { Message } from 'kafkajs';
import { answerParent } from '../child.ts';
import { acknowledgedByLeader, openProducer } from './client.ts';
import { amountOf, eventOf } from './events.ts';

export interface FillOrder {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitionCount: number;
  readonly messageCount: number;
}

export interface FillReport {
  readonly messages: number;
  /** Exact: far below 2^53. */
  readonly amountSum: number;
  readonly sizeBytes: number;
}

/** Messages of one partition in one request; about 50 kB, a few of the Java client's default batches. */
const batchMessages = 250;
/** Requests under way: while the broker writes one, the next is made. */
const requestsUnderWay = 2;
/** One event a millisecond from here on. */
const startMs = Date.UTC(2024, 5, 1);

answerParent(async ({ brokers, topic, partitionCount, messageCount }: FillOrder): Promise<FillReport> => {
  const producer = await openProducer(brokers);
  let next = 0;
  let amountSum = 0;
  let sizeBytes = 0;
  const draw = (): Message[] => {
    const messages: Message[] = [];
    const end = Math.min(messageCount, next + batchMessages * partitionCount);
    for (; next < end; next++) {
      const value = Buffer.from(eventOf(next, startMs + next));
      sizeBytes += value.length;
      amountSum += amountOf(next);
      messages.push({ value, partition: next % partitionCount });
    }
    return messages;
  };
  const send = async (): Promise<void> => {
    for (let messages = draw(); messages.length > 0; messages = draw())
      await producer.send({ topic, messages, acks: acknowledgedByLeader });
  };
  await Promise.all(Array.from({ length: requestsUnderWay }, send));
  await producer.disconnect();
  return { messages: messageCount, amountSum, sizeBytes };
});
