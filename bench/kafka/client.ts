/** kafkajs as the benchmarks use it: for what they produce, and as the contestant. */
import kafkajs, { type Kafka, type Producer } from 'kafkajs';

export const openClient = (brokers: readonly string[]): Kafka =>
  new kafkajs.Kafka({ clientId: 'weir-bench', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });

export async function openProducer(brokers: readonly string[]): Promise<Producer> {
  const producer = openClient(brokers).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  return producer;
}

/** Acknowledged by the partition's leader alone. */
export const acknowledgedByLeader = 1;
