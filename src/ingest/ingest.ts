/**
 * The ingest role: owns the partitions of the embedded logs and of the streams that tables consume. Rows become visible
 * in the order of their offsets; segments are sealed and published behind them.
 */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { Handlers } from '../wire/call.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestCalls, IngestState, RejectEntry } from '../wire/ingest-calls.ts';
import { pause } from './backoff.ts';
import type { IngestComponents, TableComponents } from './components.ts';
import { DiskRoom } from './disk-room.ts';
import type { KafkaTable } from './kafka-table.ts';
import { LogTable } from './log-table.ts';
import { largestOf } from './rows.ts';
import { backoffMs, type IngestSettings, pendingSizeBytesMaxDefault, tickMsDefault } from './settings.ts';
import { type IngestTable, topicState } from './table.ts';

export interface Ingest extends Handlers<IngestCalls> {
  /** Opens every partition and replays the logs: rows acknowledged before are visible once this resolves. Called once. */
  start(): Promise<void>;
  /** Refuses further pushes, finishes those under way, closes the logs. What is not sealed is read from its source again. */
  stop(): Promise<void>;
}

/** Answers calls at once; until `start` has opened a table, its calls fail with UNAVAILABLE or UNKNOWN_TABLE. */
export function createIngest(settings: IngestSettings, components: IngestComponents): Ingest {
  return new IngestRole(settings, components);
}

const isLogTable = (table: LogTable | KafkaTable): table is LogTable => table.definition.source.kind === 'log';

class IngestRole implements Ingest {
  readonly #settings: IngestSettings;
  readonly #components: TableComponents;
  readonly #tables = new Map<string, LogTable | KafkaTable>();
  readonly #stopping = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();
  #ticking: Promise<void> = Promise.resolve();
  /** Tables that could not be opened, and why; tried again. */
  readonly #unopened = new Map<string, { readonly definition: TableDefinition; readonly cause: Fault }>();
  #openedAtMs = 0;
  #pendingSizeBytes = 0;
  #makingRoom: Promise<void> | null = null;
  readonly #diskRoom: DiskRoom;

  constructor(settings: IngestSettings, components: IngestComponents) {
    this.#settings = settings;
    const { segmentSizeBytesMax = Number.POSITIVE_INFINITY } = settings;
    this.#components = { ...components, segmentSizeBytesMax, makeRoom: () => this.#makeRoom() };
    this.#diskRoom = new DiskRoom(settings.logFolder, components.disk, components.log);
  }

