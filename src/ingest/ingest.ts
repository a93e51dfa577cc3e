/**
 * The ingest role: owns the partitions of the embedded logs. A push is decoded once, made durable, made visible, and only
 * then acknowledged; segments are sealed and published behind it.
 */

import { crc32c } from '../base/checksum.ts';
import { type FaultError, fault, toFault } from '../base/fault.ts';
import { partitionShard } from '../catalog/placement.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { encodeBatch } from '../column/frame.ts';
import { decodeRows } from '../format/decode.ts';
import type { Decoded } from '../format/target.ts';
import { checkKey } from '../stream/keys.ts';
import { RejectLog } from '../stream/rejects.ts';
import type { Handlers } from '../wire/call.ts';
import type { IngestCalls, IngestState, PushAnswer } from '../wire/calls.ts';
import { pause } from './backoff.ts';
import type { IngestComponents } from './components.ts';
import { maxEventTimeMs } from './event-time.ts';
import { recordOfInsert } from './insert.ts';
import { Partition } from './partition.ts';
import { type IngestSettings, pendingSizeBytesMaxDefault, rejectsAnsweredMax, tickMsDefault } from './settings.ts';

export interface Ingest extends Handlers<IngestCalls> {
  /** Opens every partition and replays its log: rows acknowledged before are visible once this resolves. Called once. */
  start(): Promise<void>;
  /** Refuses further pushes, finishes those under way, closes the logs. What is not sealed stays in them. */
  stop(): Promise<void>;
}

/** Answers calls at once; until `start` has opened a table, its calls fail with UNAVAILABLE or UNKNOWN_TABLE. */
export function createIngest(settings: IngestSettings, components: IngestComponents): Ingest {
  return new LogIngest(settings, components);
}

interface Table {
  readonly definition: TableDefinition;
  readonly partitions: Partition[];
  readonly rejects: RejectLog;
  /** Pushes under way by key: one that comes again meanwhile waits for the first. */
  readonly pushes: Map<string, Promise<PushAnswer>>;
}

class LogIngest implements Ingest {
  readonly #settings: IngestSettings;
  readonly #components: IngestComponents;
  readonly #tables = new Map<string, Table>();
  readonly #stopping = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();
  #ticking: Promise<void> = Promise.resolve();
  #pendingSizeBytes = 0;
  #nextPartition = 0;

  constructor(settings: IngestSettings, components: IngestComponents) {
    this.#settings = settings;
    this.#components = components;
  }

  async start(): Promise<void> {
    await this.#refresh();
    this.#ticking = this.#tickForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ticking;
    await this.#refreshing.catch(() => {});
    await Promise.all(this.#partitions.map(partition => partition.stop()));
    await Promise.all([...this.#tables.values()].map(({ rejects }) => rejects.close()));
  }

  get #partitions(): Partition[] {
    return [...this.#tables.values()].flatMap(({ partitions }) => partitions);
  }

  readonly push: Ingest['push'] = async input => {
    const table = this.#table(input.tableId);
    const { idempotencyKey: key } = input;
    if (key === null) return this.#admit(input.body.length, () => this.#push(table, input));
    checkKey(key);
    for (;;) {
      const first = table.pushes.get(key);
      if (!first) break;
      const answer = await first.catch(() => null);
      // Where the first failed, this one is it.
      if (answer) return { ...answer, rejects: [], duplicate: true };
    }
    const pushing = this.#admit(input.body.length, () => this.#push(table, input));
    table.pushes.set(key, pushing);
    try {
      return await pushing;
    } finally {
      table.pushes.delete(key);
    }
  };

  async #push(table: Table, { format, body, strict, idempotencyKey }: IngestCalls['push']['in']): Promise<PushAnswer> {
    const { definition } = table;
    const partition = this.#choose(table, idempotencyKey);
    const known = idempotencyKey === null ? null : partition.findKey(idempotencyKey);
    if (known) return { accepted: known.accepted, rejected: known.rejected, rejects: [], duplicate: true };
    const decoded = decodeRows(format, body, definition);
    if (strict && decoded.rejected > 0) throw invalidRows(decoded);
    const { accepted, rejected, batch } = decoded;
    const columnIds = definition.columns.map(column => column.id);
    // A push of no rows is remembered for its key only.
    if (accepted > 0 || idempotencyKey !== null)
      await partition.append({
        rowCount: accepted,
        rejectedCount: rejected,
        idempotencyKey,
        tableVersion: definition.version,
        maxTimeMs: maxEventTimeMs(definition, columnIds, batch),
        columnIds,
        frame: encodeBatch(batch),
      });
    else partition.countRejected(rejected);
    table.rejects.add(decoded.rejects, idempotencyKey);
    return { accepted, rejected, rejects: answerRejects(decoded), duplicate: false };
  }

  readonly insert: Ingest['insert'] = async ({ tableId, columnIds, frame }) => {
    const table = this.#table(tableId);
    return this.#admit(frame.length, async () => {
      const record = recordOfInsert(table.definition, columnIds, frame);
      if (record.rowCount > 0) await this.#choose(table, null).append(record);
      return { inserted: record.rowCount };
    });
  };

