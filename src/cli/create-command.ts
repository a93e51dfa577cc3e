/** `weir create --from-kafka`: looks into a topic, proposes a table, and creates it when told to. */
import { createInterface } from 'node:readline/promises';
import { FaultError, fault } from '../base/fault.ts';
import { checkKafkaSource, kafkaSource } from '../catalog/kafka-source.ts';
import { checkTableName } from '../catalog/name.ts';
import type { KafkaSasl, KafkaSource, MessageFormat } from '../catalog/table.ts';
import { createClient, type WeirClient } from '../client/client.ts';
import { WeirError } from '../client/error.ts';
import { type CommandIo, count, plural, print } from './io.ts';
import { showControls } from './text.ts';
import { type Proposal, proposeTable, quoteName } from './topic-proposal.ts';
import { sampleTopic, type TopicSample } from './topic-sample.ts';
import { topicTableText } from './topic-table-text.ts';

export interface CreateOptions {
  readonly url: string;
  readonly brokers: string;
  readonly topic: string;
  /** Of the table; made of the topic's where it is not given. */
  readonly name?: string;
  /** Guessed where it is not given. */
  readonly format?: MessageFormat;
  readonly schemaRegistry?: string;
  readonly saslMechanism?: KafkaSasl['mechanism'];
  readonly saslUsername?: string;
  readonly saslPassword?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly sample: number;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Enough to see the types of fields that most messages have, and read within a second. */
export const sampleMessagesDefault = 1_000;
/** A sample is held in memory, and a type that shows only after so many gives rejects, which are named. */
export const sampleMessagesMax = 100_000;
/** A cluster that takes longer is not there, as far as somebody who waits for an answer is concerned. */
const sampleTimeoutMs = 10_000;
/** How long to wait for the new table to have what the topic had; a large topic takes longer, and goes on by itself. */
const catchUpMs = 5_000;
const catchUpPollMs = 100;
/** Reasons that are printed. */
const rejectsShownMax = 5;

/**
 * The statement goes to standard output, all else to standard error.
 * @throws FaultError, WeirError
 */
export async function runCreate(options: CreateOptions, io: CommandIo): Promise<void> {
  const source = sourceOf(options);
  const table = options.name ?? tableNameOf(options.topic);
  checkTableName(table);
  const client = createClient(options.url);
  const mayAsk = Boolean(io.stdin.isTTY && io.stderr.isTTY);
  const mayCreate = !options.dryRun && (options.yes || mayAsk);
  if (mayCreate) await checkFree(client, table);
  const sample = await readSample(source, options, io);
  describeSample(sample, source, io);
  const schemas = source.schemaRegistry === null ? null : await io.openSchemas(source.schemaRegistry);
  const proposal = await proposeTable(sample.messages, source, options.format !== undefined, schemas);
  describeRejects(proposal, io);
  const statement = topicTableText(table, source, proposal);
  await print(io.stdout, `${statement};\n`);
  if (options.dryRun) return;
  if (!options.yes && !mayAsk) {
    io.stderr.write('nothing was created: run it again with --yes, or change the statement and run it with weir sql\n');
    return;
  }
  if (!options.yes && !(await ask('Create it? [Y/n] ', io))) {
    io.stderr.write('nothing was created\n');
    return;
  }
  await client.query(statement);
  await followStart(client, table, sample, io);
}

function sourceOf({ brokers, topic, format, schemaRegistry, ...options }: CreateOptions): KafkaSource {
  const hasSasl = [options.saslMechanism, options.saslUsername, options.saslPassword].some(Boolean);
  const source = kafkaSource({
    brokers: brokers
      .split(',')
      .map(broker => broker.trim())
      .filter(broker => broker !== ''),
    topic,
    format: format ?? 'json',
    tls: options.tls || options.tlsCa ? { ca: options.tlsCa ?? null, certificate: null, key: null } : null,
    sasl: hasSasl
      ? {
          mechanism: options.saslMechanism ?? 'plain',
          username: options.saslUsername ?? '',
          password: options.saslPassword ?? '',
        }
      : null,
    schemaRegistry: schemaRegistry === undefined ? null : { url: schemaRegistry, username: null, password: null },
  });
  checkKafkaSource(source, () => undefined);
  return source;
}

/** Letters, digits and _ alone, so that it needs no quotes: `orders.v1` is orders_v1. */
const tableNameOf = (topic: string): string => topic.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');

/** @throws FaultError TABLE_EXISTS, WeirError where there is no server: both before anybody waits for a sample */
async function checkFree(client: WeirClient, table: string): Promise<void> {
  try {
    await client.table(table);
  } catch (error) {
    if (error instanceof WeirError && error.code === 'UNKNOWN_TABLE') return;
    throw error;
  }
  throw fault('TABLE_EXISTS', `there is a table ${table} already`, { hint: 'give another name: --name TABLE' });
}

async function readSample(source: KafkaSource, { sample }: CreateOptions, io: CommandIo): Promise<TopicSample> {
  const { brokers, topic, tls, sasl } = source;
  const tell = (text: string): void => {
    if (io.stderr.isTTY) io.stderr.write(`\r\x1b[K${text}`);
  };
  tell(`asking ${brokers.join(', ')} …`);
  const kafka = await io.openKafka({ brokers, tls, sasl });
  try {
    return await sampleTopic(
      kafka,
      {
        ...{ brokers, topic, messageCount: sample, timeoutMs: sampleTimeoutMs },
        onRead: messages => tell(`reading ${topic}: ${plural(messages, 'message')} …`),
      },
      io.clock,
    );
  } catch (error) {
    throw error instanceof FaultError ? explained(error) : error;
  } finally {
    tell('');
    await kafka.close();
  }
}

/** With what to do about it. */
function explained({ fault: { code, message, hint, details } }: FaultError): FaultError {
  const fallback =
    code === 'NOT_FOUND'
      ? 'is it spelled so? Kafka keeps the case of names; kafka-topics.sh --list shows them'
      : code === 'FORBIDDEN'
        ? 'are the user and the password right, and may the user READ and DESCRIBE the topic?'
        : 'is Kafka running there, and does this address reach it?';
  return fault(code, message, { hint: hint ?? fallback, details });
}

function describeSample(
  { partitions, messages, complete }: TopicSample,
  { topic }: KafkaSource,
  { stderr }: CommandIo,
) {
  if (messages.length === 0) throw emptyTopic(partitions, topic);
  const offsets = partitions.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0);
  const [only] = partitions;
  const range =
    partitions.length === 1
      ? `offsets ${count(only!.startOffset)} to ${count(only!.endOffset)}`
      : `${plural(offsets, 'offset')} in all`;
  stderr.write(`topic ${topic}: ${plural(partitions.length, 'partition')}, ${range}\n`);
  for (const { partition, startOffset, endOffset } of partitions.length > 1
    ? partitions.slice(0, partitionsShownMax)
    : [])
    stderr.write(`  partition ${partition}: offsets ${count(startOffset)} to ${count(endOffset)}\n`);
  if (partitions.length > partitionsShownMax)
    stderr.write(`  and ${plural(partitions.length - partitionsShownMax, 'more partition')}\n`);
  stderr.write(`read ${plural(messages.length, 'message')} of its end${complete ? '' : ', as many as came in time'}\n`);
}

