/** A table that consumes a topic: finds its partitions, also new ones, and what the operator asks of them. */
import { type Fault, fault, toFault } from '../base/fault.ts';
import { partitionShard } from '../catalog/placement.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { KafkaSource, SeekTarget, TableDefinition } from '../catalog/table.ts';
import type { KafkaClient, MessageBatch, TopicReader } from '../stream/kafka/types.ts';
import { RejectLog } from '../stream/rejects.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestState } from '../wire/ingest-calls.ts';
import { backoffDelayMs, pause } from './backoff.ts';
import type { TableComponents } from './components.ts';
import { deadLettersOf } from './dead-letters.ts';
import { KafkaPartition, type KafkaPartitionTable } from './kafka-partition.ts';
import { buildPipeline } from './message-pipeline.ts';
import type { Pipeline, PipelineRows } from './pipeline.ts';
import { largestOf, type PartitionRows } from './rows.ts';
import { fetchLimits, type IngestSettings, streamBufferSizeBytesDefault, topicPollMs } from './settings.ts';
import { type IngestTable, topicState } from './table.ts';

export class KafkaTable implements IngestTable, KafkaPartitionTable {
  definition: TableDefinition;
  pipeline: Pipeline;
  readonly source: KafkaSource;
  readonly rejects: RejectLog;
  readonly #components: TableComponents;
  readonly #client: KafkaClient;
  readonly #schemas: SchemaSource | null;
  readonly #stopping = new AbortController();
  /** By topic id. */
  readonly #readers = new Map<string | null, TopicReader>();
  readonly #bufferSizeBytes: number;
  #partitions: KafkaPartition[] = [];
  #polling: Promise<void> | null = null;
  /** Why the topic cannot be looked at. */
  #fault: Fault | null = null;
  readonly #logFolder: string;

  static async open(
    definition: TableDefinition,
    source: KafkaSource,
    settings: IngestSettings,
    components: TableComponents,
  ): Promise<KafkaTable> {
    const { schemaRegistry } = source;
    const [client, schemas] = await Promise.all([
      components.openKafka(source),
      schemaRegistry === null ? null : components.openSchemas(schemaRegistry),
    ]);
    return new KafkaTable(definition, source, client, schemas, settings, components);
  }

  private constructor(
    definition: TableDefinition,
    source: KafkaSource,
    client: KafkaClient,
    schemas: SchemaSource | null,
    { logFolder, streamBufferSizeBytes = streamBufferSizeBytesDefault }: IngestSettings,
    components: TableComponents,
  ) {
    this.definition = definition;
    this.source = source;
    this.#components = components;
    this.#logFolder = logFolder;
    this.rejects = new RejectLog(`${logFolder}/${definition.id}`, components);
    this.#schemas = schemas;
    this.pipeline = buildPipeline(definition, source, schemas, components.clock);
    this.#client = client;
    this.#bufferSizeBytes = streamBufferSizeBytes;
  }

