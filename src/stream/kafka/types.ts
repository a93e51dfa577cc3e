/**
 * The seam to Apache Kafka: what Weir asks of a client, whichever library is behind it. Partitions are read by position,
 * without a consumer group: where a partition is, the metadata knows, and nobody else.
 */
import type { Account } from '../../base/accounts.ts';
import type { Fault } from '../../base/fault.ts';
import type { KafkaSasl, KafkaSource, KafkaTls } from '../../catalog/table.ts';

/** How to reach a cluster; secrets are references, read at each connection. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
}

export interface TopicDescription {
  /** Changes when the topic is deleted and made again; null where the broker is too old to tell (before 2.8). */
  readonly topicId: string | null;
  /** From 0, ascending. */
  readonly partitions: readonly number[];
}

/**
 * Messages of one partition, in order of offset: columns, no object per message. `[startOffset, endOffset)` is all that
 * was read, follows the batch before, and accounts for every offset:
 * `endOffset - startOffset = count + controlCount + abortedCount + gapCount`.
 */
export interface MessageBatch {
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
  /** Messages in this batch; may be 0, when all that was read are markers, aborted records and gaps. */
  readonly count: number;
  readonly controlCount: number;
  readonly abortedCount: number;
  readonly gapCount: number;
  /** By message. */
  readonly offsets: Float64Array;
  /** By message: milliseconds since 1970; -1 where it has none. */
  readonly timestampsMs: Float64Array;
  /**
   * Keys, values and headers of all messages lie in here, decompressed; owned by the receiver. The last byte belongs to no
   * message: scanners may put their sentinel there.
   */
  readonly bytes: Uint8Array;
  /** By message: where in `bytes`; start -1: null. */
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** By message: the headers as the record has them (count, then key and value, each a varint and bytes); see `readHeaders`. */
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
}

/** Where the stream is, as a fetch found it. */
export interface StreamEnd {
  /** First offset that a reader of this isolation cannot see yet: last stable offset, or high watermark. */
  readonly endOffset: number;
  /** First offset that the stream still has. */
  readonly logStartOffset: number;
  readonly observedAtMs: number;
}

/** What a reader tells of one partition. Calls come in order, one after another. */
export interface PartitionListener {
  /**
   * Takes messages; resolves when they are somebody else's to hold in memory. While more than `bufferSizeBytesMax` are
   * unresolved, the partition is not fetched. Never rejects.
   */
  take(batch: MessageBatch): Promise<void>;
  /** After every answer of a broker, also one without messages. */
  observe(end: StreamEnd): void;
  /**
   * The position is not in the stream (OFFSETS_LOST, with `logStartOffset` and `endOffset` in the details). Nothing more is
   * read until `assign` is called again.
   */
  lost(end: StreamEnd): void;
  /** Reading fails, and is tried again with growing delays, for ever; null: it goes on. */
  trouble(cause: Fault | null): void;
}

export interface ReaderSettings {
  readonly topic: string;
  /**
   * Whose positions will be assigned. Once the topic is another one of this name, its partitions are in trouble,
   * TOPIC_RECREATED, and nothing of the new one is given (brokers before Kafka 3.1 notice only when a leader is looked for).
   * Null or absent: whichever there is when a leader is found.
   */
  readonly topicId?: string | null;
  readonly isolation: KafkaSource['isolation'];
  /** Of unresolved `take`s, per partition. */
  readonly bufferSizeBytesMax: number;
  /** Of one fetch per partition, and of one fetch in all. */
  readonly partitionFetchSizeBytes: number;
  readonly fetchSizeBytes: number;
  /** How long a broker waits for messages before it answers that there are none. */
  readonly fetchWaitMs: number;
  /** Of all readers: what is fetched and unresolved is on it. Where it is full, whoever holds something already waits. */
  readonly account?: Account;
}

/** Reads partitions of one topic, each from its position on; finds leaders, follows them when they move. */
export interface TopicReader {
  /** Reads from `position` on, also where the partition is read already: what was fetched before is dropped. */
  assign(partition: number, position: number, listener: PartitionListener): void;
  /** No call of the listener begins after this. */
  unassign(partition: number): void;
  close(): Promise<void>;
}

export interface ProducedMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** One cluster. Every call throws FaultError: UNAVAILABLE (unreachable), FORBIDDEN (credentials, ACLs), NOT_FOUND (no such topic). */
export interface KafkaClient {
  describeTopic(topic: string): Promise<TopicDescription>;
  /**
   * By partition asked for: the first offset, the end, or the first at or after a time (the end where there is none). The end
   * is that of StreamEnd: for `read_committed`, the default, what open transactions have written is behind it.
   */
  findOffsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | number,
    isolation?: KafkaSource['isolation'],
  ): Promise<ReadonlyMap<number, number>>;
  openReader(settings: ReaderSettings): TopicReader;
  /** Resolves when all in-sync replicas have the messages. */
  produce(topic: string, messages: readonly ProducedMessage[]): Promise<void>;
  close(): Promise<void>;
}
