/**
 * The broker role: text → statement → plan → pinned snapshot → scatter → answer. No state but the queries that run now
 * and the last ones that did.
 */
import { fault, toFault } from '../base/fault.ts';
import type { Clock, Log } from '../base/seams.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { frameRowCount } from '../column/frame.ts';
import type { QueryPlan } from '../plan/node.ts';
import { bindStatement } from '../sql/bind.ts';
import { settleDefinition } from '../sql/bind-transform.ts';
import type { BoundStatement } from '../sql/bound.ts';
import { parseStatement } from '../sql/parse.ts';
import { redactSecrets } from '../sql/redact.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type {
  BrokerCalls,
  CatalogState,
  ControllerCalls,
  IngestCalls,
  QueryRequest,
  QueryStats,
  QueryTrailer,
  ResultColumn,
  RunningQuery,
  ServerCalls,
} from '../wire/calls.ts';
import { Admission } from './admission.ts';
import { Deadlines } from './deadlines.ts';
import { explainWithPruning } from './explain.ts';
import { IngestWatch } from './ingest-watch.ts';
import { finishedQueriesMax } from './limits.ts';
import { emptyStats, runPlan } from './select.ts';
import { openSnapshot } from './snapshot.ts';
import {
  commandColumns,
  commandFrame,
  describeColumns,
  describeFrame,
  linesColumn,
  linesFrame,
  runCommand,
} from './statement.ts';
import type { SystemSources } from './system-source.ts';
import { systemTableFrame, systemTables } from './system-tables.ts';

export interface BrokerSettings {
  /** Bytes that one query may hold beyond the columns it reads; refused with MEMORY_BUDGET above. */
  readonly queryMemoryBytes: number;
}

export interface BrokerComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly controller: Client<ControllerCalls>;
  readonly ingest: Client<IngestCalls>;
  readonly server: Client<ServerCalls>;
}

interface OpenQuery {
  readonly request: QueryRequest;
  /** As it may be shown. */
  readonly sql: string;
  readonly statement: BoundStatement;
  readonly definitions: readonly TableDefinition[];
  readonly partitionCounts: CatalogState['partitionCounts'];
  readonly abort: AbortController;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly stats: QueryStats;
  fetched: boolean;
  freshness: QueryTrailer['freshness'];
}

