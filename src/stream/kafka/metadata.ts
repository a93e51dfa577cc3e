/** Metadata: which brokers there are, and of one topic its id, its partitions and who leads them. Creates no topic. */
import type { Api, BrokerConnection, ProtocolCall } from './connection.ts';
import type { BrokerAddress } from './errors.ts';
import { ProtocolReader, ProtocolWriter } from './protocol-bytes.ts';

const metadataApi: Api = { key: 3, name: 'Metadata' };

export interface TopicMetadata {
  /** By node id. */
  readonly brokers: ReadonlyMap<number, BrokerAddress>;
  readonly errorCode: number;
  /** 32 hexadecimal digits; null before Kafka 2.8. */
  readonly topicId: string | null;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  readonly errorCode: number;
  /** Node id; -1 where there is none. */
  readonly leader: number;
}

export function metadataCall(connection: BrokerConnection, topic: string): ProtocolCall<TopicMetadata> {
  const version = connection.version(metadataApi, [4, 5, 6, 7, 10, 11, 12]);
  const flexible = version >= 9;
  const writer = new ProtocolWriter();
  if (flexible) writer.tags();
  const writeTopic = (topic: string): void => {
    if (version >= 10) writer.uuid(null);
    writer.string(topic, flexible);
    if (flexible) writer.tags();
  };
  writer.array([topic], writeTopic, flexible);
  writer.int8(0); // create it: no
  if (version >= 8 && version <= 10) writer.int8(0); // what we may do with the cluster: not asked
  if (version >= 8) writer.int8(0); // nor with the topic
  if (flexible) writer.tags();
  return {
    api: metadataApi,
    version,
    body: writer.finish(),
    throttleAt: flexible ? 1 : version >= 6 ? 0 : null,
    decode: answer => decodeMetadata(version, new ProtocolReader(answer)),
  };
}

function decodeMetadata(version: number, reader: ProtocolReader): TopicMetadata {
  const flexible = version >= 9;
  const skipTags = (): void => {
    if (flexible) reader.skipTags();
  };
  const readNodes = (): number[] => reader.array(reader.int32, flexible);
  skipTags();
  reader.int32(); // throttle time
  const readBroker = (): [number, BrokerAddress] => {
    const [nodeId, host, port] = [reader.int32(), reader.string(flexible)!, reader.int32()];
    reader.string(flexible); // rack
    skipTags();
    return [nodeId, { host, port }];
  };
  const readPartition = (): PartitionMetadata => {
    const [errorCode, partition, leader] = [reader.int16(), reader.int32(), reader.int32()];
    if (version >= 7) reader.int32(); // leader's epoch
    readNodes(); // replicas
    readNodes(); // of them, in sync
    if (version >= 5) readNodes(); // and offline
    skipTags();
    return { partition, errorCode, leader };
  };
  const readTopic = () => {
    const errorCode = reader.int16();
    reader.string(flexible);
    const topicId = version >= 10 ? reader.uuid() : null;
    reader.int8(); // internal
    const partitions = reader.array(readPartition, flexible).sort((a, b) => a.partition - b.partition);
    if (version >= 8) reader.int32(); // what we may do with it
    skipTags();
    return { errorCode, topicId, partitions };
  };
  const brokers = new Map(reader.array(readBroker, flexible));
  reader.string(flexible); // cluster
  reader.int32(); // controller
  const [topic] = reader.array(readTopic, flexible);
  return {
    brokers,
    errorCode: topic?.errorCode ?? 3,
    topicId: topic?.topicId ?? null,
    partitions: topic?.partitions ?? [],
  };
}
