import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fault, toFault } from '../../src/base/fault.ts';
import { silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import type { KafkaSasl } from '../../src/catalog/table.ts';
import { createKafkaClient } from '../../src/stream/kafka/client.ts';
import { readHeaders } from '../../src/stream/kafka/headers.ts';
import type { KafkaClient, KafkaConnection, ReaderSettings } from '../../src/stream/kafka/types.ts';
import { type Kafka, kafkaUsers, startKafka } from '../support/kafka.ts';
import { Recorder, until } from '../support/kafka-listener.ts';
import { kafkaVersions, requires } from '../support/requires.ts';

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `v${from + index}`);
const messages = (values: readonly string[]) => values.map(value => ({ value }));

for (const version of kafkaVersions)
  requires('kafka')(`Apache Kafka ${version}`, () => {
    let kafka: Kafka;
    const clients: KafkaClient[] = [];

    beforeAll(async () => {
      kafka = await startKafka({ version, secure: true });
    });
    afterEach(async () => {
      for (const client of clients.splice(0)) await client.close();
    });
    afterAll(async () => kafka?.stop());

    function connect(connection: Partial<KafkaConnection> = {}, secrets: Record<string, string> = {}): KafkaClient {
      const client = createKafkaClient(
        { brokers: kafka.brokers, tls: null, sasl: null, ...connection },
        {
          clock: systemClock,
          random: systemRandom,
          log: silentLog,
          async readSecret(reference) {
            const secret = secrets[reference];
            if (secret === undefined) throw fault('INVALID_REQUEST', `there is no secret ${reference}`);
            return secret;
          },
        },
      );
      clients.push(client);
      return client;
    }

    const settings = (topic: string, more: Partial<ReaderSettings> = {}): ReaderSettings => ({
      topic,
      isolation: 'read_committed',
      bufferSizeBytesMax: 64 * 2 ** 20,
      partitionFetchSizeBytes: 2 ** 20,
      fetchSizeBytes: 8 * 2 ** 20,
      fetchWaitMs: 100,
      ...more,
    });

    test('partitions are read from their positions on, those that come later too', async () => {
      await kafka.createTopic('plain', 2);
      await kafka.produce('plain', 0, messages(numbered(5)));
      await kafka.produce('plain', 1, messages(numbered(3, 100)));
      const client = connect();
      const { partitions, topicId } = await client.describeTopic('plain');
      expect(partitions).toEqual([0, 1]);
      expect(topicId).toMatch(/^[0-9a-f]{32}$/);
      expect(await client.findOffsets('plain', [0, 1], 'latest')).toEqual(
        new Map([
          [0, 5],
          [1, 3],
        ]),
      );
      expect(await client.findOffsets('plain', [1], 'earliest')).toEqual(new Map([[1, 0]]));
      expect(await client.findOffsets('plain', [0, 1], 1000)).toEqual(
        new Map([
          [0, 0],
          [1, 0],
        ]),
      );
      expect(await client.findOffsets('plain', [0, 1], Date.now() + 1e9)).toEqual(
        new Map([
          [0, 5],
          [1, 3],
        ]),
      );

      const reader = client.openReader(settings('plain', { topicId }));
      const [first, second, third] = [new Recorder(2), new Recorder(), new Recorder()];
      reader.assign(0, 2, first);
      reader.assign(1, 0, second);
      await until('all messages', () => first.values.length === 3 && second.values.length === 3);
      expect(first.values).toEqual(['v2', 'v3', 'v4']);
      expect(second.values).toEqual(['v100', 'v101', 'v102']);

      await kafka.addPartitions('plain', 3);
      await kafka.produce('plain', 2, messages(['late']));
      reader.assign(2, 0, third);
      await until('the new partition', () => third.values.length === 1);

      const again = new Recorder(1);
      reader.assign(0, 1, again);
      await kafka.produce('plain', 0, messages(['v5']));
      await until('the moved position', () => again.values.length === 5);
      expect(first.values).toHaveLength(3);
      reader.unassign(1);
      const { observedCount } = second;
      await kafka.produce('plain', 1, messages(['unseen']));
      await systemClock.sleep(300);
      expect(second.values).toHaveLength(3);
      expect(second.observedCount).toBe(observedCount);
      expect([first, second, third, again].flatMap(({ mistakes, troubles }) => [...mistakes, ...troubles])).toEqual([]);
    });

    test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('what Java compresses with %s', async codec => {
      const topic = `java-${codec}`;
      const values = Array.from(
        { length: 3000 },
        (_, index) => `{"id":${index},"text":"${'lorem ipsum '.repeat(8)}${index * 7919}"}`,
      );
      await kafka.createTopic(topic);
      await kafka.produceByJava(
        topic,
        values.map((value, index) => `k${index}:${value}`),
        codec,
      );
      const textSizeBytes = values.join('').length;
      if (codec === 'none') expect(kafka.sizeBytes(topic)).toBeGreaterThan(textSizeBytes);
      else expect(kafka.sizeBytes(topic)).toBeLessThan(textSizeBytes / 2);
      const recorder = new Recorder();
      connect().openReader(settings(topic)).assign(0, 0, recorder);
      await until('all messages', () => recorder.values.length >= values.length);
      expect(recorder.values).toEqual(values);
      const { bytes, keyStarts, keyEnds, timestampsMs } = recorder.batches[0]!;
      expect(Buffer.from(bytes.subarray(keyStarts[1], keyEnds[1])).toString()).toBe('k1');
      expect(Math.abs(timestampsMs[0]! - Date.now())).toBeLessThan(60_000);
      expect(recorder.mistakes).toEqual([]);
    });

    test('transactions: committed, aborted, open, in between each other', async () => {
      await kafka.createTopic('transactions');
      const send = { topic: 'transactions', acks: -1 };
      const [committing, aborting, open] = await Promise.all(
        ['c', 'a', 'o'].map(async name => {
          const producer = kafka.client.producer({
            transactionalId: `${name}-${version}`,
            maxInFlightRequests: 1,
            idempotent: true,
            createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
          });
          await producer.connect();
          return producer;
        }),
      );
      const rounds = 3;
      for (let round = 0; round < rounds; round++) {
        const [good, bad] = [await committing!.transaction(), await aborting!.transaction()];
        await bad.send({ ...send, messages: messages([`bad${round}`]) });
        await good.send({ ...send, messages: messages([`good${round}`, `better${round}`]) });
        await kafka.produce('transactions', 0, messages([`plain${round}`]));
        await bad.send({ ...send, messages: messages([`worse${round}`]) });
        if (round % 2) await bad.abort();
        await good.commit();
        if (round % 2 === 0) await bad.abort();
      }
      const pending = await open!.transaction();
      await pending.send({ ...send, messages: messages(['open']) });
      await kafka.produce('transactions', 0, messages(['behind']));

      const committedValues = Array.from({ length: rounds }, (_, round) => [
        `good${round}`,
        `better${round}`,
        `plain${round}`,
      ]);
      const [committed, all] = [new Recorder(), new Recorder()];
      const client = connect();
      client.openReader(settings('transactions')).assign(0, 0, committed);
      client.openReader(settings('transactions', { isolation: 'read_uncommitted' })).assign(0, 0, all);
      await until('what is committed', () => committed.isCaughtUp && all.isCaughtUp);
      expect(committed.values).toEqual(committedValues.flat());
      expect(all.values).toHaveLength(rounds * 5 + 2);
      const lastStableOffset = rounds * 7;
      expect(committed.end!.endOffset).toBe(lastStableOffset);
      expect(all.end!.endOffset).toBe(lastStableOffset + 2);
      expect(committed.sum('abortedCount')).toBe(rounds * 2);
      expect(committed.sum('controlCount')).toBe(rounds * 2);
      expect(committed.sum('gapCount')).toBe(0);
      const ends = async (isolation: 'read_committed' | 'read_uncommitted') =>
        (await client.findOffsets('transactions', [0], 'latest', isolation)).get(0);
      expect(await ends('read_committed')).toBe(lastStableOffset);
      expect(await ends('read_uncommitted')).toBe(lastStableOffset + 2);

      const middle = new Recorder(4);
      client.openReader(settings('transactions')).assign(0, 4, middle);
      await pending.commit();
      await until('what was open', () => committed.values.includes('behind') && middle.values.includes('behind'));
      expect(committed.values.slice(-2)).toEqual(['open', 'behind']);
      expect(middle.offsets).toEqual(committed.offsets.filter(offset => offset >= 4));
      expect([committed, all, middle].flatMap(({ mistakes }) => mistakes)).toEqual([]);
      for (const producer of [committing, aborting, open]) await producer!.disconnect();
    });

    test('a compacted topic has gaps, each counted', async () => {
      await kafka.createTopic('compacted', 1, {
        'cleanup.policy': 'compact',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'max.compaction.lag.ms': '100',
        'delete.retention.ms': '100',
      });
      for (let round = 0; round < 4; round++) {
        await kafka.produce(
          'compacted',
          0,
          numbered(20).map((key, index) => ({ key: index === round ? key : 'same', value: `${key}-${round}` })),
        );
        await systemClock.sleep(150);
      }
      const read = async (): Promise<Recorder> => {
        const recorder = new Recorder();
        const reader = connect().openReader(settings('compacted'));
        reader.assign(0, 0, recorder);
        await until('the end', () => recorder.isCaughtUp);
        await reader.close();
        return recorder;
      };
      let recorder = await read();
      const startedAtMs = Date.now();
      while (recorder.sum('gapCount') < 30 && Date.now() - startedAtMs < 30_000) {
        await systemClock.sleep(300);
        recorder = await read();
      }
      expect(recorder.sum('gapCount')).toBeGreaterThanOrEqual(30);
      expect(recorder.position).toBe(80);
      expect(recorder.values).toHaveLength(80 - recorder.sum('gapCount'));
      expect(recorder.values).toContain('v0-0');
      expect(recorder.values.at(-1)).toBe('v19-3');
      expect(recorder.mistakes).toEqual([]);
    });

    test('a position that the stream has no more, or not yet, is lost until another is given', async () => {
      await kafka.createTopic('short');
      await kafka.produce('short', 0, messages(numbered(10)));
      await kafka.deleteRecords('short', 6);
      const reader = connect().openReader(settings('short'));
      for (const position of [2, 1000]) {
        const recorder = new Recorder(position);
        reader.assign(0, position, recorder);
        await until('lost', () => recorder.lostAt !== null);
        expect(recorder.lostAt).toMatchObject({ logStartOffset: 6, endOffset: 10 });
        await systemClock.sleep(300);
        expect(recorder.batches).toEqual([]);
      }
      const recorder = new Recorder(6);
      reader.assign(0, 6, recorder);
      await until('the rest', () => recorder.values.length === 4);
      expect(recorder.end).toMatchObject({ logStartOffset: 6, endOffset: 10 });
    });

    test('a topic made again is another: nothing of it is given for the former', async () => {
      await kafka.createTopic('again');
      await kafka.produce('again', 0, messages(['former']));
      const client = connect();
      const { topicId } = await client.describeTopic('again');
      const recorder = new Recorder();
      client.openReader(settings('again', { topicId })).assign(0, 0, recorder);
      await until('the former', () => recorder.values.length === 1);
      await kafka.deleteTopic('again');
      await until('it is gone', () => recorder.troubles.some(trouble => trouble?.code === 'NOT_FOUND'));
      await expect(client.describeTopic('again')).rejects.toMatchObject({ fault: { code: 'NOT_FOUND' } });
      await kafka.createTopic('again');
      await kafka.produce('again', 0, messages(['latter', 'latter']));
      await until('it is another', () => recorder.troubles.at(-1)?.code === 'TOPIC_RECREATED');
      const { topicId: latter } = await client.describeTopic('again');
      expect(latter).not.toBe(topicId);
      expect(recorder.values).toEqual(['former']);
    });

    test('a message larger than a fetch comes, whichever partition it is in', async () => {
      await kafka.createTopic('large', 3);
      const value = 'x'.repeat(100_000);
      for (const partition of [0, 1, 2]) await kafka.produce('large', partition, messages([value, value, 'small']));
      const reader = connect().openReader(settings('large', { partitionFetchSizeBytes: 1000, fetchSizeBytes: 1000 }));
      const recorders = [0, 1, 2].map(partition => {
        const recorder = new Recorder();
        reader.assign(partition, 0, recorder);
        return recorder;
      });
      await until('all messages', () => recorders.every(({ values }) => values.length === 3));
    });

    test('who does not take gets no more than the buffer holds; the others go on', async () => {
      await kafka.createTopic('slow', 2);
      const value = 'x'.repeat(50_000);
      for (let round = 0; round < 20; round++) await kafka.produce('slow', 0, messages([value]));
      await kafka.produce('slow', 1, messages(['fast']));
      const [slow, fast] = [new Recorder(), new Recorder()];
      let release = (): void => {};
      slow.blocked = new Promise(resolve => {
        release = resolve;
      });
      const limits = { bufferSizeBytesMax: 200_000, partitionFetchSizeBytes: 60_000 };
      const reader = connect().openReader(settings('slow', limits));
      reader.assign(0, 0, slow);
      reader.assign(1, 0, fast);
      await until('the buffer is full', () => slow.values.length >= 4);
      await systemClock.sleep(300);
      expect(slow.values.length).toBeLessThan(7);
      await kafka.produce('slow', 1, messages(['faster']));
      await until('the other', () => fast.values.length === 2);
      slow.blocked = null;
      release();
      await until('the rest', () => slow.values.length === 20);
      expect(slow.mistakes).toEqual([]);
    });

    test('dead letters are written with key and headers', async () => {
      await kafka.createTopic('dead', 2);
      const client = connect();
      const letter = { key: Buffer.from('k'), value: Buffer.from('text'), headers: { 'weir.reason': 'not a number' } };
      await client.produce('dead', [letter, { key: null, value: null, headers: {} }]);
      const ends = await client.findOffsets('dead', [0, 1], 'latest');
      const [partition] = [...ends].find(([, end]) => end === 2)!;
      const recorder = new Recorder();
      client.openReader(settings('dead')).assign(partition, 0, recorder);
      await until('both', () => recorder.values.length === 2);
      expect(recorder.values).toEqual(['text', null]);
      expect(readHeaders(recorder.batches[0]!, 0)).toEqual([
        ['weir.reason', new Uint8Array(Buffer.from('not a number'))],
      ]);
      await expect(client.produce('nowhere', [letter])).rejects.toMatchObject({ fault: { code: 'NOT_FOUND' } });
    });

    describe('who may', () => {
      const secrets = {
        'env:PLAIN': kafkaUsers.plain.password,
        'env:SCRAM256': kafkaUsers['scram-sha-256'].password,
        'env:SCRAM512': kafkaUsers['scram-sha-512'].password,
        'env:WRONG': 'a-wrong-secret',
      };
      const sasl = (mechanism: KafkaSasl['mechanism'], password: string): KafkaSasl => ({
        mechanism,
        username: kafkaUsers[mechanism].username,
        password,
      });
      const noClient = { certificate: null, key: null };
      const tls = { ca: 'file:ca', ...noClient };
      const withCa = () => ({ ...secrets, 'file:ca': readFileSync(kafka.certificatePath, 'utf8') });
      const faultOf = (client: KafkaClient) => client.describeTopic('guarded').then(() => null, toFault);

      beforeAll(async () => {
        await kafka.createTopic('guarded');
        await kafka.produce('guarded', 0, messages(['secret']));
        const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
        await kafka.admin(admin =>
          admin.createAcls({
            acl: ['plain', 'scram-sha-256'].map(mechanism => ({
              resourceType: AclResourceTypes.TOPIC,
              resourceName: 'guarded',
              resourcePatternType: ResourcePatternTypes.LITERAL,
              principal: `User:${kafkaUsers[mechanism as 'plain'].username}`,
              host: '*',
              operation: AclOperationTypes.READ,
              permissionType: AclPermissionTypes.ALLOW,
            })),
          }),
        );
      });

      test('SASL PLAIN and SCRAM, without and with TLS, and TLS alone', async () => {
        const { secured } = kafka;
        for (const connection of [
          { brokers: [secured.sasl], sasl: sasl('plain', 'env:PLAIN') },
          { brokers: [secured.sasl], sasl: sasl('scram-sha-256', 'env:SCRAM256') },
          { brokers: [secured.saslTls], tls, sasl: sasl('scram-sha-256', 'env:SCRAM256') },
          { brokers: [secured.tls], tls },
        ]) {
          const recorder = new Recorder();
          connect(connection, withCa()).openReader(settings('guarded')).assign(0, 0, recorder);
          await until('the message', () => recorder.values.length === 1);
          expect(recorder.troubles).toEqual([]);
        }
      });

      test('a wrong password and a missing ACL are FORBIDDEN, for the reader too', async () => {
        const brokers = [kafka.secured.sasl];
        for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
          const found = await faultOf(connect({ brokers, sasl: sasl(mechanism, 'env:WRONG') }, secrets));
          expect(found).toMatchObject({
            code: 'FORBIDDEN',
            message: expect.stringContaining(kafkaUsers[mechanism].username),
          });
          expect(JSON.stringify(found)).not.toContain('a-wrong-secret');
        }
        const noAcl = connect({ brokers, sasl: sasl('scram-sha-512', 'env:SCRAM512') }, secrets);
        expect(await faultOf(noAcl)).toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining('ACL') });
        const recorder = new Recorder();
        noAcl.openReader(settings('guarded')).assign(0, 0, recorder);
        await until('trouble', () => recorder.troubles.length > 1);
        expect(recorder.troubles[0]).toMatchObject({ code: 'FORBIDDEN' });
      });

      test('a certificate that is not trusted, a port of another protocol, a secret that is not there', async () => {
        const { secured } = kafka;
        expect(await faultOf(connect({ brokers: [secured.tls], tls: { ca: null, ...noClient } }))).toMatchObject({
          code: 'FORBIDDEN',
          message: expect.stringContaining('not trusted'),
        });
        expect(await faultOf(connect({ brokers: [secured.tls] }))).toMatchObject({
          code: 'UNAVAILABLE',
          hint: expect.stringContaining('TLS'),
        });
        expect(await faultOf(connect({ tls: { ca: null, ...noClient } }))).toMatchObject({
          message: expect.stringContaining(kafka.brokers[0]!),
        });
        expect(await faultOf(connect({ brokers: [secured.tls], tls }))).toMatchObject({ code: 'INVALID_REQUEST' });
      });
    });

    test('nobody at the address: who, and why', async () => {
      const client = connect({ brokers: ['127.0.0.1:1', 'no-such-host.invalid:9092'] });
      const { code, message } = await client.describeTopic('plain').then(() => null!, toFault);
      expect(code).toBe('UNAVAILABLE');
      expect(message).toContain('broker 127.0.0.1:1 cannot be reached: connection refused');
      expect(message).toContain('broker no-such-host.invalid:9092 cannot be reached');
    });

    // Last: it takes the broker from under the others.
    test('a broker that is killed and comes again: trouble, then on, nothing lost and nothing twice', async () => {
      await kafka.createTopic('killed', 2);
      const reader = connect().openReader(settings('killed'));
      const recorders = [new Recorder(), new Recorder()];
      for (const partition of [0, 1]) {
        await kafka.produce('killed', partition, messages(numbered(100)));
        reader.assign(partition, 0, recorders[partition]!);
      }
      await until('the first', () => recorders.every(({ values }) => values.length === 100));
      await kafka.kill();
      await until('trouble', () => recorders.every(({ troubles }) => troubles.length > 1));
      for (const { troubles } of recorders)
        expect(troubles.at(-1)).toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringContaining('connection refused'),
        });
      await kafka.restart();
      for (const partition of [0, 1]) await kafka.produce('killed', partition, messages(numbered(100, 100)));
      await until('the rest', () => recorders.every(({ values }) => values.length >= 200));
      for (const { values, troubles, mistakes } of recorders) {
        expect(values).toEqual(numbered(200));
        expect(troubles.at(-1)).toBeNull();
        expect(mistakes).toEqual([]);
      }
    });
  });
