/** Tables over topics of a real broker, through the real program: what a user does, and what goes wrong around it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

interface Freshness {
  readonly watermarkMs: number | null;
  readonly partitions: readonly {
    readonly partition: number;
    readonly ingestedOffset: number;
    readonly endOffset: number;
    readonly lagMs: number;
    readonly state: string;
    readonly cause: string | null;
  }[];
}

requires('kafka')('tables over topics', () => {
  let kafka: Kafka;
  let folder: string;
  let weir: WeirProcess;
  const start = async (): Promise<void> => {
    weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  };
  const restart = async (): Promise<void> => {
    expect(await weir.stop()).toBe(0);
    await start();
  };

  beforeAll(async () => {
    kafka = await startKafka({ version: kafkaVersions[0] });
    folder = await mkdtemp(join(tmpdir(), 'weir-kafka-'));
    await start();
  });
  afterAll(async () => {
    await weir?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const sql = (text: string): Promise<unknown[][]> => ask(weir.url, text);
  const from = (topic: string, options = ''): string =>
    `FROM KAFKA (brokers = '${kafka.brokers[0]}', topic = '${topic}', format = 'json'${options})`;
  const post = async (path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${weir.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const freshnessOf = async (table: string): Promise<Freshness> => {
    const { body } = await post('/v1/sql', { sql: `SELECT COUNT(*) FROM ${table}` });
    return (body.freshness as Record<string, Freshness>)[table]!;
  };
  const rowsBecome = (text: string, want: unknown[][], withinMs?: number): Promise<void> =>
    eventually(async () => expect(await sql(text)).toEqual(want), withinMs);
  const json = (...rows: readonly object[]) => rows.map(row => ({ value: JSON.stringify(row) }));

  /** Recent: what is older than the topic's retention goes before it is read. */
  const sentAtMs = Date.now() - 60_000;
  const sentAt = (ms: number): string => new Date(sentAtMs + ms).toISOString();

  test('rows know where they are from; keys, headers and times of messages are columns', async () => {
    await kafka.createTopic('orders', 2);
    await kafka.produce('orders', 1, [
      {
        key: 'k1',
        value: '{"id":1,"items":[{"sku":"a"},{"sku":"b"}]}',
        headers: { trace: 'x1' },
        timestamp: String(sentAtMs),
      },
      { key: null, value: '{"id":2,"items":[]}', timestamp: String(sentAtMs + 1) },
      { key: 'k3', value: '{"id":9007199254740993,"items":[{"sku":"c"}]}', timestamp: String(sentAtMs + 2) },
    ]);
    await sql(`CREATE TABLE orders (id LONG NOT NULL, sku STRING, customer STRING, trace STRING, at TIMESTAMP)
      ${from('orders')} WITH (time_column = 'at') AS
      SELECT id, item->>'sku' AS sku, $key AS customer, $headers->>'trace' AS trace, $timestamp AS at
      FROM message (id LONG, items JSON), UNNEST(items) AS item`);
    await rowsBecome('SELECT id, sku, customer, trace, at, $partition, $offset FROM orders ORDER BY id, sku', [
      [1, 'a', 'k1', 'x1', sentAt(0), 1, 0],
      [1, 'b', 'k1', 'x1', sentAt(0), 1, 0],
      // JSON.parse of the test rounds it; the text of the answer is exact, as other tests show.
      [9007199254740992, 'c', 'k3', null, sentAt(2), 1, 2],
    ]);
    await sql('COMMIT INGESTION orders');
    const [[segment, fresh]] = (await sql(
      "SELECT MIN($segment), COUNT(*) FILTER (WHERE $ingested_at > NOW() - INTERVAL '1 minute') FROM orders",
    )) as [[string, number]];
    expect(segment).toMatch(/^[0-9a-f]{12}-1-0-/);
    expect(fresh).toBe(3);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'none'])('what Kafka compresses with %s is read', async codec => {
    await kafka.createTopic(`codec-${codec}`, 1);
    const lines = Array.from({ length: 2_000 }, (_, id) => `key${id}:{"id":${id},"text":"${'abc '.repeat(id % 20)}"}`);
    await kafka.produceByJava(`codec-${codec}`, lines, codec);
    await sql(`CREATE TABLE codec_${codec} (id LONG, text STRING) ${from(`codec-${codec}`)}`);
    await rowsBecome(`SELECT COUNT(*), SUM(id), SUM(LENGTH(text)) FROM codec_${codec}`, [
      [2_000, 1_999_000, Array.from({ length: 2_000 }, (_, id) => (id % 20) * 4).reduce((a, b) => a + b)],
    ]);
  });

  test('poison messages are rejected with their place and reason, and go to the dead-letter topic', async () => {
    await kafka.createTopic('poison', 1);
    await kafka.createTopic('graveyard', 1);
    await sql(
      `CREATE TABLE poison (id LONG NOT NULL, amount LONG) ${from('poison', ", dead_letter_topic = 'graveyard'")}`,
    );
    await kafka.produce('poison', 0, [
      ...json({ id: 1, amount: 5 }),
      { value: 'not json' },
      ...json({ id: 2, amount: 'many' }, { amount: 1 }),
      { value: null },
      ...json({ id: 3, amount: 7, unknown: true }),
    ]);
    await rowsBecome('SELECT id, amount FROM poison ORDER BY id', [
      [1, 5],
      [3, 7],
    ]);
    const rejects = await sql(
      `SELECT "offset", "column", reason FROM system.rejects WHERE "table" = 'poison' ORDER BY 1`,
    );
    expect(rejects).toEqual([
      [1, null, expect.any(String)],
      [2, 'amount', expect.stringContaining('"many"')],
      [3, 'id', expect.stringContaining('NOT NULL')],
    ]);
    await sql(`CREATE TABLE graves (reason STRING, "offset" STRING) ${from('graveyard')} AS
      SELECT $headers->>'weir.reason' AS reason, $headers->>'weir.offset' AS "offset" FROM message (id STRING)`).catch(
      () => {},
    );
    const dead = await new Promise<string[]>((resolve, reject) => {
      const consumer = kafka.client.consumer({ groupId: `graves-${Date.now()}` });
      const seen: string[] = [];
      consumer
        .connect()
        .then(() => consumer.subscribe({ topic: 'graveyard', fromBeginning: true }))
        .then(() =>
          consumer.run({
            eachMessage: async ({ message }) => {
              seen.push(`${message.headers!['weir.offset']} ${message.value}`);
              if (seen.length === 3) resolve(seen);
            },
          }),
        )
        .catch(reject);
    });
    expect(dead).toEqual(['1 not json', '2 {"id":2,"amount":"many"}', '3 {"amount":1}']);
  });

  test('freshness: an idle partition is idle and not late; a paused one falls behind and says so', async () => {
    await kafka.createTopic('pulse', 2);
    await sql(`CREATE TABLE pulse (id LONG, ts TIMESTAMP) ${from('pulse')} WITH (time_column = 'ts')`);
    await kafka.produce('pulse', 0, json({ id: 1, ts: '2024-05-01T00:00:00Z' }));
    await rowsBecome('SELECT COUNT(*) FROM pulse', [[1]]);
    const { partitions } = await freshnessOf('pulse');
    expect(partitions).toMatchObject([
      { partition: 0, ingestedOffset: 1, endOffset: 1, lagMs: 0, state: 'consuming' },
      { partition: 1, ingestedOffset: 0, endOffset: 0, lagMs: 0, state: 'idle' },
    ]);
    await sql('PAUSE INGESTION pulse PARTITION 0');
    await kafka.produce('pulse', 0, json({ id: 2 }, { id: 3 }));
    await restart();
    expect(await sql('SELECT COUNT(*) FROM pulse WHERE id > 1')).toEqual([[0]]);
    await eventually(async () => expect((await freshnessOf('pulse')).partitions[0]).toMatchObject({ state: 'paused' }));
    expect((await post('/v1/tables/pulse/ingestion/resume', {})).status).toBe(200);
    await rowsBecome('SELECT COUNT(*) FROM pulse', [[3]]);
  });

  test('seek, by SQL and HTTP: back reads again without doubling, forward passes over, for good', async () => {
    await kafka.createTopic('steps', 1);
    await sql(`CREATE TABLE steps (id LONG) ${from('steps')} WITH (segment_rows = 50)`);
    const ids = Array.from({ length: 200 }, (_, id) => ({ id }));
    await kafka.produce('steps', 0, json(...ids));
    const whole = [[200, 19_900, 200]];
    const query = 'SELECT COUNT(*), SUM(id), COUNT(DISTINCT $offset) FROM steps';
    await rowsBecome(query, whole);
    await sql('COMMIT INGESTION steps');
    await sql('SEEK INGESTION steps PARTITION 0 TO OFFSET 120');
    await rowsBecome(query, whole);
    await sql('SEEK INGESTION steps TO BEGINNING');
    await rowsBecome(query, whole);
    await sql('PAUSE INGESTION steps');
    await kafka.produce('steps', 0, json({ id: 1_000 }, { id: 2_000 }));
    expect((await post('/v1/tables/steps/ingestion/seek', { to: 'end' })).status).toBe(200);
    await sql('RESUME INGESTION steps');
    await kafka.produce('steps', 0, json({ id: 3_000 }));
    await rowsBecome(query, [[201, 22_900, 201]]);
    await restart();
    await rowsBecome(query, [[201, 22_900, 201]]);
    expect(
      await sql(`SELECT SUM(skipped), COUNT(*) FILTER (WHERE NOT balanced) FROM system.audit WHERE "table" = 'steps'`),
    ).toEqual([[2, 0]]);
  });

  test('partitions that come are read from their beginning; a topic made again is read anew', async () => {
    await kafka.createTopic('growing', 1);
    await sql(`CREATE TABLE growing (id LONG) ${from('growing')}`);
    await kafka.produce('growing', 0, json({ id: 1 }));
    await rowsBecome('SELECT COUNT(*) FROM growing', [[1]]);
    await kafka.addPartitions('growing', 3);
    await eventually(async () => kafka.produce('growing', 2, json({ id: 2 })));
    await rowsBecome('SELECT MIN(id), MAX(id), MAX($partition) FROM growing', [[1, 2, 2]]);
    await kafka.deleteTopic('growing');
    await eventually(async () => {
      expect((await freshnessOf('growing')).partitions.map(({ state }) => state)).toContain('failed');
    });
    await eventually(async () => kafka.createTopic('growing', 3));
    await eventually(async () => kafka.produce('growing', 0, json({ id: 10 }, { id: 11 })));
    await rowsBecome('SELECT COUNT(*), SUM(id) FROM growing', [[4, 24]], 30_000);
  });

  test('offsets that retention took before they were read are counted as lost, and told', async () => {
    await kafka.createTopic('forgetful', 1);
    await sql(`CREATE TABLE forgetful (id LONG) ${from('forgetful')}`);
    await kafka.produce('forgetful', 0, json({ id: 1 }));
    await rowsBecome('SELECT COUNT(*) FROM forgetful', [[1]]);
    await sql('PAUSE INGESTION forgetful');
    await kafka.produce('forgetful', 0, json({ id: 2 }, { id: 3 }, { id: 4 }));
    await kafka.admin(async admin => {
      await admin.fetchTopicOffsets('forgetful');
      await admin.deleteTopicRecords({ topic: 'forgetful', partitions: [{ partition: 0, offset: '3' }] });
    });
    await sql('RESUME INGESTION forgetful');
    await rowsBecome('SELECT COUNT(*), MAX(id) FROM forgetful', [[2, 4]]);
    const [[lost, notice]] = (await sql(
      `SELECT offsets_lost, notice FROM system.ingestion WHERE "table" = 'forgetful'`,
    )) as [[number, string]];
    expect(lost).toBe(2);
    expect(notice).toContain('2 offsets from 1 on were deleted');
    const metrics = await (await fetch(`${weir.url}/metrics`)).text();
    expect(metrics).toMatch(/weir_ingestion_lost_offsets\{[^}]*table="forgetful"[^}]*\} 2/);
  });

  test('a broker that goes silent is told of with its cause, queries go on, and it heals', async () => {
    await kafka.createTopic('silent', 1);
    await sql(`CREATE TABLE silent (id LONG) ${from('silent')}`);
    await kafka.produce('silent', 0, json({ id: 1 }));
    await rowsBecome('SELECT COUNT(*) FROM silent', [[1]]);
    await kafka.kill();
    await eventually(async () => {
      const [partition] = (await freshnessOf('silent')).partitions;
      expect(partition).toMatchObject({ state: 'failed', cause: expect.stringContaining(kafka.brokers[0]!) });
    });
    const ready = await fetch(`${weir.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(JSON.stringify(await ready.json())).toContain('silent, partition 0');
    await kafka.restart();
    await eventually(async () => kafka.produce('silent', 0, json({ id: 2 })), 30_000);
    await rowsBecome('SELECT COUNT(*) FROM silent', [[2]], 30_000);
    await eventually(async () => {
      const [partition] = (await freshnessOf('silent')).partitions;
      expect(partition).toMatchObject({ state: 'consuming', cause: null });
    });
  });

  test('what cannot work is refused or told, with what to do', async () => {
    expect(await sql('SHOW TABLES')).not.toContainEqual(['nowhere']);
    await sql(`CREATE TABLE nowhere (id LONG) ${from('no-such-topic')}`);
    await eventually(async () => {
      expect((await freshnessOf('nowhere')).partitions).toMatchObject([
        { partition: -1, state: 'failed', cause: expect.stringContaining('no-such-topic') },
      ]);
    });
    await kafka.createTopic('no-such-topic', 1);
    await kafka.produce('no-such-topic', 0, json({ id: 1 }));
    await rowsBecome('SELECT COUNT(*) FROM nowhere', [[1]]);
    const rows = await fetch(`${weir.url}/v1/tables/nowhere/rows`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"id":1}',
    });
    expect([rows.status, JSON.stringify(await rows.json())]).toEqual([400, expect.stringContaining('Kafka')]);
    await sql('DROP TABLE nowhere');
    expect(await sql('SHOW TABLES')).not.toContainEqual(['nowhere']);
  });
});
