/**
 * Ingestion with its real neighbours in one thread: controller on SQLite, shards, builder, deep store; and a machine whose
 * power can be cut. Metadata and deep store survive, as they are durable on their own.
 */
import { tableFromIPC } from 'apache-arrow';
import { FaultError } from '../../../src/base/fault.ts';
import { type Clock, silentLog } from '../../../src/base/seams.ts';
import { systemClock } from '../../../src/base/system.ts';
import type { TableDefinition, TableDefinitionRequest } from '../../../src/catalog/table.ts';
import { LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import { createController } from '../../../src/controller/controller.ts';
import { controllerDefaults } from '../../../src/controller/settings.ts';
import { createBuilder } from '../../../src/ingest/builder.ts';
import { createIngest, type Ingest } from '../../../src/ingest/ingest.ts';
import type { IngestSettings } from '../../../src/ingest/settings.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import { createShard } from '../../../src/shard/shard.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { BuilderCalls } from '../../../src/wire/builder-calls.ts';
import type { Client } from '../../../src/wire/call.ts';
import type { ControllerCalls } from '../../../src/wire/controller-calls.ts';
import type { IngestCalls, IngestState } from '../../../src/wire/ingest-calls.ts';
import { local } from '../../../src/wire/local.ts';
import type { ShardCalls } from '../../../src/wire/shard-calls.ts';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { noStreams } from '../../support/no-streams.ts';
import { noTasks } from '../../support/no-tasks.ts';
import { seededRandom } from '../../support/random.ts';

/** A hundred times as fast as the wall's. */
export const fastClock: Clock = {
  nowMs: () => 1_700_000_000_000 + performance.now() * 100,
  monotonicMs: () => performance.now() * 100,
  sleep: (delayMs, signal) => systemClock.sleep(delayMs / 100, signal),
};

/** Asked before a call; throws what the call should fail with. After one that `breaksAfter`, the answer is lost. */
export interface Calls {
  before(name: string): Promise<void> | void;
  after(name: string): Promise<void> | void;
}

const quiet: Calls = { before() {}, after() {} };

export interface Life {
  readonly ingest: Ingest;
  readonly client: Client<IngestCalls>;
  readonly controller: Client<ControllerCalls>;
  readonly shards: readonly Client<ShardCalls>[];
  push(
    text: string,
    options?: { key?: string; strict?: boolean; format?: 'ndjson' | 'csv' | 'json' },
  ): ReturnType<Push>;
  state(): Promise<IngestState>;
  /** Rows that a query would see in the shard: [start, end). */
  pinned(): Promise<readonly [number, number]>;
}

type Push = (input: IngestCalls['push']['in']) => Promise<IngestCalls['push']['out']>;

const request = (settings: TableDefinitionRequest['settings']): TableDefinitionRequest => ({
  name: 'events',
  columns: [
    { name: 'id', type: LONG, nullable: false },
    { name: 'ts', type: TIMESTAMP, nullable: true },
    { name: 'name', type: STRING, nullable: true },
  ],
  timeColumn: 'ts',
  indexes: [{ column: 'name', kind: 'inverted' }],
  settings,
});

export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    error => (error instanceof FaultError ? error.fault.code : String(error)),
  );