  async start(): Promise<void> {
    await this.#components.disk.makeFolder(this.#settings.logFolder);
    await this.#diskRoom.look();
    await this.#refresh();
    this.#ticking = this.#tickForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ticking;
    await this.#refreshing.catch(() => {});
    await Promise.all(Array.from(this.#tables.values(), table => table.stop()));
  }

  readonly push: Ingest['push'] = async input =>
    this.#logTable(input.tableId).push(input, work => this.#admit(input.body.length, work));

  readonly insert: Ingest['insert'] = async ({ tableId, columnIds, frame }) => {
    const table = this.#logTable(tableId);
    return this.#admit(frame.length, async () => ({ inserted: await table.insert(columnIds, frame) }));
  };

  readonly refresh: Ingest['refresh'] = async () => {
    await this.#refresh();
    return null;
  };

  readonly commit: Ingest['commit'] = async ({ tableId, partition = null }) => ({
    segments: await this.#table(tableId).commit(partition),
  });

  readonly pause: Ingest['pause'] = async ({ tableId, partition }) => {
    await this.#kafkaTable(tableId).pause(partition, true);
    return null;
  };

  readonly resume: Ingest['resume'] = async ({ tableId, partition }) => {
    await this.#kafkaTable(tableId).pause(partition, false);
    return null;
  };

  readonly seek: Ingest['seek'] = async ({ tableId, partition, to }) => ({
    partitions: await this.#kafkaTable(tableId).seek(partition, to),
  });

  readonly state: Ingest['state'] = (): readonly IngestState[] => [
    ...Array.from(this.#tables.values()).flatMap(table => table.states.map(state => this.#withShortage(state))),
    ...Array.from(this.#unopened.values(), ({ definition, cause }) =>
      topicState(definition, cause, this.#components.clock.nowMs()),
    ),
  ];

  readonly rejects: Ingest['rejects'] = async ({ tableId }) => {
    const tables = tableId === null ? [...this.#tables.values()] : [this.#table(tableId)];
    const entries = await Promise.all(
      tables.map(
        async ({ definition, rejects }): Promise<RejectEntry[]> =>
          (await rejects.read()).map(entry => ({ table: definition.name, ...entry })),
      ),
    );
    return entries.flat();
  };

  /** A partition that rows are pushed into takes none while the disk has no room for them. */
  #withShortage(state: IngestState): IngestState {
    const { shortage } = this.#diskRoom;
    if (shortage === null || state.source !== 'log' || state.freshness.state === 'failed') return state;
    const { message: cause } = shortage;
    return { ...state, freshness: { ...state.freshness, state: 'failed', cause }, lastFault: shortage };
  }

  #table(tableId: string): LogTable | KafkaTable {
    if (this.#stopping.signal.aborted)
      throw fault('SHUTTING_DOWN', 'ingestion is shutting down', { hint: 'send the rows again once it is up' });
    const table = this.#tables.get(tableId);
    if (!table)
      throw fault('UNKNOWN_TABLE', `no table with id ${tableId} is ingested here`, {
        hint: 'it was dropped, or is being created',
      });
    return table;
  }

  #logTable(tableId: string): LogTable {
    const table = this.#table(tableId);
    if (isLogTable(table)) return table;
    throw fault('UNSUPPORTED', `table ${table.definition.name} takes its rows from Kafka: none can be pushed`, {
      hint: 'produce them to its topic, or make another table FROM LOG',
    });
  }

  #kafkaTable(tableId: string): KafkaTable {
    const table = this.#table(tableId);
    if (!isLogTable(table)) return table;
    throw fault(
      'UNSUPPORTED',
      `table ${table.definition.name} is fed by pushes: there is no stream to pause or move in`,
      {
        hint: 'stop pushing, or COMMIT INGESTION to seal what is there',
      },
    );
  }

  /** @throws FaultError DISK_FULL; UNAVAILABLE when too much waits already; a push alone is always taken */
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
    this.#diskRoom.admit(sizeBytes);
    this.#pendingSizeBytes += sizeBytes;
    try {
      return await work();
    } finally {
      this.#pendingSizeBytes -= sizeBytes;
    }
  }

  /** Once for all who ask meanwhile. */
  #makeRoom(): Promise<void> {
    this.#makingRoom ??= this.#publishLargest().finally(() => {
      this.#makingRoom = null;
    });
    return this.#makingRoom;
  }

  async #publishLargest(): Promise<void> {
    // A failure shows where the partition shows its own; who waits for room asks again.
    await largestOf(Array.from(this.#tables.values(), table => table.largest))
      ?.commit()
      .catch(() => {});
  }

  /** One after another: two could open one partition twice. */
  #refresh(): Promise<void> {
    const refreshed = this.#refreshing.catch(() => {}).then(() => this.#refreshNow());
    this.#refreshing = refreshed;
    return refreshed;
  }

  async #refreshNow(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { controller } = this.#components;
    const { tables } = await controller.call('catalog', null);
    const entries = await controller.call('partitions', null);
    const ofTable = (id: string): readonly PartitionEntry[] => entries.filter(({ tableId }) => tableId === id);
    await Promise.all(
      tables.map(async definition => {
        try {
          const table = await this.#tableOf(definition);
          this.#unopened.delete(definition.id);
          await table.follow(definition, ofTable(definition.id));
        } catch (error) {
          if (definition.source.kind === 'log') throw error;
          // One table must not keep the others from their rows.
          this.#unopened.set(definition.id, { definition, cause: toFault(error) });
          this.#components.log.error('a table cannot be ingested', {
            table: definition.name,
            cause: toFault(error).message,
          });
        }
      }),
    );
    this.#openedAtMs = this.#components.clock.monotonicMs();
    for (const tableId of this.#unopened.keys())
      if (!tables.some(({ id }) => id === tableId)) this.#unopened.delete(tableId);
    for (const [tableId, table] of this.#tables)
      if (!tables.some(({ id }) => id === tableId)) await this.#dropTable(table);
  }

  async #tableOf(definition: TableDefinition): Promise<IngestTable> {
    const { id, source } = definition;
    const known = this.#tables.get(id);
    if (known) return known;
    let table: LogTable | KafkaTable;
    if (source.kind === 'log') table = new LogTable(definition, this.#settings, this.#components);
    else {
      // The code of streams, and of SQL for their transforms: only where it is needed, for it takes a moment to load.
      const { KafkaTable } = await import('./kafka-table.ts');
      table = await KafkaTable.open(definition, source, this.#settings, this.#components);
    }
    this.#tables.set(id, table);
    return table;
  }

  /** A table that is gone from the metadata; a folder of one that this process never knew is left where it is. */
  async #dropTable(table: LogTable | KafkaTable): Promise<void> {
    const { id, name } = table.definition;
    this.#tables.delete(id);
    await table.drop();
    this.#components.log.info('a dropped table is ingested no more', { table: name, tableId: id });
  }

  async #tickForEver(): Promise<void> {
    const { clock, log } = this.#components;
    const { tickMs = tickMsDefault } = this.#settings;
    while (await pause(clock, tickMs, this.#stopping.signal)) {
      try {
        await this.#diskRoom.look();
        await Promise.all(Array.from(this.#tables.values(), table => table.tick()));
        if (this.#unopened.size > 0 && clock.monotonicMs() - this.#openedAtMs > backoffMs.longest) void this.#refresh();
      } catch (error) {
        log.error('looking after the partitions failed', { cause: toFault(error).message });
      }
    }
  }
}
