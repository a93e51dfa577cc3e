/**
 * The seam to Kafka, in memory: topics that tests fill, cut, delete and make again, and brokers that go away. What the
 * wire does to messages is not its business: tests against the real broker see to that.
 */
import { fault } from '../../src/base/fault.ts';
import type {
  KafkaClient,
  MessageBatch,
  PartitionListener,
  ProducedMessage,
  TopicReader,
} from '../../src/stream/kafka/types.ts';

interface MemoryMessage {
  readonly value: Uint8Array | null;
  readonly key: Uint8Array | null;
  readonly timestampMs: number;
}

/** By offset: a message, what reads as nothing (a marker, an aborted record), or nothing at all. */
type Slot = MemoryMessage | 'control' | 'aborted' | 'gap';

interface MemoryPartition {
  logStart: number;
  readonly slots: Slot[];
}

interface MemoryTopic {
  readonly id: string;
  readonly partitions: MemoryPartition[];
}

interface Assigned {
  readonly listener: PartitionListener;
  readonly ended: AbortController;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export class MemoryKafka {
  readonly topics = new Map<string, MemoryTopic>();
  /** While set, every request fails with this reason. */
  down: string | null = null;
  /** Messages of one fetch. */
  batchSize = 100;
  #ids = 0;
  readonly #wakers = new Set<() => void>();

  createTopic(name: string, partitionCount: number): void {
    const partitions = Array.from({ length: partitionCount }, () => ({ logStart: 0, slots: [] }));
    this.topics.set(name, { id: `topic-${this.#ids++}`, partitions });
  }

  addPartition(name: string): void {
    this.topics.get(name)!.partitions.push({ logStart: 0, slots: [] });
  }

  produce(name: string, partition: number, ...values: (string | null)[]): void {
    const { slots } = this.#partition(name, partition);
    for (const value of values)
      if (value === 'control' || value === 'aborted' || value === 'gap') slots.push(value);
      else slots.push({ value: value === null ? null : bytesOf(value), key: null, timestampMs: Date.now() });
    this.#wake();
  }

  /** Retention, or an admin, deletes what is before. */
  deleteBefore(name: string, partition: number, offset: number): void {
    this.#partition(name, partition).logStart = offset;
    this.#wake();
  }

  /** The log loses its end. */
  cut(name: string, partition: number, end: number): void {
    this.#partition(name, partition).slots.length = end;
    this.#wake();
  }

  values(name: string, partition: number): string[] {
    return this.#partition(name, partition).slots.flatMap(slot =>
      typeof slot === 'object' && slot.value ? [Buffer.from(slot.value).toString()] : [],
    );
  }

