/** Messages at a steady rate, in a process of its own. */
import { answerParent } from '../child.ts';
import { acknowledgedByLeader, openProducer } from './client.ts';
import { amountOf, eventOf } from './events.ts';

export interface SteadyOrder {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitionCount: number;
  readonly messagesPerSecond: number;
  readonly durationMs: number;
}

export interface SteadyReport {
  readonly messages: number;
  readonly amountSum: number;
  /** How far behind its time the latest request was made. */
  readonly lateMs: number;
}

/** Between two requests: a producer that lingers as long. */
const gapMs = 10;

answerParent(async (order: SteadyOrder): Promise<SteadyReport> => {
  const { brokers, topic, partitionCount, messagesPerSecond, durationMs } = order;
  const producer = await openProducer(brokers);
  const perRequest = Math.round((messagesPerSecond * gapMs) / 1000);
  const sent: Promise<unknown>[] = [];
  let messages = 0;
  let amountSum = 0;
  let lateMs = 0;
  const startedMs = performance.now();
  for (let dueMs = startedMs; dueMs < startedMs + durationMs; dueMs += gapMs) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
    else lateMs = Math.max(lateMs, -waitMs);
    const nowMs = Date.now();
    const batch = Array.from({ length: perRequest }, () => {
      const number = messages++;
      amountSum += amountOf(number);
      return { value: eventOf(number, nowMs), partition: number % partitionCount };
    });
    sent.push(producer.send({ topic, messages: batch, acks: acknowledgedByLeader }));
  }
  await Promise.all(sent);
  await producer.disconnect();
  return { messages, amountSum, lateMs };
});
