import { beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../../src/base/fault.ts';
import type { Brokers } from '../../../../src/stream/kafka/cluster.ts';
import type { BrokerConnection, ProtocolCall } from '../../../../src/stream/kafka/connection.ts';
import { ProtocolReader, ProtocolWriter } from '../../../../src/stream/kafka/protocol-bytes.ts';
import { Reader } from '../../../../src/stream/kafka/reader.ts';
import { ManualClock } from '../../../support/clock.ts';
import { concat, encodeTestBatch, record } from '../../../support/kafka-batches.ts';
import { Recorder, until } from '../../../support/kafka-listener.ts';
import { seededRandom } from '../../../support/random.ts';

interface Asked {
  readonly partition: number;
  readonly position: number;
}

interface Answered {
  readonly errorCode?: number;
  readonly records?: Uint8Array;
}

const topic = 'events';
const version = 11;

/** Brokers that answer what the test says: each request waits until `answer` is called for its node. */
class FakeBrokers implements Brokers {
  /** By partition: node. */
  readonly leaders = new Map<number, number>();
  topicId = 'a'.repeat(32);
  describeCount = 0;
  readonly down = new Set<number>();
  readonly #waiting = new Map<number, { asked: Asked[]; answer: (bytes: Uint8Array) => void; fail: () => void }>();

  async describe() {
    this.describeCount++;
    if (this.leaders.size === 0) throw fault('UNAVAILABLE', 'nobody is there');
    const partitions = Array.from(this.leaders, ([partition, leader]) => ({ partition, leader, errorCode: 0 }));
    return { brokers: new Map(), errorCode: 0, topicId: this.topicId, partitions };
  }

  async connect(nodeId: number): Promise<BrokerConnection> {
    if (this.down.has(nodeId)) throw fault('UNAVAILABLE', `broker ${nodeId} is down`);
    return {
      address: `broker${nodeId}:9092`,
      isOpen: true,
      version: (_api, ours) => {
        if (!ours.includes(version)) throw fault('UNSUPPORTED', 'an old broker');
        return version;
      },
      call: async <T>(call: ProtocolCall<T>) => {
        const bytes = await new Promise<Uint8Array>((resolve, reject) => {
          const fail = () => reject(fault('UNAVAILABLE', `broker ${nodeId} closed the connection`));
          this.#waiting.set(nodeId, { asked: decodeRequest(call.body), answer: resolve, fail });
        });
        return call.decode(bytes);
      },
      close() {},
    };
  }

  ask(): never {
    throw fault('UNAVAILABLE', 'not asked here');
  }

  /** What the node is asked, once it is. */
  async asked(nodeId: number): Promise<Asked[]> {
    await until(`a request to broker ${nodeId}`, () => this.#waiting.has(nodeId), 2000);
    return this.#waiting.get(nodeId)!.asked;
  }

  isAsked = (nodeId: number): boolean => this.#waiting.has(nodeId);

  async answer(nodeId: number, answers: Readonly<Record<number, Answered>>): Promise<void> {
    await this.asked(nodeId);
    const { answer } = this.#waiting.get(nodeId)!;
    this.#waiting.delete(nodeId);
    answer(encodeAnswer(answers));
    await new Promise(resolve => setImmediate(resolve));
  }

  async cut(nodeId: number): Promise<void> {
    await this.asked(nodeId);
    const { fail } = this.#waiting.get(nodeId)!;
    this.#waiting.delete(nodeId);
    fail();
    await new Promise(resolve => setImmediate(resolve));
  }
}

function decodeRequest(body: Uint8Array): Asked[] {
  const reader = new ProtocolReader(body, 4 + 4 + 4 + 4 + 1 + 4 + 4);
  const readPartition = (): Asked => {
    const partition = reader.int32();
    reader.int32();
    const position = reader.int64();
    reader.int64();
    reader.int32();
    return { partition, position };
  };
  const readTopic = (): Asked[] => {
    expect(reader.string()).toBe(topic);
    return reader.array(readPartition);
  };
  return reader.array(readTopic).flat();
}

function encodeAnswer(answers: Readonly<Record<number, Answered>>): Uint8Array {
  const writer = new ProtocolWriter().int32(0).int16(0).int32(0);
  writer.array([topic], name =>
    writer
      .string(name)
      .array(Object.entries(answers), ([partition, { errorCode = 0, records = new Uint8Array(0) }]) => {
        writer.int32(Number(partition)).int16(errorCode).int64(100).int64(100).int64(0).int32(-1).int32(-1);
        writer.int32(records.length).raw(records);
      }),
  );
  return writer.finish();
}

const batch = (baseOffset: number, ...values: string[]): Uint8Array =>
  encodeTestBatch({ baseOffset, records: values.map((value, index) => record(index, value)) });

describe('a reader', () => {
  let brokers: FakeBrokers;
  let clock: ManualClock;
  let reader: Reader;

  beforeEach(() => {
    brokers = new FakeBrokers();
    clock = new ManualClock();
    const limits = { bufferSizeBytesMax: 1000, partitionFetchSizeBytes: 1000, fetchSizeBytes: 1000, fetchWaitMs: 100 };
    const settings = { topic, topicId: 'a'.repeat(32), isolation: 'read_committed' as const, ...limits };
    reader = new Reader(settings, brokers, clock, seededRandom(1), () => {});
    return () => reader.close();
  });

  const assign = (partition: number, position = 0): Recorder => {
    const recorder = new Recorder(position);
    reader.assign(partition, position, recorder);
    return recorder;
  };

  test('asks each broker for its partitions, and goes on behind what came', async () => {
    brokers.leaders.set(0, 1).set(1, 2).set(2, 1);
    const recorders = [assign(0), assign(1, 7), assign(2)];
    expect(await brokers.asked(1)).toEqual([
      { partition: 0, position: 0 },
      { partition: 2, position: 0 },
    ]);
    expect(await brokers.asked(2)).toEqual([{ partition: 1, position: 7 }]);
    expect(brokers.describeCount).toBe(1);
    await brokers.answer(1, { 0: { records: batch(0, 'a', 'b') }, 2: {} });
    expect(recorders[0]!.values).toEqual(['a', 'b']);
    expect(recorders[2]!.end).toMatchObject({ endOffset: 100, logStartOffset: 0 });
    // Another is first now.
    expect(await brokers.asked(1)).toEqual([
      { partition: 2, position: 0 },
      { partition: 0, position: 2 },
    ]);
  });

  test('follows a leader that moved', async () => {
    brokers.leaders.set(0, 1).set(1, 1);
    const [moved, other] = [assign(0), assign(1)];
    await brokers.answer(1, { 0: { records: batch(0, 'a') }, 1: {} });
    brokers.leaders.set(0, 2);
    await brokers.answer(1, { 0: { errorCode: 6 }, 1: { records: batch(0, 'x') } });
    expect(moved.troubles).toMatchObject([{ code: 'UNAVAILABLE' }]);
    await clock.untilSleeping();
    clock.advance(200);
    expect(await brokers.asked(2)).toEqual([{ partition: 0, position: 1 }]);
    await brokers.answer(2, { 0: { records: batch(1, 'b') } });
    expect(moved.values).toEqual(['a', 'b']);
    expect(moved.troubles.at(-1)).toBeNull();
    expect(other.values).toEqual(['x']);
    expect(other.troubles).toEqual([]);
  });

  test('a broker that is down is asked ever less often; the partitions of the others go on', async () => {
    brokers.leaders.set(0, 1).set(1, 2);
    const [down, up] = [assign(0), assign(1)];
    await brokers.asked(1);
    brokers.down.add(1);
    await brokers.cut(1);
    const delays: number[] = [];
    let lastAtMs = clock.monotonicMs();
    for (let round = 0; round < 9; round++) {
      const troubleCount = down.troubles.length;
      while (down.troubles.length === troubleCount) {
        await clock.untilSleeping();
        clock.advance(25);
        await new Promise(resolve => setImmediate(resolve));
      }
      delays.push(clock.monotonicMs() - lastAtMs);
      lastAtMs = clock.monotonicMs();
    }
    delays.forEach((delay, round) => {
      const wanted = Math.min(100 * 2 ** round, 5000);
      expect(delay).toBeGreaterThanOrEqual(wanted * 0.75);
      expect(delay).toBeLessThanOrEqual(wanted * 1.25 + 50);
    });
    await brokers.answer(2, { 1: { records: batch(0, 'x') } });
    expect(up.values).toEqual(['x']);
    expect(up.troubles).toEqual([]);
    brokers.down.clear();
    await clock.untilSleeping();
    clock.advance(7000);
    expect(await brokers.asked(1)).toEqual([{ partition: 0, position: 0 }]);
    await brokers.answer(1, { 0: {} });
    expect(down.troubles.at(-1)).toBeNull();
  });

  test('a corrupt batch is trouble: what is before it is given, what is behind it is not', async () => {
    brokers.leaders.set(0, 1);
    const recorder = assign(0);
    const corrupt = batch(1, 'b');
    corrupt[corrupt.length - 1]! ^= 1;
    await brokers.answer(1, { 0: { records: concat(batch(0, 'a'), corrupt) } });
    expect(recorder.values).toEqual(['a']);
    expect(recorder.troubles).toMatchObject([{ code: 'CORRUPT_LOG' }]);
    // Asked for before the batch was looked at.
    expect(await brokers.asked(1)).toEqual([{ partition: 0, position: 2 }]);
    await brokers.answer(1, { 0: { records: batch(2, 'c') } });
    expect(recorder.values).toEqual(['a']);
    await clock.untilSleeping();
    clock.advance(200);
    expect(await brokers.asked(1)).toEqual([{ partition: 0, position: 1 }]);
    await brokers.answer(1, { 0: { records: concat(batch(1, 'b'), batch(2, 'c')) } });
    expect(recorder.values).toEqual(['a', 'b', 'c']);
    expect(recorder.mistakes).toEqual([]);
    expect(recorder.troubles.at(-1)).toBeNull();
  });

  test('what was on its way when a partition was given up or moved is dropped', async () => {
    brokers.leaders.set(0, 1).set(1, 1);
    const [first, second] = [assign(0), assign(1)];
    await brokers.asked(1);
    reader.unassign(0);
    const moved = assign(1, 50);
    await brokers.answer(1, { 0: { records: batch(0, 'a') }, 1: { records: batch(0, 'x') } });
    expect([first.batches, second.batches, moved.batches]).toEqual([[], [], []]);
    expect(await brokers.asked(1)).toEqual([{ partition: 1, position: 50 }]);
  });

  test('a partition whose buffer is full is not asked for until there is room', async () => {
    brokers.leaders.set(0, 1).set(1, 1);
    const [full, other] = [assign(0), assign(1)];
    let release = (): void => {};
    full.blocked = new Promise(resolve => {
      release = resolve;
    });
    await brokers.answer(1, { 0: { records: batch(0, 'x'.repeat(1500)) }, 1: {} });
    expect(await brokers.asked(1)).toEqual([{ partition: 1, position: 0 }]);
    reader.unassign(1);
    await brokers.answer(1, { 1: {} });
    expect(brokers.isAsked(1)).toBe(false);
    release();
    expect(await brokers.asked(1)).toEqual([{ partition: 0, position: 1 }]);
    expect(other.batches).toEqual([]);
  });

  test('another topic of the same name is never read', async () => {
    brokers.leaders.set(0, 1);
    brokers.topicId = 'b'.repeat(32);
    const recorder = assign(0);
    await until('trouble', () => recorder.troubles.length > 0, 2000);
    expect(recorder.troubles).toMatchObject([{ code: 'TOPIC_RECREATED' }]);
    expect(brokers.isAsked(1)).toBe(false);
  });

  test('nobody there, no such partition, no leader: trouble that says so', async () => {
    const nobody = assign(0);
    await until('trouble', () => nobody.troubles.length > 0, 2000);
    expect(nobody.troubles).toMatchObject([{ code: 'UNAVAILABLE', message: 'nobody is there' }]);
    brokers.leaders.set(1, -1);
    const leaderless = assign(1);
    const unknown = assign(9);
    await until('trouble', () => leaderless.troubles.length > 0 && unknown.troubles.length > 0, 2000);
    expect(leaderless.troubles[0]).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no leader'),
    });
    expect(unknown.troubles[0]).toMatchObject({ code: 'NOT_FOUND' });
  });
});
