/** A transactional producer that aborts a third of what it writes, and remembers what it committed. */
import kafkajs, { type Kafka, type Producer } from 'kafkajs';

export interface Transactions {
  /** Ids of committed messages. */
  readonly committed: ReadonlySet<number>;
  /** Ids of transactions whose commit was not answered: they may be committed or not. */
  readonly unknown: ReadonlySet<number>;
  readonly abortedCount: number;
  /** Finishes the transaction under way. */
  stop(): Promise<void>;
}

const connect = async (client: Kafka, name: string): Promise<Producer> => {
  const producer = client.producer({
    transactionalId: name,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 10_000,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return producer;
};

/**
 * Transactions of some messages each over all partitions, one after another, until `stop`; every third is aborted.
 * A broker that goes away costs the transaction under way: its ids are unknown, and the next producer fences it.
 */
export async function startTransactions(
  client: Kafka,
  topic: string,
  partitionCount: number,
  messageOf: (id: number) => string,
  pauseMs = 5,
): Promise<Transactions> {
  const committed = new Set<number>();
  const unknown = new Set<number>();
  let abortedCount = 0;
  let nextId = 0;
  let stopping = false;
  let producer = await connect(client, `producer-of-${topic}`);

  const transact = async (number: number): Promise<void> => {
    const ids = Array.from({ length: 1 + (number % 17) }, () => nextId++);
    const isAborted = number % 3 === 2;
    let transaction: Awaited<ReturnType<Producer['transaction']>> | null = null;
    try {
      transaction = await producer.transaction();
      const messages = ids.map(id => ({ value: messageOf(id), partition: id % partitionCount }));
      await transaction.send({ topic, messages });
      if (isAborted) {
        await transaction.abort();
        abortedCount += ids.length;
        return;
      }
      await transaction.commit();
      for (const id of ids) committed.add(id);
    } catch {
      if (!isAborted) for (const id of ids) unknown.add(id);
      await producer.disconnect().catch(() => {});
      while (!stopping) {
        try {
          producer = await connect(client, `producer-of-${topic}`);
          return;
        } catch {
          await new Promise(resolve => setTimeout(resolve, 200));
        }
      }
    }
  };

  const working = (async () => {
    for (let number = 0; !stopping; number++) {
      await transact(number);
      await new Promise(resolve => setTimeout(resolve, pauseMs));
    }
    await producer.disconnect().catch(() => {});
  })();
  return {
    committed,
    unknown,
    get abortedCount() {
      return abortedCount;
    },
    async stop() {
      stopping = true;
      await working;
    },
  };
}

/** Ids of the committed messages of a topic, as Kafka's own client reads them from beginning to end. */
export async function readCommittedIds(
  client: Kafka,
  topic: string,
  idOf: (value: Buffer) => number,
): Promise<number[]> {
  const admin = client.admin();
  await admin.connect();
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)] as const),
  );
  await admin.disconnect();
  const consumer = client.consumer({ groupId: `oracle-${topic}-${process.hrtime.bigint()}`, readUncommitted: false });
  const ids: number[] = [];
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    if (open.size === 0) resolve();
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) ids.push(idOf(message.value!));
          if (Number(batch.lastOffset()) + 1 >= ends.get(batch.partition)!) open.delete(batch.partition);
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return ids;
}
