/**
 * Exactly once: Weir is killed at random moments, and then the broker, under a transactional producer that aborts a third
 * of its transactions. Afterwards every committed message is there once, and nothing else, by the producer's own log.
 * WEIR_KILLS=100 for the long test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { seededRandom } from '../support/random.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { readCommittedIds, startTransactions } from '../support/transactions.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const killCount = Number(process.env.WEIR_KILLS ?? 10);
const brokerKillCount = Math.max(2, Math.floor(killCount / 10));
const partitionCount = 3;

const messageOf = (id: number): string =>
  JSON.stringify({
    id,
    ts: new Date(1_700_000_000_000 + id).toISOString(),
    amount: id % 1000,
    name: `name ${id % 50}`,
  });
const idOf = (value: Buffer): number => (JSON.parse(value.toString()) as { id: number }).id;

const createTable = (topic: string, { brokers }: Kafka): string => `
  CREATE TABLE ${topic} (id LONG NOT NULL, ts TIMESTAMP NOT NULL, amount LONG, name STRING)
  FROM KAFKA (brokers = '${brokers[0]}', topic = '${topic}', format = 'json')
  WITH (time_column = 'ts', segment_rows = 1500, segment_age = '1s')`;

/** What is wrong with the table, given what it must and what it may hold. */
async function faultsOf(url: string, table: string, must: ReadonlySet<number>, may: ReadonlySet<number>) {
  const rows = await ask(url, `SELECT id, COUNT(*), MIN($partition) FROM ${table} GROUP BY id`);
  const seen = new Set(rows.map(([id]) => Number(id)));
  return {
    doubled: rows.filter(([, count]) => count !== 1).map(([id]) => id),
    misplaced: rows.filter(([id, , partition]) => Number(id) % partitionCount !== partition).map(([id]) => id),
    aborted: [...seen].filter(id => !must.has(id) && !may.has(id)),
    lost: [...must].filter(id => !seen.has(id)),
  };
}

const nothing = { doubled: [], misplaced: [], aborted: [], lost: [] };

requires('kafka')('exactly once', () => {
  let kafka: Kafka;
  let folder: string;
  const random = seededRandom(20_240_102);
  const start = (): Promise<WeirProcess> => startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });

  beforeAll(async () => {
    kafka = await startKafka({ version: kafkaVersions[1] });
    folder = await mkdtemp(join(tmpdir(), 'weir-kafka-kill-'));
  });
  afterAll(async () => {
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test(`after ${killCount} kills of Weir`, { timeout: 120_000 + killCount * 20_000 }, async () => {
    await kafka.createTopic('kills', partitionCount);
    let weir = await start();
    await ask(weir.url, createTable('kills', kafka));
    const producer = await startTransactions(kafka.client, 'kills', partitionCount, messageOf);
    for (let kill = 0; kill < killCount; kill++) {
      await new Promise(resolve => setTimeout(resolve, 100 + Math.floor(random.next() * 2000)));
      await weir.kill();
      const before = new Set(producer.committed);
      weir = await start();
      // Of what was committed before, all is there soon; of what is aborted, nothing ever.
      await eventually(async () => {
        const { lost, ...wrong } = await faultsOf(weir.url, 'kills', before, producer.committed);
        const late = wrong.aborted.filter(id => !producer.committed.has(id));
        expect({ ...wrong, aborted: late, lost }, `after kill ${kill}`).toEqual(nothing);
      }, 30_000);
    }
    await producer.stop();
    expect(producer.unknown.size).toBe(0);
    expect(producer.abortedCount).toBeGreaterThan(0);
    await eventually(async () => {
      expect(await faultsOf(weir.url, 'kills', producer.committed, new Set())).toEqual(nothing);
    });
    const [[unbalanced, segments]] = (await ask(
      weir.url,
      `SELECT COUNT(*) FILTER (WHERE NOT balanced), COUNT(*) FROM system.audit WHERE "table" = 'kills'`,
    )) as [[number, number]];
    expect(unbalanced).toBe(0);
    expect(segments).toBeGreaterThan(0);
    expect(await weir.stop()).toBe(0);
  });

  test(`after ${brokerKillCount} kills of the broker`, { timeout: 120_000 + brokerKillCount * 60_000 }, async () => {
    await kafka.createTopic('outages', partitionCount);
    const weir = await start();
    await ask(weir.url, createTable('outages', kafka));
    const producer = await startTransactions(kafka.client, 'outages', partitionCount, messageOf);
    for (let kill = 0; kill < brokerKillCount; kill++) {
      await new Promise(resolve => setTimeout(resolve, 500 + Math.floor(random.next() * 2000)));
      await kafka.kill();
      await eventually(async () => {
        const states = await ask(weir.url, `SELECT state, cause FROM system.ingestion WHERE "table" = 'outages'`);
        expect(states.map(([state]) => state)).toContain('failed');
      });
      expect((await ask(weir.url, 'SELECT COUNT(*) FROM outages')).length, 'queries go on').toBe(1);
      await kafka.restart();
      await eventually(async () => {
        const { lost, doubled } = await faultsOf(weir.url, 'outages', new Set(producer.committed), new Set());
        expect({ lost, doubled }, `after kill ${kill} of the broker`).toEqual({ lost: [], doubled: [] });
      }, 60_000);
    }
    await producer.stop();
    // What the broker answered no commit for, it alone knows.
    await eventually(async () => {
      const truth = new Set(await readCommittedIds(kafka.client, 'outages', idOf));
      expect([...producer.committed].filter(id => !truth.has(id))).toEqual([]);
      expect(await faultsOf(weir.url, 'outages', truth, new Set())).toEqual(nothing);
    }, 60_000);
    expect(await weir.stop()).toBe(0);
  });
});