export function createBroker(settings: BrokerSettings, components: BrokerComponents): Handlers<BrokerCalls> {
  const { clock, log, controller, ingest, server } = components;
  // Builds the grammar now, a tenth of a second, instead of in somebody's first query.
  parseStatement('SELECT 1');
  const admission = new Admission();
  const open = new Map<string, OpenQuery>();
  const finished: RunningQuery[] = [];
  const deadlines = new Deadlines(clock);
  const watch = new IngestWatch(ingest, clock);
  let systemLeases = 0;

  const describe = (query: OpenQuery, state: RunningQuery['state'], error: string | null): RunningQuery => ({
    queryId: query.request.queryId,
    sql: query.sql,
    state,
    startedAtMs: query.startedAtMs,
    elapsedMs: roundMs(clock.monotonicMs() - query.startedMonotonicMs),
    rowsReturned: query.stats.rowsReturned,
    rowsScanned: query.stats.rowsScanned,
    identity: query.request.identity,
    error,
  });

  const sources: SystemSources = {
    queries: async () => [...finished, ...[...open.values()].map(query => describe(query, 'running', null))],
    async tables() {
      const { tables } = await controller.call('catalog', null);
      const leaseId = `system-${systemLeases++}`;
      try {
        return (await controller.call('snapshot', { leaseId, tableIds: tables.map(({ id }) => id) })).tables;
      } finally {
        await controller.call('release', { leaseId });
      }
    },
    ingestion: () => ingest.call('state', null),
    rejects: () => ingest.call('rejects', { tableId: null }),
    audit: () => controller.call('audit', { tableId: null }),
    shards: () => server.call('status', null),
  };

  function close(query: OpenQuery, error: unknown): void {
    if (!open.delete(query.request.queryId)) return;
    deadlines.remove(query);
    const { code, message } = error === null ? { code: null, message: null } : toFault(error);
    const state = error === null ? 'finished' : code === 'CANCELLED' ? 'cancelled' : 'failed';
    finished.push(describe(query, state, message));
    if (finished.length > finishedQueriesMax) finished.shift();
    if (code === 'INTERNAL') log.error('query failed', { queryId: query.request.queryId, sql: query.sql, error });
  }

  /** The query's time is over, wherever it is. */
  function expire(query: OpenQuery): void {
    const reason = fault('TIMEOUT', `the query did not finish within its ${query.request.timeoutMs} ms`, {
      hint: 'narrow its time range, or raise timeoutMs',
      details: { timeoutMs: query.request.timeoutMs },
    });
    query.abort.abort(reason);
    // A query that was opened and never fetched has nobody to tell.
    if (!query.fetched) close(query, reason);
  }

  async function* run(query: OpenQuery): FrameStream<QueryTrailer> {
    const { statement, request, stats, abort } = query;
    let missing: string[] = [];
    switch (statement.kind) {
      case 'select':
        missing = yield* select(query, statement.plan);
        break;
      case 'explain': {
        const context = { nowMs: query.startedAtMs, timeZone: request.timeZone };
        const snapshot = await openSnapshot(
          request.queryId,
          query.definitions,
          query.partitionCounts,
          controller,
          server,
          watch,
          clock,
        );
        try {
          yield linesFrame(explainWithPruning(statement.plan, snapshot, context));
        } finally {
          snapshot.release();
        }
        break;
      }
      case 'describe':
        yield describeFrame(statement.columns);
        break;
      default:
        yield commandFrame(await runCommand(statement, { controller, ingest, signal: abort.signal }));
    }
    stats.totalMs = roundMs(clock.monotonicMs() - query.startedMonotonicMs);
    return { complete: missing.length === 0, missing, stats, freshness: query.freshness };
  }

  async function* select(query: OpenQuery, plan: QueryPlan): FrameStream<string[]> {
    const { request, stats, abort } = query;
    await admission.enter(abort.signal);
    try {
      const pinStarted = clock.monotonicMs();
      const snapshot = await openSnapshot(
        request.queryId,
        query.definitions,
        query.partitionCounts,
        controller,
        server,
        watch,
        clock,
      );
      try {
        const inline: Record<string, Uint8Array> = {};
        for (const name of plan.systemTables) inline[name] = await systemTableFrame(name, sources);
        const runStarted = clock.monotonicMs();
        stats.pinMs = roundMs(runStarted - pinStarted);
        query.freshness = snapshot.freshness;
        const frames = runPlan(plan, {
          queryId: request.queryId,
          snapshot,
          inline,
          server,
          nowMs: query.startedAtMs,
          timeZone: request.timeZone,
          deadlineMs: query.startedAtMs + request.timeoutMs,
          memoryBytes: settings.queryMemoryBytes,
          signal: abort.signal,
          allowPartial: request.allowPartial,
          stats,
        });
        const missing = yield* frames;
        stats.runMs = roundMs(clock.monotonicMs() - runStarted);
        return missing;
      } finally {
        snapshot.release();
      }
    } finally {
      admission.leave();
    }
  }

  return {
    async open(request) {
      const startedMonotonicMs = clock.monotonicMs();
      const startedAtMs = clock.nowMs();
      if (open.has(request.queryId))
        throw fault('INVALID_REQUEST', `a query with id ${request.queryId} runs already`, {
          hint: 'give each query an id of its own, or none',
        });
      const parsed = parseStatement(request.sql);
      const planStarted = clock.monotonicMs();
      const catalog = await controller.call('catalog', null);
      const statement = bindStatement(parsed, {
        catalog: { tables: catalog.tables, systemTables },
        parameters: request.parameters,
        nowMs: startedAtMs,
        timeZone: request.timeZone,
      });
      const tableIds = 'plan' in statement ? statement.plan.tableIds : [];
      const query: OpenQuery = {
        request,
        sql: redactSecrets(request.sql),
        statement,
        definitions: catalog.tables.filter(({ id }) => tableIds.includes(id)),
        partitionCounts: catalog.partitionCounts,
        abort: new AbortController(),
        startedAtMs,
        startedMonotonicMs,
        stats: {
          ...emptyStats(),
          parseMs: roundMs(planStarted - startedMonotonicMs),
          planMs: roundMs(clock.monotonicMs() - planStarted),
        },
        fetched: false,
        freshness: {},
      };
      open.set(request.queryId, query);
      deadlines.add(query, request.timeoutMs, () => expire(query));
      return { columns: columnsOf(statement) };
    },

    async *fetch({ queryId }, { signal }) {
      const query = open.get(queryId);
      if (!query || query.fetched)
        throw fault('UNKNOWN_QUERY', `no query ${queryId} waits to be fetched`, { hint: 'it may have timed out' });
      query.fetched = true;
      const onAbort = (): void => query.abort.abort(fault('CANCELLED', 'the caller went away'));
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const trailer = yield* countRows(run(query), query.stats);
        close(query, null);
        return trailer;
      } catch (thrown) {
        // What ended the query explains better than what the ending looked like below.
        const error = query.abort.signal.aborted ? query.abort.signal.reason : thrown;
        close(query, error);
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
        // Neither ended nor failed: the caller stopped reading.
        if (open.has(queryId)) close(query, fault('CANCELLED', 'the caller stopped reading'));
      }
    },

    cancel({ queryId }) {
      const query = open.get(queryId);
      if (!query) return { cancelled: false };
      const reason = fault('CANCELLED', 'the query was cancelled');
      query.abort.abort(reason);
      if (!query.fetched) close(query, reason);
      return { cancelled: true };
    },

    queries: () => sources.queries(),

    createTable: ({ definition, ifNotExists }, { signal }) =>
      controller.call('createTable', { definition: settleDefinition(definition), ifNotExists }, { signal }),
  };
}

/** To microseconds: what the clock's further digits say is noise. */
const roundMs = (ms: number): number => Math.round(ms * 1000) / 1000;

async function* countRows<T>(frames: FrameStream<T>, stats: QueryStats): FrameStream<T> {
  try {
    let next = await frames.next();
    for (; !next.done; next = await frames.next()) {
      stats.rowsReturned += frameRowCount(next.value);
      yield next.value;
    }
    return next.value;
  } finally {
    // Reaches the shards when the reader stopped early; nothing to do after the end.
    await frames.return(undefined as T);
  }
}

function columnsOf(statement: BoundStatement): readonly ResultColumn[] {
  switch (statement.kind) {
    case 'select':
      return statement.plan.columns;
    case 'explain':
      return [linesColumn];
    case 'describe':
      return describeColumns;
    default:
      return commandColumns(statement);
  }
}
