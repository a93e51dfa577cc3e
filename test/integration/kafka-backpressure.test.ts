/** A stream that is faster than the machine, and larger than its memory: rows wait in the topic, queries do not. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { seededRandom } from '../support/random.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { startWeir, type WeirProcess } from '../support/weir-process.ts';

const partitionCount = 24;
const messageCount = 240_000;
const textSizeBytes = 2_000;
const memoryBytes = 768 << 20;
const timeoutMs = 3_000;

/** Texts that no dictionary makes smaller: together twice what the arenas hold. */
async function fill(kafka: Kafka, topic: string): Promise<void> {
  const random = seededRandom(1);
  const producer = kafka.client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let first = 0; first < messageCount; first += 2_000) {
    const messages = Array.from({ length: 2_000 }, (_, index) => {
      const id = first + index;
      const text = random.hex(16).repeat(textSizeBytes / 16);
      return { partition: id % partitionCount, value: `{"id":${id},"text":"${text}"}` };
    });
    await producer.send({ topic, messages, acks: 1 });
  }
  await producer.disconnect();
}

const residentBytes = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;

requires('kafka')('backpressure', () => {
  test('memory stays within the budget and queries within their time, while a large topic is read', {
    timeout: 300_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-backpressure-'));
    const kafka = await startKafka({ version: kafkaVersions[1] });
    let weir: WeirProcess | null = null;
    try {
      await kafka.createTopic('large', partitionCount);
      await fill(kafka, 'large');
      weir = await startWeir({
        args: ['--data', folder, '--no-demo', '--shards', '2', '--memory', `${memoryBytes}`],
      });
      const { url, child } = weir;
      const post = async (sql: string): Promise<{ rows?: number[][]; error?: { code: string; message: string } }> => {
        const response = await fetch(`${url}/v1/sql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ sql, timeoutMs }),
        });
        return (await response.json()) as never;
      };
      expect(
        (
          await post(`CREATE TABLE large (id LONG NOT NULL, text STRING) FROM KAFKA (brokers = '${kafka.brokers[0]}',
            topic = 'large', format = 'json') WITH (segment_rows = 10000000)`)
        ).error,
      ).toBeUndefined();
      let largestBytes = 0;
      let queries = 0;
      const startedMs = Date.now();
      for (let count = 0; count < messageCount; queries++) {
        const { rows, error } = await post('SELECT COUNT(*), COUNT(DISTINCT $partition) FROM large');
        expect(error, `query ${queries}`).toBeUndefined();
        expect(rows![0]![0]!, 'what was seen stays seen').toBeGreaterThanOrEqual(count);
        count = rows![0]![0]!;
        largestBytes = Math.max(largestBytes, await residentBytes(child.pid!));
        expect(Date.now() - startedMs, `${count} of ${messageCount} rows`).toBeLessThan(200_000);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      expect(await post('SELECT COUNT(*), SUM(id), COUNT(DISTINCT $offset) FROM large')).toMatchObject({
        rows: [[messageCount, (messageCount * (messageCount - 1)) / 2, messageCount / partitionCount]],
      });
      const { rows: segments } = await post(`SELECT COUNT(*) FROM system.segments WHERE "table" = 'large'`);
      expect(segments![0]![0]!, 'memory alone made them seal').toBeGreaterThan(0);
      expect(queries).toBeGreaterThan(20);
      console.log(
        `resident ${Math.round(largestBytes / 2 ** 20)} MiB, ${queries} queries, ${Date.now() - startedMs} ms`,
      );
      expect(largestBytes).toBeLessThan(memoryBytes * 1.15);
      expect(await weir.stop()).toBe(0);
      weir = null;
    } finally {
      await weir?.kill();
      await kafka.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
