/** Roles in this process, behind the real calls: a broker that answers statements from a list, tables in memory. */
import { type FaultError, fault } from '../../../src/base/fault.ts';
import { type Random, silentLog } from '../../../src/base/seams.ts';
import { systemClock } from '../../../src/base/system.ts';
import { changeTable } from '../../../src/catalog/change.ts';
import type { SegmentEntry, TableDefinition } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { batchOf } from '../../../src/column/builder.ts';
import { encodeBatch } from '../../../src/column/frame.ts';
import { INT, type Type, type Value } from '../../../src/column/type.ts';
import type { HttpComponents, HttpSettings } from '../../../src/http/server.ts';
import { createHttpServer, httpDefaults } from '../../../src/http/server.ts';
import type {
  BrokerCalls,
  QueryRequest,
  QueryStats,
  QueryTrailer,
  RunningQuery,
} from '../../../src/wire/broker-calls.ts';
import type { Handlers } from '../../../src/wire/call.ts';
import type { MemberCalls } from '../../../src/wire/cluster-calls.ts';
import type { ControllerCalls } from '../../../src/wire/controller-calls.ts';
import type { IngestCalls, IngestState, PushAnswer } from '../../../src/wire/ingest-calls.ts';
import type { LoadCalls, LoadRequest, LoadStatus } from '../../../src/wire/load-calls.ts';
import { local } from '../../../src/wire/local.ts';

export interface Scripted {
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
  /** Each a frame; a fault ends the stream; a function is awaited (with the query's signal). */
  readonly parts: readonly (readonly (readonly Value[])[] | FaultError | ((signal: AbortSignal) => Promise<void>))[];
  readonly complete?: boolean;
}

export const stats: QueryStats = {
  rowsScanned: 10,
  rowsMatched: 5,
  rowsReturned: 2,
  blocksScanned: 1,
  blocksPruned: 0,
  segmentsExpected: 1,
  segmentsAnswered: 1,
  segmentsScanned: 1,
  segmentsPruned: 0,
  memoryPeakBytes: 1024,
  filters: {},
  parseMs: 0.1,
  planMs: 0.2,
  pinMs: 0.3,
  runMs: 0.4,
  totalMs: 1,
};

const refuse = (): never => {
  throw fault('UNSUPPORTED', 'not in this test');
};

export const runningLoad: LoadStatus = {
  ...{ id: 'feedfeedfeedfeed', table: 'flights', key: 'k', sequence: null, loadsBelow: 1, state: 'running' },
  inputs: [{ kind: 'path', location: '/in/real.csv', name: '/in/a.csv', sizeBytes: 100, fingerprint: '1-2' }],
  replace: { fromMs: 0, toMs: 86_400_000 },
  ...{ bytesRead: 40, bytesTotal: 100, rowsRead: 4, rowsLoaded: 2, rowsRejected: 1 },
  rejects: [{ file: '/in/a.csv', line: 3, column: 'x', reason: 'is no number' }],
  ...{ createdAtMs: 1_000, finishedAtMs: null, error: null },
};

export const selectOne: Scripted = { columns: [{ name: 'one', type: INT }], parts: [[[1]]] };

export const countingRandom = (): Random => {
  let count = 0;
  return { next: () => 0.5, hex: digits => (++count).toString(16).padStart(digits, '0') };
};