export async function openWorld(tableSettings: TableDefinitionRequest['settings'] = {}, seed = 1) {
  const random = seededRandom(seed);
  const clock = fastClock;
  const store = new MemoryStore();
  const meta = await openSqliteMeta(':memory:');
  let disk = new FaultDisk(random);
  const world = () => ({ clock, random, log: silentLog, disk });
  let ingest: Ingest | null = null;
  const controllerRole = await createController(
    { ...controllerDefaults, mergeIntervalMs: null },
    {
      ...world(),
      meta,
      store,
      tasks: noTasks,
      listeners: {
        catalogChanged: async () => {
          await ingest?.refresh(null, { signal: new AbortController().signal });
        },
        segmentsGone: async () => {},
      },
    },
  );
  const realController = local<ControllerCalls>(controllerRole);
  const definition: TableDefinition = await realController.call('createTable', {
    definition: request(tableSettings),
    ifNotExists: false,
  });
  const tableId = definition.id;

  const through = <C extends object>(client: C, calls: () => Calls): C => {
    const { call } = client as { call(name: string, input: unknown, options?: unknown): Promise<unknown> };
    return {
      ...client,
      async call(name: string, input: unknown, options?: unknown) {
        await calls().before(name);
        const output = await call(name, input, options);
        await calls().after(name);
        return output;
      },
    };
  };

  return {
    definition,
    store,
    random,
    controller: realController,
    get disk() {
      return disk;
    },
    /** What stands between ingestion and its neighbours. */
    calls: quiet,

    async start(settings: Partial<IngestSettings> = {}): Promise<Life> {
      const calls = (): Calls => this.calls;
      const shardRole = createShard({ shard: 0, arenaBytes: 64 << 20 }, { ...world(), files: store, peers: [] });
      const shards = [through(local<ShardCalls>(shardRole), calls)];
      const controller = through(realController, calls);
      const builder = through(local<BuilderCalls>(createBuilder({}, { ...world(), store, shards })), calls);
      const started = createIngest(
        { logFolder: '/data/log', ...settings },
        { ...world(), ...noStreams, controller, shards, builder },
      );
      ingest = started;
      await started.start();
      const client = local<IngestCalls>(started);
      let leases = 0;
      return {
        ingest: started,
        client,
        controller,
        shards,
        push: (text, { key, strict, format } = {}) =>
          client.call('push', {
            tableId,
            format: format ?? 'ndjson',
            body: new TextEncoder().encode(text),
            strict: strict ?? false,
            idempotencyKey: key ?? null,
          }),
        state: async () => (await client.call('state', null))[0]!,
        async pinned() {
          const leaseId = `lease ${leases++}`;
          const { startOffset, endOffset } = await local<ShardCalls>(shardRole).call('pin', {
            leaseId,
            tableId,
            partition: 0,
          });
          await local<ShardCalls>(shardRole).call('release', { leaseId });
          return [startOffset, endOffset];
        },
      };
    },

    /** The machine goes dark: what was not synced may be gone. The process is told nothing. */
    powerCut(): void {
      disk = disk.restart();
    },

    kill(): void {
      disk = disk.reopen();
    },

    async published() {
      const { tables } = await realController.call('snapshot', { leaseId: 'test', tableIds: [tableId] });
      await realController.call('release', { leaseId: 'test' });
      const { segments, committedEnds } = tables[0]!;
      return { segments: [...segments].sort((a, b) => a.startOffset - b.startOffset), committedEnd: committedEnds[0]! };
    },

    /** Ids of all published rows in the order of their offsets, as an Arrow reader that is not ours finds them. */
    async publishedIds(): Promise<number[]> {
      const ids: number[] = [];
      for (const { id, startOffset, endOffset } of (await this.published()).segments) {
        const table = tableFromIPC(await storedBytes(store, `${tableId}/${id}/columns.arrow`));
        const offsets = table.getChild('$offset')!;
        const values = table.getChild('id')!;
        for (let row = 0; row < table.numRows; row++) ids[Number(offsets.get(row))] = Number(values.get(row));
        if (table.numRows !== endOffset - startOffset) throw new Error(`segment ${id} has ${table.numRows} rows`);
      }
      return ids;
    },

    async close(): Promise<void> {
      await controllerRole.stop();
      await meta.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

async function storedBytes(store: MemoryStore, key: string): Promise<Uint8Array> {
  return store.objects.get(key) ?? Promise.reject(new Error(`no ${key}`));
}

/** NDJSON of rows with these ids. */
export const rowsText = (ids: readonly number[]): string =>
  ids.map(id => `{"id":${id},"ts":${1_700_000_000_000 + id},"name":"n${id % 7}"}\n`).join('');

export const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);
