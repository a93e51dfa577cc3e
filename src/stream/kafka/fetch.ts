/** The requests and answers of reading: Fetch (versions 4 to 11 by the topic's name, 13 by its id) and ListOffsets. */
import type { KafkaSource } from '../../catalog/table.ts';
import type { Api, BrokerConnection, ProtocolCall } from './connection.ts';
import { kafkaErrors } from './errors.ts';
import { ProtocolReader, ProtocolWriter } from './protocol-bytes.ts';
import type { AbortedTransaction } from './record-batch.ts';

type Isolation = KafkaSource['isolation'];

const fetchApi: Api = { key: 1, name: 'Fetch' };
const listOffsetsApi: Api = { key: 2, name: 'ListOffsets' };
const namedVersions = [4, 5, 6, 7, 8, 9, 10, 11];
const identifiedVersions = [13];

/** No replica: a consumer. */
const consumer = -1;
const unknown = -1;
const isolationNumber = (isolation: Isolation): number => (isolation === 'read_committed' ? 1 : 0);

export interface FetchRequest {
  readonly topic: string;
  /** Asked for by this where the broker can (from Kafka 3.1 on), so that a topic made again is never mistaken for it. */
  readonly topicId: string | null;
  readonly isolation: Isolation;
  readonly waitMs: number;
  readonly sizeBytesMax: number;
  readonly partitionSizeBytesMax: number;
  /** Served in this order; the first that has messages gives a whole batch, however large. */
  readonly partitions: readonly { readonly partition: number; readonly position: number }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Of the isolation asked for. */
  readonly endOffset: number;
  readonly logStartOffset: number;
  /** Null where not asked for read_committed. */
  readonly aborted: readonly AbortedTransaction[] | null;
  /** A view into the answer. */
  readonly records: Uint8Array;
}

/** An error of the whole answer is given to each partition. */
export function fetchCall(connection: BrokerConnection, request: FetchRequest): ProtocolCall<FetchedPartition[]> {
  const identified = request.topicId !== null && canIdentify(connection);
  const version = connection.version(fetchApi, identified ? identifiedVersions : namedVersions);
  return {
    api: fetchApi,
    version,
    body: encodeFetch(version, request),
    // From version 8 on the broker answers first and wants to be left alone then; before that it has waited itself.
    throttleAt: version >= 12 ? 1 : version >= 8 ? 0 : null,
    decode: answer => decodeFetch(version, request, answer),
  };
}

function canIdentify(connection: BrokerConnection): boolean {
  try {
    return connection.version(fetchApi, identifiedVersions) > 0;
  } catch {
    return false;
  }
}

function encodeFetch(version: number, request: FetchRequest): Buffer {
  const flexible = version >= 12;
  const writer = new ProtocolWriter();
  if (flexible) writer.tags();
  writer.int32(consumer).int32(request.waitMs).int32(1).int32(request.sizeBytesMax);
  writer.int8(isolationNumber(request.isolation));
  // No session: the request says all.
  if (version >= 7) writer.int32(0).int32(unknown);
  const writePartition = ({ partition, position }: FetchRequest['partitions'][number]): void => {
    writer.int32(partition);
    if (version >= 9) writer.int32(unknown); // leader's epoch
    writer.int64(position);
    if (version >= 12) writer.int32(unknown); // epoch of what was fetched last
    if (version >= 5) writer.int64(unknown); // start of a follower's log
    writer.int32(request.partitionSizeBytesMax);
    if (flexible) writer.tags();
  };
  const writeTopic = (): void => {
    if (version >= 13) writer.uuid(request.topicId);
    else writer.string(request.topic, flexible);
    writer.array(request.partitions, writePartition, flexible);
    if (flexible) writer.tags();
  };
  writer.array([request.topic], writeTopic, flexible);
  if (version >= 7) writer.array([], () => {}, flexible); // topics to forget
  if (version >= 11) writer.string('', flexible); // rack
  if (flexible) writer.tags();
  return writer.finish();
}

function decodeFetch(version: number, request: FetchRequest, answer: Uint8Array): FetchedPartition[] {
  const flexible = version >= 12;
  const reader = new ProtocolReader(answer);
  if (flexible) reader.skipTags();
  reader.int32(); // throttle time
  const errorCode = version >= 7 ? reader.int16() : kafkaErrors.none;
  if (version >= 7) reader.int32(); // session
  const committed = request.isolation === 'read_committed';
  const readAborted = (): AbortedTransaction => {
    const transaction = { producerId: reader.int64(), firstOffset: reader.int64() };
    if (flexible) reader.skipTags();
    return transaction;
  };
  const readPartition = (): FetchedPartition => {
    const partition = reader.int32();
    const partitionErrorCode = reader.int16();
    const highWatermark = reader.int64();
    const lastStableOffset = reader.int64();
    const logStartOffset = version >= 5 ? reader.int64() : 0;
    const aborted = reader.array(readAborted, flexible);
    if (version >= 11) reader.int32(); // preferred replica: none without a rack
    const records = reader.bytes(flexible) ?? new Uint8Array(0);
    if (flexible) reader.skipTags();
    return {
      partition,
      errorCode: errorCode || partitionErrorCode,
      endOffset: committed ? lastStableOffset : highWatermark,
      logStartOffset,
      aborted: committed ? aborted : null,
      records,
    };
  };
  const readTopic = (): FetchedPartition[] => {
    if (version >= 13) reader.uuid();
    else reader.string(flexible);
    const partitions = reader.array(readPartition, flexible);
    if (flexible) reader.skipTags();
    return partitions;
  };
  const partitions = reader.array(readTopic, flexible).flat();
  if (errorCode === kafkaErrors.none) return partitions;
  const nothing = { endOffset: unknown, logStartOffset: unknown, aborted: null, records: new Uint8Array(0) };
  return request.partitions.map(({ partition }) => ({ partition, errorCode, ...nothing }));
}

export interface OffsetsRequest {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly at: 'earliest' | 'latest' | number;
  readonly isolation: Isolation;
}

export interface FoundOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1: no message is that late. */
  readonly offset: number;
}

export function listOffsetsCall(connection: BrokerConnection, request: OffsetsRequest): ProtocolCall<FoundOffset[]> {
  const version = connection.version(listOffsetsApi, [1, 2, 3]);
  const timestamp = request.at === 'earliest' ? -2 : request.at === 'latest' ? -1 : Math.ceil(request.at);
  const writer = new ProtocolWriter().int32(consumer);
  if (version >= 2) writer.int8(isolationNumber(request.isolation));
  writer.array([request.topic], topic =>
    writer.string(topic).array(request.partitions, partition => writer.int32(partition).int64(timestamp)),
  );
  return {
    api: listOffsetsApi,
    version,
    body: writer.finish(),
    throttleAt: version >= 3 ? 0 : null,
    decode(answer) {
      const reader = new ProtocolReader(answer);
      if (version >= 2) reader.int32(); // throttle time
      const readPartition = (): FoundOffset => {
        const [partition, errorCode] = [reader.int32(), reader.int16()];
        reader.int64(); // timestamp
        return { partition, errorCode, offset: reader.int64() };
      };
      const readTopic = (): FoundOffset[] => {
        reader.string();
        return reader.array(readPartition);
      };
      return reader.array(readTopic).flat();
    },
  };
}