export function createRoles() {
  const answers = new Map<string, Scripted | FaultError>([['SELECT 1', selectOne]]);
  const opened: QueryRequest[] = [];
  const cancelled: string[] = [];
  const running = new Map<string, { request: QueryRequest; abort: AbortController }>();
  const tables: TableDefinition[] = [];
  const segments = new Map<string, SegmentEntry[]>();
  const pushes: IngestCalls['push']['in'][] = [];
  const leases = new Set<string>();
  /** Calls that steer ingestion, in order. */
  const steered: { readonly action: string; readonly input: object }[] = [];
  const steer = <T>(action: string, input: object, answer: T): T => {
    steered.push({ action, input });
    return answer;
  };
  const state = {
    ingestion: [] as IngestState[],
    pushAnswer: { accepted: 1, rejected: 0, rejects: [], duplicate: false } as PushAnswer | FaultError,
    /** As it is when it is asked for, and afterwards. */
    started: runningLoad as LoadStatus | FaultError,
    load: runningLoad,
    /** What was asked for. */
    loads: [] as LoadRequest[],
    uploads: [] as LoadCalls['putUpload']['in'][],
  };

  async function* fetchFrames(queryId: string, outer: AbortSignal): AsyncGenerator<Uint8Array, QueryTrailer, void> {
    const { request, abort } = running.get(queryId)!;
    const signal = AbortSignal.any([outer, abort.signal]);
    try {
      const { columns, parts, complete = true } = answers.get(request.sql) as Scripted;
      for (const part of parts) {
        if (typeof part === 'function') await part(signal);
        else if (part instanceof Error) throw part;
        else
          yield encodeBatch(
            batchOf(
              columns.map(({ type }) => type),
              part,
            ),
          );
      }
      return { complete, missing: complete ? [] : ['segment-7'], stats, freshness: {} };
    } finally {
      running.delete(queryId);
    }
  }

  const members = local<MemberCalls>({ members: () => [] } as unknown as Handlers<MemberCalls>);
  const broker = local<BrokerCalls>({
    async open(request) {
      opened.push(request);
      const answer = answers.get(request.sql);
      if (answer === undefined)
        throw fault('UNKNOWN_COLUMN', 'unknown column mercant', {
          position: { line: 1, column: 8, offset: 7 },
          hint: 'did you mean merchant?',
        });
      if (answer instanceof Error) throw answer;
      running.set(request.queryId, { request, abort: new AbortController() });
      return { columns: answer.columns };
    },
    fetch: ({ queryId }, { signal }) => fetchFrames(queryId, signal),
    async cancel({ queryId }) {
      const query = running.get(queryId);
      query?.abort.abort(fault('CANCELLED', 'the query was cancelled'));
      running.delete(queryId);
      cancelled.push(queryId);
      return { cancelled: query !== undefined };
    },
    createTable: input => controller.call('createTable', input),
    async alterTable({ table: name, changes }) {
      const index = tables.findIndex(table => table.name === name);
      tables[index] = changeTable(tables[index]!, changes);
      return tables[index]!;
    },
    async queries() {
      return [...running.values()].map(
        ({ request }): RunningQuery => ({
          queryId: request.queryId,
          sql: request.sql,
          state: 'running',
          startedAtMs: 0,
          elapsedMs: 0,
          rowsReturned: 0,
          rowsScanned: 0,
          identity: request.identity,
          error: null,
        }),
      );
    },
  });

  const controller = local<ControllerCalls>({
    catalog: () => ({ version: 1, tables, partitionCounts: Object.fromEntries(tables.map(({ id }) => [id, 1])) }),
    createTable({ definition, ifNotExists }) {
      const existing = tables.find(table => table.name === definition.name);
      if (existing && ifNotExists) return existing;
      if (existing) throw fault('TABLE_EXISTS', `table ${definition.name} exists`);
      const table = defineTable(definition, { id: String(tables.length + 1).padStart(12, '0'), createdAtMs: 1000 });
      tables.push(table);
      return table;
    },
    dropTable({ name }) {
      const index = tables.findIndex(table => table.name === name);
      if (index >= 0) tables.splice(index, 1);
      return { dropped: index >= 0 };
    },
    snapshot({ leaseId, tableIds }) {
      leases.add(leaseId);
      return {
        version: 1,
        quarantine: [],
        tables: tables
          .filter(({ id }) => tableIds.includes(id))
          .map(definition => ({
            definition,
            segments: segments.get(definition.id) ?? [],
            replacements: [],
            committedEnds: [10],
            epochs: [0],
            streamIds: [null],
          })),
      };
    },
    release({ leaseId }) {
      leases.delete(leaseId);
      return null;
    },
    quarantine: () => [],
    reportCorrupt: () => null,
    dropSegment: () => ({ rowCount: 10 }),
    notices: () => [],
    publish: () => ({ version: 2 }),
    partitions: () => [],
    addPartitions: () => null,
    pause: () => null,
    seek: ({ offset }) => ({ committedEnd: offset, segmentsDropped: 0 }),
    addColumns: ({ tableId }) => tables.find(({ id }) => id === tableId)!,
    audit: () => [],
    alterTable: () => null,
    tasks: () => [],
    cancelTask: ({ taskId }) => ({ cancelled: taskId === 'task-1' }),
    startLoad: refuse,
    loads: () => [],
    cancelLoad: refuse,
    stageSegment: () => null,
    loadProgress: () => null,
  });

  const stateOf = (uploadId: string) => {
    const parts = state.uploads.filter(part => part.uploadId === uploadId);
    const receivedBytes = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { receivedBytes, isWhole: receivedBytes === parts[0]?.totalBytes };
  };

  const loads = local<LoadCalls>({
    async start(request) {
      state.loads.push(request);
      if (state.started instanceof Error) throw state.started;
      return { load: state.started, created: null, notes: ['a guess'] };
    },
    propose: async () => ({ statement: 'CREATE TABLE …', notes: [], rowCount: 3 }),
    list: async () => [],
    get: async ({ loadId }) => {
      if (loadId !== state.load.id) throw fault('NOT_FOUND', `there is no load ${loadId}`);
      return state.load;
    },
    cancel: refuse,
    uploadState: async ({ uploadId }) => stateOf(uploadId),
    putUpload: async ({ uploadId, offset, totalBytes, bytes }) => {
      state.uploads.push({ uploadId, offset, totalBytes, bytes: bytes.slice() });
      return stateOf(uploadId);
    },
  });

  const ingest = local<IngestCalls>({
    async push(input) {
      pushes.push({ ...input, body: input.body.slice() });
      if (state.pushAnswer instanceof Error) throw state.pushAnswer;
      return state.pushAnswer;
    },
    insert: () => ({ inserted: 0 }),
    refresh: () => null,
    commit: input => steer('commit', input, { segments: 2 }),
    pause: input => steer('pause', input, null),
    resume: input => steer('resume', input, null),
    seek: input => steer('seek', input, { partitions: [{ partition: input.partition ?? 0, offset: 7 }] }),
    state: () => state.ingestion,
    rejects: () => [],
  });

  const components: HttpComponents = {
    broker,
    controller,
    ingest,
    loads,
    members,
    clock: systemClock,
    random: countingRandom(),
    log: silentLog,
  };
  return {
    components,
    answers,
    opened,
    cancelled,
    running,
    tables,
    segments,
    pushes,
    leases,
    steered,
    state,
  };
}

/** A server on a free port, and how to stop it. */
export async function startServer(settings: Partial<HttpSettings> = {}, replaced: Partial<HttpComponents> = {}) {
  const roles = createRoles();
  const server = await createHttpServer(
    { ...httpDefaults, port: 0, ...settings },
    { ...roles.components, ...replaced },
  );
  const { url, port } = await server.listen();
  const sql = (text: string, headers: Record<string, string> = {}, rest: object = {}, signal?: AbortSignal) =>
    fetch(`${url}/v1/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ sql: text, ...rest }),
      signal: signal ?? null,
    });
  return { ...roles, server, url, port, sql };
}