  get largest(): PartitionRows | null {
    return largestOf(this.#partitions.map(({ rows }) => rows));
  }

  get states(): readonly IngestState[] {
    const states = this.#partitions.map(partition => partition.state);
    return this.#fault === null || states.length > 0
      ? states
      : [topicState(this.definition, this.#fault, this.#components.clock.nowMs())];
  }

  // ── partitions ────────────────────────────────────────────────────────────────────────────────────────────

  async follow(definition: TableDefinition, entries: readonly PartitionEntry[]): Promise<void> {
    if (definition.version > this.definition.version) this.#define(definition);
    const fresh = entries.filter(({ partition }) => !this.#partitions.some(known => known.partition === partition));
    const added = fresh.map(entry => this.#newPartition(entry));
    await Promise.all(added.map(partition => partition.open()));
    this.#partitions.push(...added);
    for (const partition of added) partition.begin();
    this.#polling ??= this.#pollForEver();
  }

  #define(definition: TableDefinition): void {
    this.definition = definition;
    this.pipeline = buildPipeline(definition, this.source, this.#schemas, this.#components.clock);
    for (const partition of this.#partitions) partition.redefine();
  }

  #newPartition(entry: PartitionEntry): KafkaPartition {
    // Any pure function will do, as long as a partition has one owner.
    const shard = partitionShard(this.definition.id, entry.partition, this.#components.shards.length);
    return new KafkaPartition(entry, shard, this, this.#components);
  }

  async #pollForEver(): Promise<void> {
    const { clock, random, log } = this.#components;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#poll();
        failures = 0;
        this.#fault = null;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        this.#fault = toFault(error);
        log.warn('a topic cannot be looked at', { table: this.definition.name, cause: this.#fault.message });
      }
      const delayMs = failures > 0 ? Math.min(topicPollMs, backoffDelayMs(failures, random)) : topicPollMs;
      if (!(await pause(clock, delayMs, signal))) return;
    }
  }

  async #poll(): Promise<void> {
    const { topic, isolation } = this.source;
    const { topicId, partitions } = await this.#client.describeTopic(topic);
    for (const partition of this.#partitions) partition.verify(topicId);
    await this.#observeUnread(partitions);
    const fresh = partitions.filter(number => number >= this.#partitions.length);
    if (fresh.length === 0) return;
    // What comes while the table runs is read whole: nobody chose to begin it later.
    const startFrom = this.#partitions.length === 0 ? this.source.startFrom : 'earliest';
    const offsets = await this.#client.findOffsets(topic, fresh, startFrom, isolation);
    await this.#addPartitions(fresh, offsets, topicId);
  }

  /** Paused partitions and those that a policy stopped fall behind: by how much, only a look at the stream tells. */
  async #observeUnread(known: readonly number[]): Promise<void> {
    const unread = this.#partitions.filter(({ isRead, partition }) => !isRead && known.includes(partition));
    if (unread.length === 0) return;
    const { topic, isolation } = this.source;
    const numbers = unread.map(({ partition }) => partition);
    const starts = await this.#client.findOffsets(topic, numbers, 'earliest', isolation);
    const ends = await this.#client.findOffsets(topic, numbers, 'latest', isolation);
    const observedAtMs = this.#components.clock.nowMs();
    for (const each of unread)
      each.observe({
        endOffset: ends.get(each.partition)!,
        logStartOffset: starts.get(each.partition)!,
        observedAtMs,
      });
  }

  /** First into the shards, then into the metadata: whoever learns of a partition finds it. */
  async #addPartitions(
    numbers: readonly number[],
    offsets: ReadonlyMap<number, number>,
    streamId: string | null,
  ): Promise<void> {
    const { id: tableId } = this.definition;
    const entries = numbers.map((partition): PartitionEntry => {
      const committedEnd = offsets.get(partition)!;
      return {
        tableId,
        partition,
        definition: this.definition,
        committedEnd,
        streamId,
        paused: false,
        epoch: 0,
        maxTimeMs: null,
      };
    });
    const added = entries.map(entry => this.#newPartition(entry));
    await Promise.all(added.map(partition => partition.open()));
    await this.#components.controller.call('addPartitions', {
      tableId,
      partitions: entries.map(({ partition, committedEnd, streamId: id }) => ({
        ...{ partition, startOffset: committedEnd, streamId: id },
      })),
    });
    this.#partitions = [...this.#partitions, ...added];
    // The table may be paused: what comes later is so, too.
    const known = await this.#components.controller.call('partitions', null);
    for (const each of added)
      if (known.some(entry => entry.tableId === tableId && entry.partition === each.partition && entry.paused))
        await each.setPaused(true);
      else each.begin();
  }

  // ── what partitions ask ───────────────────────────────────────────────────────────────────────────────────

  readerOf(topicId: string | null): TopicReader {
    let reader = this.#readers.get(topicId);
    if (!reader) {
      const { topic, isolation } = this.source;
      reader = this.#client.openReader({
        ...{ topic, topicId, isolation, ...fetchLimits(this.#bufferSizeBytes) },
        account: this.#components.accounts?.account('streams'),
      });
      this.#readers.set(topicId, reader);
    }
    return reader;
  }

  async streamId(): Promise<string | null> {
    return (await this.#client.describeTopic(this.source.topic)).topicId;
  }

  async findOffset(partition: number, at: 'earliest' | 'latest' | number): Promise<number> {
    return (await this.#client.findOffsets(this.source.topic, [partition], at, this.source.isolation)).get(partition)!;
  }

  /** Each message at least once: what is read again after a crash is rejected again. */
  async reject(messages: MessageBatch, { rejects }: PipelineRows): Promise<void> {
    const { deadLetterTopic } = this.source;
    if (deadLetterTopic !== null)
      await this.#client.produce(
        deadLetterTopic,
        deadLettersOf(messages, rejects, this.definition.name, this.source.topic),
      );
    this.rejects.add(
      rejects.map(({ message, column, reason, text }) => ({
        ...{ partition: messages.partition, offset: messages.offsets[message]! },
        ...{ line: null, idempotencyKey: null, column, reason, text },
      })),
    );
  }

  async widen({ unknownFields }: PipelineRows): Promise<boolean> {
    if (this.source.unknownFields !== 'add') return false;
    const columns = Array.from(unknownFields, ([name, type]) => ({ name, type }));
    const { version } = this.definition;
    const definition = await this.#components.controller.call('addColumns', { tableId: this.definition.id, columns });
    if (definition.version > this.definition.version) this.#define(definition);
    return this.definition.version > version;
  }

  // ── what the operator asks for ────────────────────────────────────────────────────────────────────────────

  /** @throws FaultError NOT_FOUND */
  #chosen(number: number | null): readonly KafkaPartition[] {
    const chosen = this.#partitions.filter(({ partition }) => number === null || partition === number);
    if (number === null || chosen.length > 0) return chosen;
    throw fault('NOT_FOUND', `table ${this.definition.name} has no partition ${number}`, {
      hint: `it has ${this.#partitions.length} partitions, from 0 on`,
    });
  }

  async pause(partition: number | null, paused: boolean): Promise<void> {
    const chosen = this.#chosen(partition);
    await this.#components.controller.call('pause', { tableId: this.definition.id, partition, paused });
    await Promise.all(chosen.map(each => each.setPaused(paused)));
  }

  /** Partitions one after another: where one fails, those before it have moved, and the error says which failed. */
  async seek(number: number | null, to: SeekTarget): Promise<{ partition: number; offset: number }[]> {
    const chosen = this.#chosen(number);
    const numbers = chosen.map(({ partition }) => partition);
    const targets = await this.#offsetsAt(numbers, to);
    const moved: { partition: number; offset: number }[] = [];
    for (const each of chosen)
      moved.push({ partition: each.partition, offset: await each.seek(targets.get(each.partition)!) });
    return moved;
  }

  #offsetsAt(partitions: readonly number[], to: SeekTarget): Promise<ReadonlyMap<number, number>> {
    const { topic, isolation } = this.source;
    switch (to.kind) {
      case 'offset':
        return Promise.resolve(new Map(partitions.map(partition => [partition, to.offset])));
      case 'time':
        return this.#client.findOffsets(topic, partitions, to.timeMs, isolation);
      case 'beginning':
        return this.#client.findOffsets(topic, partitions, 'earliest', isolation);
      case 'end':
        return this.#client.findOffsets(topic, partitions, 'latest', isolation);
    }
  }

  async commit(number: number | null): Promise<number> {
    const counts = await Promise.all(this.#chosen(number).map(partition => partition.commit()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async tick(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.tick()));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#partitions.map(partition => partition.stop()));
    await this.#close();
  }

  async drop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#partitions.map(partition => partition.drop()));
    await this.#close();
    await this.#components.disk.remove(`${this.#logFolder}/${this.definition.id}`);
  }

  async #close(): Promise<void> {
    // Its readers end with it.
    await this.#client.close();
    await this.#polling;
    await this.rejects.close();
  }
}