  #partition(name: string, partition: number): MemoryPartition {
    const found = this.topics.get(name)?.partitions[partition];
    if (!found) throw fault('NOT_FOUND', `there is no topic ${name}, or no partition ${partition} of it`);
    return found;
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }

  #untilWoken(): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        this.#wakers.delete(done);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, 5);
      this.#wakers.add(done);
    });
  }

  #check(): void {
    if (this.down !== null) throw fault('UNAVAILABLE', this.down);
  }

  readonly open = (): KafkaClient => {
    const readers: TopicReader[] = [];
    return {
      describeTopic: async name => {
        this.#check();
        const topic = this.topics.get(name);
        if (!topic) throw fault('NOT_FOUND', `there is no topic ${name}`);
        return { topicId: topic.id, partitions: [...topic.partitions.keys()] };
      },
      findOffsets: async (name, partitions, at) => {
        this.#check();
        return new Map(
          partitions.map(partition => {
            const { logStart, slots } = this.#partition(name, partition);
            if (at === 'earliest') return [partition, logStart];
            if (at === 'latest') return [partition, slots.length];
            const found = slots.findIndex(
              (slot, offset) => offset >= logStart && typeof slot === 'object' && slot.timestampMs >= at,
            );
            return [partition, found < 0 ? slots.length : found];
          }),
        );
      },
      openReader: ({ topic, topicId = null }) => {
        const reader = this.#openReader(topic, topicId);
        readers.push(reader);
        return reader;
      },
      produce: async (name, messages) => {
        this.#check();
        for (const message of messages) this.#append(name, message);
      },
      close: async () => {
        await Promise.all(readers.map(reader => reader.close()));
      },
    };
  };

  #append(name: string, { key, value }: ProducedMessage): void {
    this.#partition(name, 0).slots.push({ key, value, timestampMs: Date.now() });
    this.#wake();
  }

  #openReader(topic: string, topicId: string | null): TopicReader {
    const assigned = new Map<number, Assigned>();
    const unassign = (partition: number): void => {
      assigned.get(partition)?.ended.abort();
      assigned.delete(partition);
    };
    return {
      assign: (partition, position, listener) => {
        unassign(partition);
        const entry = { listener, ended: new AbortController() };
        assigned.set(partition, entry);
        void this.#read(topic, topicId, partition, position, entry);
      },
      unassign,
      close: async () => {
        for (const partition of [...assigned.keys()]) unassign(partition);
      },
    };
  }

  async #read(
    topic: string,
    topicId: string | null,
    partition: number,
    start: number,
    { listener, ended }: Assigned,
  ): Promise<void> {
    let position = start;
    let troubled = false;
    while (!ended.signal.aborted) {
      await this.#untilWoken();
      if (ended.signal.aborted) return;
      try {
        this.#check();
        const { logStart, slots } = this.#partition(topic, partition);
        if (topicId !== null && this.topics.get(topic)!.id !== topicId)
          throw fault('TOPIC_RECREATED', `topic ${topic} was made again`);
        if (troubled) listener.trouble(null);
        troubled = false;
        const end = { endOffset: slots.length, logStartOffset: logStart, observedAtMs: Date.now() };
        if (position < logStart || position > slots.length) return listener.lost(end);
        listener.observe(end);
        if (position === slots.length) continue;
        const batch = batchOf(partition, position, slots.slice(position, position + this.batchSize));
        position = batch.endOffset;
        await listener.take(batch);
      } catch (error) {
        troubled = true;
        listener.trouble(error instanceof Error && 'fault' in error ? (error.fault as never) : null);
      }
    }
  }
}

function batchOf(partition: number, startOffset: number, slots: readonly Slot[]): MessageBatch {
  const messages = slots.flatMap((slot, index) =>
    typeof slot === 'object' ? [{ ...slot, offset: startOffset + index }] : [],
  );
  const count = messages.length;
  const keyStarts = new Int32Array(count).fill(-1);
  const keyEnds = new Int32Array(count).fill(-1);
  const valueStarts = new Int32Array(count).fill(-1);
  const valueEnds = new Int32Array(count).fill(-1);
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (bytes: Uint8Array | null, starts: Int32Array, ends: Int32Array, index: number): void => {
    if (!bytes) return;
    starts[index] = at;
    at += bytes.length;
    ends[index] = at;
    parts.push(bytes);
  };
  messages.forEach(({ key, value }, index) => {
    put(key, keyStarts, keyEnds, index);
    put(value, valueStarts, valueEnds, index);
    // One byte: no headers.
    put(new Uint8Array(1), new Int32Array(count), new Int32Array(count), index);
  });
  return {
    ...{ partition, startOffset, endOffset: startOffset + slots.length, count },
    controlCount: slots.filter(slot => slot === 'control').length,
    abortedCount: slots.filter(slot => slot === 'aborted').length,
    gapCount: slots.filter(slot => slot === 'gap').length,
    offsets: Float64Array.from(messages, ({ offset }) => offset),
    timestampsMs: Float64Array.from(messages, ({ timestampMs }) => timestampMs),
    bytes: new Uint8Array(Buffer.concat([...parts, new Uint8Array(1)])),
    ...{ keyStarts, keyEnds, valueStarts, valueEnds },
    headerStarts: Int32Array.from(valueEnds),
    headerEnds: Int32Array.from(valueEnds, end => end + 1),
  };
}
