/** Produces marked messages and asks Weir until it sees each of them: how long that takes. */
import { answerParent } from '../child.ts';
import { cellsOf, connectWeir } from '../weir.ts';
import { acknowledgedByLeader, openProducer } from './client.ts';
import { amountOf, eventOf } from './events.ts';

export interface MarkersOrder {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitionCount: number;
  readonly weirUrl: string;
  /** Before the first marker, so that the code on the way is compiled. */
  readonly delayMs: number;
  readonly count: number;
}

export interface MarkersReport {
  readonly messages: number;
  readonly amountSum: number;
  /** Of each marker that was seen: from just before it was sent to the answer that has it. */
  readonly latenciesMs: readonly number[];
}

/** Between two markers. */
const gapMs = 50;
/** Between an answer without news and the next question: what is measured is up to so much longer than what is. */
const askGapMs = 5;
/** After the last marker. */
const patienceMs = 30_000;

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

answerParent(
  async ({ brokers, topic, partitionCount, weirUrl, delayMs, count }: MarkersOrder): Promise<MarkersReport> => {
    const producer = await openProducer(brokers);
    const weir = connectWeir(weirUrl);
    const sentMs: number[] = [];
    const seenMs = new Map<number, number>();
    let amountSum = 0;

    const produce = async (): Promise<void> => {
      const acknowledged: Promise<unknown>[] = [];
      const startedMs = performance.now();
      while (sentMs.length < count) {
        const waitMs = startedMs + sentMs.length * gapMs - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        const marker = sentMs.length;
        const value = eventOf(marker, Date.now(), `,"marker":${marker}`);
        amountSum += amountOf(marker);
        sentMs.push(performance.now());
        const messages = [{ value, partition: marker % partitionCount }];
        acknowledged.push(producer.send({ topic, messages, acks: acknowledgedByLeader }));
      }
      await Promise.all(acknowledged);
    };

    const watch = async (): Promise<void> => {
      // All below it are seen.
      let low = 0;
      let lastChangeMs = performance.now();
      while (seenMs.size < count && performance.now() - lastChangeMs < patienceMs) {
        if (seenMs.size === sentMs.length) await sleep(1);
        else {
          const rows = cellsOf(await weir.ask(`SELECT marker FROM payments WHERE marker >= ${low}`)) as [bigint][];
          const nowMs = performance.now();
          const before = seenMs.size;
          for (const [marker] of rows) if (!seenMs.has(Number(marker))) seenMs.set(Number(marker), nowMs);
          while (seenMs.has(low)) low++;
          if (seenMs.size > before) lastChangeMs = nowMs;
          else await sleep(askGapMs);
        }
      }
    };

    await sleep(delayMs);
    await Promise.all([produce(), watch()]);
    await producer.disconnect();
    weir.close();
    return { messages: count, amountSum, latenciesMs: Array.from(seenMs, ([marker, atMs]) => atMs - sentMs[marker]!) };
  },
);
