/** Messages from the end of every partition of a topic, within a time. Nothing is committed, no group is joined. */
import { type Fault, FaultError, fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { KafkaClient, MessageBatch, PartitionListener, StreamEnd } from '../stream/kafka/types.ts';

export interface SampledPartition {
  readonly partition: number;
  /** Offsets that the stream has: [startOffset, endOffset). */
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface SampledMessage {
  readonly partition: number;
  readonly offset: number;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
}

export interface TopicSample {
  readonly partitions: readonly SampledPartition[];
  /** By partition and offset. */
  readonly messages: readonly SampledMessage[];
  /** False where time or `sampleSizeBytesMax` ended it before all that was asked for was read. */
  readonly complete: boolean;
}

export interface SampleRequest {
  /** For messages. */
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Of all partitions together. */
  readonly messageCount: number;
  readonly timeoutMs: number;
  /** Learns how many messages were read so far. */
  readonly onRead: (messages: number) => void;
}

/** Types show within some thousand values; a sample of the largest messages (1 MB each) still must fit in memory. */
const sampleSizeBytesMax = 16 << 20;

/** A fetch brings some hundred messages of usual size; a larger message comes whole all the same. */
const fetchSizeBytes = 256 << 10;

/**
 * @throws FaultError UNAVAILABLE where no broker answers in time, NOT_FOUND where there is no such topic, FORBIDDEN; the
 *   trouble of reading, where not one message could be read
 */
export async function sampleTopic(client: KafkaClient, request: SampleRequest, clock: Clock): Promise<TopicSample> {
  const { brokers, topic, timeoutMs } = request;
  const ending = new AbortController();
  const timeout = clock.sleep(timeoutMs, ending.signal).then(
    () => 'late' as const,
    () => 'ended' as const,
  );
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const first = await Promise.race([work.then(value => ({ value })), timeout]);
    if (typeof first === 'object') return first.value;
    throw fault('UNAVAILABLE', `${brokers.join(', ')} did not answer within ${timeoutMs / 1000} s`, {
      hint: 'check the address, and that it is one that this machine reaches: a broker names itself by its advertised.listeners',
    });
  };
  try {
    const { partitions: numbers } = await inTime(client.describeTopic(topic));
    const [starts, ends] = await inTime(
      Promise.all([client.findOffsets(topic, numbers, 'earliest'), client.findOffsets(topic, numbers, 'latest')]),
    );
    const partitions = numbers.map(partition => ({
      ...{ partition, startOffset: starts.get(partition)!, endOffset: ends.get(partition)! },
    }));
    const sampling = new Sampling(client, partitions, request);
    await Promise.race([sampling.done, timeout]);
    await sampling.close();
    return sampling.result();
  } finally {
    ending.abort();
  }
}

class Sampling {
  readonly done: Promise<void>;
  readonly #partitions: readonly SampledPartition[];
  readonly #onRead: SampleRequest['onRead'];
  readonly #reader: ReturnType<KafkaClient['openReader']>;
  readonly #reading = new Set<number>();
  readonly #messages: SampledMessage[] = [];
  #sizeBytes = 0;
  #isCut = false;
  #trouble: Fault | null = null;
  #finish: () => void = () => {};

  constructor(client: KafkaClient, partitions: readonly SampledPartition[], request: SampleRequest) {
    const { topic, messageCount, onRead } = request;
    this.#partitions = partitions;
    this.#onRead = onRead;
    this.done = new Promise(resolve => {
      this.#finish = resolve;
    });
    this.#reader = client.openReader({
      topic,
      isolation: 'read_committed',
      ...{ bufferSizeBytesMax: sampleSizeBytesMax, partitionFetchSizeBytes: fetchSizeBytes },
      ...{ fetchSizeBytes: sampleSizeBytesMax, fetchWaitMs: 200 },
    });
    const filled = partitions.filter(({ startOffset, endOffset }) => startOffset < endOffset);
    const share = Math.ceil(messageCount / Math.max(1, filled.length));
    for (const { partition } of filled) this.#reading.add(partition);
    for (const { partition, startOffset, endOffset } of filled) {
      const position = Math.max(startOffset, endOffset - share);
      this.#reader.assign(partition, position, this.#listener(partition, position, endOffset));
    }
    if (filled.length === 0) this.#finish();
  }

  #listener(partition: number, start: number, end: number): PartitionListener {
    let position = start;
    return {
      take: async batch => {
        if (!this.#reading.has(partition)) return;
        position = batch.endOffset;
        this.#add(batch, end);
        if (position >= end) this.#end(partition);
      },
      // A transaction that is still open hides what is behind it.
      observe: ({ endOffset }) => {
        if (position >= Math.min(end, endOffset)) this.#end(partition);
      },
      // Deleted since it was looked at: what is left is sample enough.
      lost: ({ logStartOffset }: StreamEnd) => {
        if (logStartOffset >= end) this.#end(partition);
        else this.#reader.assign(partition, logStartOffset, this.#listener(partition, logStartOffset, end));
      },
      trouble: cause => {
        this.#trouble = cause;
        if (cause !== null && cause.kind !== 'unavailable') this.#finish();
      },
    };
  }

  #add({ partition, count, bytes, offsets, valueStarts, valueEnds }: MessageBatch, end: number): void {
    for (let index = 0; index < count && offsets[index]! < end; index++) {
      const start = valueStarts[index]!;
      // A copy: the batch is many times larger than the messages that are kept of it.
      const value = start < 0 ? null : bytes.slice(start, valueEnds[index]!);
      this.#messages.push({ partition, offset: offsets[index]!, value });
      this.#sizeBytes += value?.length ?? 0;
      if (this.#sizeBytes < sampleSizeBytesMax) continue;
      this.#isCut = true;
      this.#finish();
      break;
    }
    this.#onRead(this.#messages.length);
  }

  #end(partition: number): void {
    this.#reader.unassign(partition);
    this.#reading.delete(partition);
    if (this.#reading.size === 0) this.#finish();
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  /** @throws FaultError */
  result(): TopicSample {
    if (this.#messages.length === 0 && this.#trouble !== null) throw new FaultError(this.#trouble);
    const complete = this.#reading.size === 0 && !this.#isCut;
    const messages = this.#messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
    return { partitions: this.#partitions, messages, complete };
  }
}