function emptyTopic(partitions: TopicSample['partitions'], topic: string): FaultError {
  const isEmpty = partitions.every(({ startOffset, endOffset }) => startOffset === endOffset);
  const isNew = partitions.every(({ endOffset }) => endOffset === 0);
  const why = isNew ? 'is empty' : isEmpty ? 'is empty: its retention has deleted what it had' : 'shows no message';
  return fault('INVALID_ROWS', `topic ${topic} ${why}`, {
    hint: 'produce some messages first, or write CREATE TABLE … FROM KAFKA with the columns yourself',
  });
}

/** Partitions that are listed: a topic of hundreds says nothing with more. */
const partitionsShownMax = 16;

function describeRejects({ format, tombstoneCount, rejects }: Proposal, { stderr }: CommandIo): void {
  stderr.write(`format: ${format}\n`);
  if (tombstoneCount > 0) stderr.write(`${plural(tombstoneCount, 'message')} without a value, which give no row\n`);
  for (const { count: times, reason, partition, offset } of rejects.slice(0, rejectsShownMax))
    stderr.write(
      `${plural(times, 'message')} would be rejected: ${showControls(reason)} (partition ${partition}, offset ${offset})\n`,
    );
  if (rejects.length > rejectsShownMax)
    stderr.write(`and ${plural(rejects.length - rejectsShownMax, 'more reason')}\n`);
}

/** Enter is yes; the end of input is no. */
async function ask(question: string, { stdin, stderr }: CommandIo): Promise<boolean> {
  const terminal = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    const closed = new Promise<string>(resolve => terminal.once('close', () => resolve('n')));
    const answer = await Promise.race([terminal.question(question), closed]);
    return /^\s*(y(es)?)?\s*$/i.test(answer);
  } finally {
    terminal.close();
  }
}

/** Waits until what the sample saw is in the table, within `catchUpMs`. */
async function followStart(
  client: WeirClient,
  table: string,
  { partitions }: TopicSample,
  io: CommandIo,
): Promise<void> {
  const startedMs = io.clock.monotonicMs();
  let cause: string | null = null;
  while (io.clock.monotonicMs() - startedMs < catchUpMs) {
    const states = await client.ingestion(table);
    cause = states.find(({ freshness }) => freshness.cause !== null)?.freshness.cause ?? null;
    const isThere = partitions.every(({ partition, endOffset }) =>
      states.some(state => state.partition === partition && state.freshness.ingestedOffset >= endOffset),
    );
    if (isThere) {
      const { rows } = await client.query(`SELECT COUNT(*) FROM ${quoteName(table)}`);
      io.stderr.write(
        `created ${table}: ${plural(Number(rows[0]![0]), 'row')} so far, and every message from now on\n`,
      );
      return;
    }
    await io.clock.sleep(catchUpPollMs);
  }
  io.stderr.write(
    `created ${table}; ${cause === null ? 'it reads the topic from its beginning' : `not reading yet: ${showControls(cause)}`}\n` +
      `watch it: weir sql "SELECT * FROM system.ingestion WHERE \\"table\\" = '${table}'"\n`,
  );
}