  readonly refresh: Ingest['refresh'] = async () => {
    await this.#refresh();
    return null;
  };

  readonly commit: Ingest['commit'] = async ({ tableId }) => {
    const counts = await Promise.all(this.#table(tableId).partitions.map(partition => partition.commit()));
    return { segments: counts.reduce((sum, count) => sum + count, 0) };
  };

  readonly state: Ingest['state'] = (): readonly IngestState[] => this.#partitions.map(partition => partition.state);

  #table(tableId: string): Table {
    if (this.#stopping.signal.aborted)
      throw fault('SHUTTING_DOWN', 'ingestion is shutting down', { hint: 'send the rows again once it is up' });
    const table = this.#tables.get(tableId);
    if (!table)
      throw fault('UNKNOWN_TABLE', `no table with id ${tableId} is ingested here`, {
        hint: 'it was dropped, or is being created',
      });
    return table;
  }

  /** A key's pushes go to one partition, which remembers it; others take turns. */
  #choose({ partitions }: Table, idempotencyKey: string | null): Partition {
    const number = idempotencyKey === null ? this.#nextPartition++ : crc32c(Buffer.from(idempotencyKey));
    return partitions[number % partitions.length]!;
  }

  /** @throws FaultError UNAVAILABLE when too much waits already; a push alone is always taken */
  async #admit<T>(sizeBytes: number, work: () => Promise<T>): Promise<T> {
    const { pendingSizeBytesMax = pendingSizeBytesMaxDefault } = this.#settings;
    if (this.#pendingSizeBytes > 0 && this.#pendingSizeBytes + sizeBytes > pendingSizeBytesMax)
      throw fault(
        'UNAVAILABLE',
        `pushes of ${this.#pendingSizeBytes} bytes wait for the disk already, of at most ${pendingSizeBytesMax}`,
        {
          hint: 'send the rows again in a moment, and fewer at a time',
        },
      );
    this.#pendingSizeBytes += sizeBytes;
    try {
      return await work();
    } finally {
      this.#pendingSizeBytes -= sizeBytes;
    }
  }

  /** One after another: two could open one partition twice. */
  #refresh(): Promise<void> {
    const refreshed = this.#refreshing.catch(() => {}).then(() => this.#refreshNow());
    this.#refreshing = refreshed;
    return refreshed;
  }

  async #refreshNow(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { controller, shards } = this.#components;
    const known = await controller.call('partitions', null);
    const opened: Promise<void>[] = [];
    for (const { tableId, partition: number, definition, committedEnd } of known) {
      const table = this.#tables.get(tableId) ?? this.#addTable(definition);
      if (table.partitions.some(({ partition }) => partition === number)) continue;
      // Any pure function will do, as long as a partition has one owner.
      const shard = partitionShard(tableId, number, shards.length);
      const partition = new Partition(definition, number, committedEnd, shard, this.#settings, this.#components);
      table.partitions.push(partition);
      opened.push(partition.start());
    }
    await Promise.all(opened);
    for (const tableId of this.#tables.keys())
      if (!known.some(each => each.tableId === tableId)) await this.#dropTable(tableId);
  }

  #addTable(definition: TableDefinition): Table {
    const rejects = new RejectLog(`${this.#settings.logFolder}/${definition.id}`, this.#components);
    const table: Table = { definition, partitions: [], rejects, pushes: new Map() };
    this.#tables.set(definition.id, table);
    return table;
  }

  /** A table that is gone from the metadata; a folder of one that this process never knew is left where it is. */
  async #dropTable(tableId: string): Promise<void> {
    const { disk, log } = this.#components;
    const { definition, partitions, rejects } = this.#tables.get(tableId)!;
    this.#tables.delete(tableId);
    await Promise.all(partitions.map(partition => partition.drop()));
    await rejects.close();
    await disk.remove(`${this.#settings.logFolder}/${tableId}`);
    await disk.syncFolder(this.#settings.logFolder);
    log.info('removed the log of a dropped table', { table: definition.name, tableId });
  }

  async #tickForEver(): Promise<void> {
    const { clock, log } = this.#components;
    const { tickMs = tickMsDefault } = this.#settings;
    while (await pause(clock, tickMs, this.#stopping.signal)) {
      try {
        await Promise.all(this.#partitions.map(partition => partition.tick()));
      } catch (error) {
        log.error('looking after the partitions failed', { cause: toFault(error).message });
      }
    }
  }
}

const answerRejects = ({ rejects }: Decoded): PushAnswer['rejects'] =>
  rejects.slice(0, rejectsAnsweredMax).map(({ line, column, reason }) => ({ line, column, reason }));

function invalidRows(decoded: Decoded): FaultError {
  const rejects = answerRejects(decoded).map(
    ({ line, column, reason }) => `line ${line}${column === null ? '' : `, column ${column}`}: ${reason}`,
  );
  const { rejected, accepted } = decoded;
  return fault(
    'INVALID_ROWS',
    `${rejected} of ${rejected + accepted} rows do not fit; nothing was added. ${rejects[0]}`,
    {
      hint: 'correct them, or send without strict=true to add the others',
      details: { rejected, rejects },
    },
  );
}
