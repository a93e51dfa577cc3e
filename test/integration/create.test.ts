/** `weir create --from-kafka` against a real broker: what it finds, what it says when it finds nothing. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kafka, kafkaUsers, startKafka } from '../support/kafka.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));
const { username, password } = kafkaUsers['scram-sha-256'];

requires('kafka')('weir create --from-kafka', () => {
  let folder: string;
  let kafka: Kafka;
  let weir: WeirProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-create-'));
    kafka = await startKafka({ version: kafkaVersions[0], secure: true });
    weir = await startWeir({ args: ['--data', join(folder, 'data'), '--no-demo', '--shards', '1'] });
  });
  afterAll(async () => {
    await weir?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const create = (
    broker: string,
    topic: string,
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> =>
    new Promise(resolve => {
      execFile(
        process.execPath,
        [main, 'create', '--from-kafka', '--brokers', broker, '--topic', topic, '--url', weir.url, ...args],
        { env: { ...process.env, WRONG_PASSWORD: 'not-it' } },
        (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });

  test('several partitions, some empty, with transactions and compression', async () => {
    await kafka.createTopic('trips', 4);
    const rides = Array.from({ length: 500 }, (_, id) => ({
      value: JSON.stringify({ id, started_at: 1_700_000_000_000 + id, city: `city ${id % 7}`, tip: id / 3 }),
    }));
    await kafka.produce('trips', 1, rides.slice(0, 100));
    const producer = kafka.client.producer({ transactionalId: 'trips', maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const [batch, end] of [
      [rides.slice(100), 'commit'],
      [[{ value: '{"aborted": true}' }], 'abort'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'trips', messages: batch.map(message => ({ ...message, partition: 2 })) });
      await transaction[end]();
    }
    await producer.disconnect();
    const { out, err, code } = await create(kafka.brokers[0]!, 'trips', '--yes', '--sample', '400');
    expect(err).toContain('topic trips: 4 partitions');
    expect(out).toContain('"started_at" TIMESTAMP NOT NULL, -- the time of the event');
    expect(out).toContain("index = 'city: inverted'");
    expect(out).not.toContain('aborted');
    expect(err).toContain('created trips: 500 rows so far');
    expect(code).toBe(0);
    expect(await ask(weir.url, 'SELECT COUNT(*), COUNT(DISTINCT id), MIN(started_at) FROM trips')).toEqual([
      [500, 500, '2023-11-14T22:13:20.000Z'],
    ]);
  });

  test('epoch seconds and messages without a time go through a transform that the server takes', async () => {
    await kafka.createTopic('beats', 1);
    await kafka.produce('beats', 0, [{ value: '{"ts": 1700000000, "n": 1}' }, { value: '{"ts": 1700000001, "n": 2}' }]);
    expect((await create(kafka.brokers[0]!, 'beats', '--yes')).err).toContain('created beats: 2 rows');
    expect(await ask(weir.url, 'SELECT ts, n FROM beats ORDER BY n')).toEqual([
      ['2023-11-14T22:13:20.000Z', 1],
      ['2023-11-14T22:13:21.000Z', 2],
    ]);
    await kafka.createTopic('bare.v1', 1, { 'retention.ms': '-1' });
    await kafka.produce('bare.v1', 0, [{ value: '{"n": 1}', timestamp: '1700000000000' }]);
    expect((await create(kafka.brokers[0]!, 'bare.v1', '--yes')).err).toContain('created bare_v1: 1 row ');
    expect(await ask(weir.url, 'SELECT message_time, n FROM bare_v1')).toEqual([['2023-11-14T22:13:20.000Z', 1]]);
  });

  test('with a password from a file, over TLS; a wrong one is told, and no password is shown', async () => {
    await kafka.createTopic('vault', 1);
    await kafka.produce('vault', 0, [{ value: '{"ts": "2024-05-01T00:00:00Z"}' }]);
    await kafka.admin(admin =>
      admin.createAcls({
        acl: [3, 8].map(operation => ({
          ...{ resourceType: 2, resourceName: 'vault', resourcePatternType: 3 },
          ...{ principal: `User:${username}`, host: '*', operation, permissionType: 3 },
        })),
      }),
    );
    const passwordPath = join(folder, 'password');
    await writeFile(passwordPath, `${password}\n`);
    const tls = ['--tls-ca', `file:${kafka.certificatePath}`];
    const sasl = [...tls, '--sasl-mechanism', 'scram-sha-256', '--sasl-username', username, '--sasl-password'];
    const broker = kafka.secured.saslTls;
    const right = await create(broker, 'vault', ...sasl, `file:${passwordPath}`, '--yes');
    expect(right.err).toContain('created vault: 1 row so far');
    const wrong = await create(broker, 'vault', ...sasl, 'env:WRONG_PASSWORD', '--dry-run');
    expect(wrong.err).toMatch(/error: .*\(FORBIDDEN\)\nhint: /);
    const missing = await create(broker, 'vault', ...sasl, 'env:NOT_SET_ANYWHERE', '--dry-run');
    expect(missing.err).toContain('env:NOT_SET_ANYWHERE cannot be read');
    for (const { out, err } of [right, wrong, missing]) {
      expect(out + err).not.toContain(password);
      expect(out + err).not.toContain('not-it');
    }
  });

  test('a topic that is not there, an empty one, a broker that is none: within seconds, with what to do', async () => {
    const startedMs = Date.now();
    const missing = await create(kafka.brokers[0]!, 'Trips', '--dry-run');
    expect(missing).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/topic 'Trips' .*\(NOT_FOUND\)\nhint: /),
    });
    await kafka.createTopic('empty', 2);
    expect((await create(kafka.brokers[0]!, 'empty', '--dry-run')).err).toContain('topic empty is empty');
    const refused = await create('127.0.0.1:1', 'trips', '--dry-run');
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/127\.0\.0\.1:1.*\(UNAVAILABLE\)\nhint: /) });
    expect(Date.now() - startedMs).toBeLessThan(40_000);
  });
});
