import { crc32c } from '../../base/checksum.ts';
import { fault } from '../../base/fault.ts';
import type { Clock, Random } from '../../base/seams.ts';
import { retryDelayMs } from './backoff.ts';
import type { Brokers } from './cluster.ts';
import type { Api, BrokerConnection, ProtocolCall } from './connection.ts';
import { answerFault, kafkaErrors } from './errors.ts';
import { ProtocolReader, ProtocolWriter } from './protocol-bytes.ts';
import { batchFields } from './record-batch.ts';
import type { ProducedMessage } from './types.ts';

const produceApi: Api = { key: 0, name: 'Produce' };
/** Kafka's brokers take batches of 1 MiB unless told otherwise. */
const batchSizeBytesMax = 512 * 2 ** 10;
/** About three seconds in all: whoever produces knows better what to do then. */
const attemptCountMax = 6;
const replicasTimeoutMs = 8_000;

/**
 * Writes to one partition, drawn anew for each batch, in order within it. A message may be written twice, where an
 * acknowledgement is lost. @throws FaultError after some attempts.
 */
export async function produce(
  cluster: Brokers,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  topic: string,
  messages: readonly ProducedMessage[],
): Promise<void> {
  for (const batch of inBatches(messages)) {
    const bytes = encodeBatch(batch, clock.nowMs());
    for (let attempt = 1; ; attempt++)
      try {
        await produceBatch(cluster, random, topic, bytes);
        break;
      } catch (error) {
        const isFinal = (error as { fault?: { code: string } }).fault?.code !== 'UNAVAILABLE';
        if (isFinal || attempt === attemptCountMax) throw error;
        await clock.sleep(retryDelayMs(attempt, random));
      }
  }
}

async function produceBatch(cluster: Brokers, random: Random, topic: string, bytes: Buffer): Promise<void> {
  const { partitions } = await cluster.describe(topic);
  const led = partitions.filter(({ leader }) => leader >= 0);
  if (led.length === 0) throw answerFault(kafkaErrors.leaderNotAvailable, topic, null, 'write');
  const { partition, leader } = led[Math.floor(random.next() * led.length)]!;
  const errorCode = await cluster.ask(leader, connection => produceCall(connection, topic, partition, bytes));
  if (errorCode === kafkaErrors.none) return;
  if (errorCode === kafkaErrors.messageTooLarge || errorCode === kafkaErrors.recordListTooLarge)
    throw fault('LIMIT_EXCEEDED', `topic '${topic}' does not take a message of ${bytes.length} bytes`, {
      hint: 'raise max.message.bytes of the topic',
    });
  throw answerFault(errorCode, topic, partition, 'write');
}

function produceCall(
  connection: BrokerConnection,
  topic: string,
  partition: number,
  records: Buffer,
): ProtocolCall<number> {
  const version = connection.version(produceApi, [3, 4, 5, 6, 7]);
  const writer = new ProtocolWriter().string(null).int16(-1).int32(replicasTimeoutMs);
  writer.array([topic], topic =>
    writer.string(topic).array([partition], partition => writer.int32(partition).int32(records.length).raw(records)),
  );
  return {
    api: produceApi,
    version,
    body: writer.finish(),
    throttleAt: null,
    decode(answer) {
      const reader = new ProtocolReader(answer);
      const readPartition = (): number => {
        reader.int32(); // partition
        const errorCode = reader.int16();
        reader.int64(); // offset
        reader.int64(); // time
        if (version >= 5) reader.int64(); // start of the log
        return errorCode;
      };
      const readTopic = (): number[] => {
        reader.string();
        return reader.array(readPartition);
      };
      return reader.array(readTopic).flat()[0] ?? kafkaErrors.none;
    },
  };
}

function* inBatches(messages: readonly ProducedMessage[]): Generator<ProducedMessage[]> {
  let batch: ProducedMessage[] = [];
  let sizeBytes = 0;
  for (const message of messages) {
    const messageSizeBytes = (message.key?.length ?? 0) + (message.value?.length ?? 0);
    if (batch.length > 0 && sizeBytes + messageSizeBytes > batchSizeBytesMax) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(message);
    sizeBytes += messageSizeBytes;
  }
  if (batch.length > 0) yield batch;
}

/** A record batch of magic 2, not compressed, of no transaction. */
function encodeBatch(messages: readonly ProducedMessage[], nowMs: number): Buffer {
  const records = new ProtocolWriter();
  messages.forEach((message, index) => {
    const record = encodeRecord(message, index);
    records.varint(record.length).raw(record);
  });
  const body = records.finish();
  const none = -1;
  const batch = new ProtocolWriter()
    .int64(0) // the broker gives offsets
    .int32(batchFields.records - batchFields.leaderEpoch + body.length)
    .int32(none)
    .int8(2)
    .int32(0) // checksum, below
    .int16(0)
    .int32(messages.length - 1)
    .int64(nowMs)
    .int64(nowMs)
    .int64(none) // producer, its epoch, its sequence
    .int16(none)
    .int32(none)
    .int32(messages.length)
    .raw(body)
    .finish();
  batch.writeUInt32BE(crc32c(batch.subarray(batchFields.attributes)), batchFields.crc);
  return batch;
}

function encodeRecord({ key, value, headers }: ProducedMessage, offsetDelta: number): Buffer {
  const record = new ProtocolWriter().int8(0).varint(0).varint(offsetDelta);
  const writeBytes = (bytes: Uint8Array | null): ProtocolWriter =>
    bytes === null ? record.varint(-1) : record.varint(bytes.length).raw(bytes);
  writeBytes(key);
  writeBytes(value);
  const named = Object.entries(headers);
  record.varint(named.length);
  for (const [name, text] of named) {
    writeBytes(Buffer.from(name));
    writeBytes(Buffer.from(text));
  }
  return record.finish();
}
