/** Ingestion from a real Apache Kafka: how much, at what price, how soon. */
import { existsSync } from 'node:fs';
import { startKafka } from '../../test/support/kafka.ts';
import { isKafkaThere, kafkaHint, kafkaVersions } from '../../test/support/kafka-jars.ts';
import { askChild } from '../child.ts';
import { formatCount } from '../row.ts';
import type { Suite } from '../suite.ts';
import type { FillOrder, FillReport } from './fill.ts';
import { measureFreshness } from './freshness.ts';
import { compareThroughput } from './throughput.ts';

const fillScript = new URL('./fill.js', import.meta.url);

const messagesDefault = 2_000_000;
const messagesSmoke = 20_000;
const partitionsDefault = 8;
/** Each reads the whole topic, twice. */
const runsMax = 3;

export const kafkaSuite: Suite = {
  name: 'kafka',
  summary: 'from a topic of Apache Kafka to answers, beside kafkajs that only reads; and how soon',
  async run(options) {
    const { smoke, progress, note } = options;
    if (!isKafkaThere() || !existsSync('/proc/self/stat')) {
      note(`Kafka: not measured. It needs Linux, and ${kafkaHint}.`);
      return [];
    }
    const messageCount = options.rows ?? (smoke ? messagesSmoke : messagesDefault);
    const partitionCount = options.partitions ?? partitionsDefault;
    const runs = Math.min(options.runs, runsMax);
    progress.update('kafka: starting the broker');
    const kafka = await startKafka({ version: kafkaVersions[1] });
    try {
      const { brokers } = kafka;
      await kafka.createTopic('fresh', partitionsDefault);
      const fresh = await measureFreshness(brokers, 'fresh', partitionsDefault, options);
      await kafka.deleteTopic('fresh');
      progress.update(`kafka: producing ${formatCount(messageCount)} messages`);
      await kafka.createTopic('full', partitionCount);
      const fillOrder = { brokers, topic: 'full', partitionCount, messageCount };
      const filled = await askChild<FillOrder, FillReport>(fillScript, fillOrder);
      const rows = await compareThroughput(
        `${partitionCount} partitions`,
        { brokers, topic: 'full', filled },
        runs,
        options,
      );
      progress.done('kafka: done');
      note(
        `Consumed: JSON messages of ten fields and ${Math.round(filled.sizeBytes / filled.messages)} bytes, from CREATE ` +
          `TABLE to COUNT(*) of all of them, and to COMMIT INGESTION's answer, one shard; count and sum are the producer's. kafkajs: a consumer group of ` +
          `one, eachBatch, messages thrown away. Medians of ${runs}, in turns; CPU time is that of the whole process.`,
      );
      return [...rows, fresh];
    } finally {
      await kafka.stop();
    }
  },
};
