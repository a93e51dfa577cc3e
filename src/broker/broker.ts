/**
 * The broker role: text → statement → plan → pinned snapshot → scatter → answer. No state but the queries that run now
 * and the last ones that did.
 */
import { type AccountState, type Accounts, refusal, unboundAccounts } from '../base/accounts.ts';
import { fault, toFault } from '../base/fault.ts';
import { Line } from '../base/line.ts';
import type { Clock, Log } from '../base/seams.ts';
import { frameRowCount } from '../column/frame.ts';
import type { QueryPlan } from '../plan/node.ts';
import type { Statement } from '../sql/ast.ts';
import { settleDefinition } from '../sql/bind-transform.ts';
import type { BoundStatement } from '../sql/bound.ts';
import { parseStatement } from '../sql/parse.ts';
import { redactSecrets } from '../sql/redact.ts';
import type {
  BrokerCalls,
  QueryRequest,
  QueryStats,
  QueryTrailer,
  ResultColumn,
  RunningQuery,
} from '../wire/broker-calls.ts';
import type { Client, FrameStream, Handlers } from '../wire/call.ts';
import type { MemberCalls } from '../wire/cluster-calls.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import type { ServerCalls } from '../wire/server-calls.ts';
import { Admission, type Lane } from './admission.ts';
import { alterTable } from './alter.ts';
import { Deadlines } from './deadlines.ts';
import { explainWithPruning } from './explain.ts';
import { IngestWatch } from './ingest-watch.ts';
import { finishedQueriesMax, queryWaitMsMax, shortQueryRowsMax, statementBytesPerUnit } from './limits.ts';
import { type PinnedStatement, pinStatement } from './pinned-statement.ts';
import { emptyStats, runPlan, scansAtMost } from './select.ts';
import type { Snapshot } from './snapshot.ts';
import { ownSnapshots, type SnapshotSource } from './snapshot-source.ts';
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
import { systemTableFrame } from './system-tables.ts';

export interface BrokerSettings {
  /** Bytes that one query may hold beyond the columns it reads; refused with MEMORY_BUDGET above. */
  readonly queryMemoryBytes: number;
  /** What the frames of one query's answer take on their way at the most; nothing where not given. */
  readonly answerBytes?: number;
}

export interface BrokerComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly controller: Client<ControllerCalls>;
  readonly ingest: Client<IngestCalls>;
  readonly server: Client<ServerCalls>;
  readonly members: Client<MemberCalls>;
  /** Where the controller is in another process. */
  readonly snapshots?: SnapshotSource;
  /** Of the process; without bounds where not given. */
  readonly accounts?: Accounts;
  /** Of the process, for `system.memory`; the accounts alone where not given. */
  readonly memory?: () => readonly AccountState[];
}

interface OpenQuery {
  readonly request: QueryRequest;
  /** As it may be shown. */
  readonly sql: string;
  /** null until it is bound and pinned. */
  pinned: PinnedStatement | null;
  /** null until it has a place. */
  lane: Lane | null;
  readonly abort: AbortController;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly stats: QueryStats;
  /** On the statements account. */
  readonly statementBytes: number;
  /** It has no place yet. */
  waits: boolean;
  fetched: boolean;
  freshness: QueryTrailer['freshness'];
}

export function createBroker(settings: BrokerSettings, components: BrokerComponents): Handlers<BrokerCalls> {
  const { clock, log, controller, ingest, server, members, accounts = unboundAccounts() } = components;
  const statements = accounts.account('statements');
  const statementLine = new Line(clock);
  const snapshots = components.snapshots ?? ownSnapshots(controller, server);
  // Builds the grammar now, a tenth of a second, instead of in somebody's first query.
  parseStatement('SELECT 1');
  const admission = new Admission(accounts, clock, settings.answerBytes ?? 0);
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
        return (
          await snapshots.open(
            leaseId,
            [],
            tables.map(({ id }) => id),
          )
        ).tables;
      } finally {
        await snapshots.release(leaseId);
      }
    },
    ingestion: () => ingest.call('state', null),
    rejects: () => ingest.call('rejects', { tableId: null }),
    audit: () => controller.call('audit', { tableId: null }),
    tasks: () => controller.call('tasks', null),
    quarantine: () => controller.call('quarantine', null),
    shards: () => server.call('status', null),
    memory: components.memory ?? accounts.states,
    servers: () => members.call('members', null),
  };

  function close(query: OpenQuery, error: unknown): void {
    if (!open.delete(query.request.queryId)) return;
    deadlines.remove(query);
    query.pinned?.snapshot?.release();
    if (query.lane) admission.leave(query.lane);
    releaseStatement(query.statementBytes);
    const { code, message } = error === null ? { code: null, message: null } : toFault(error);
    const state = error === null ? 'finished' : code === 'CANCELLED' ? 'cancelled' : 'failed';
    finished.push(describe(query, state, message));
    if (finished.length > finishedQueriesMax) finished.shift();
    if (code === 'INTERNAL') log.error('query failed', { queryId: query.request.queryId, sql: query.sql, error });
  }

  /** The query's time is over, wherever it is. */
  function expire(query: OpenQuery): void {
    const { timeoutMs } = query.request;
    const { running, waiting } = admission;
    const reason = query.waits
      ? fault(
          'TIMEOUT',
          `the query waited its ${timeoutMs} ms for a turn: ${running} queries run and ${waiting} wait`,
          { hint: 'send fewer queries at once, or raise timeoutMs', details: { timeoutMs, running, waiting } },
        )
      : fault('TIMEOUT', `the query did not finish within its ${timeoutMs} ms`, {
          hint: 'narrow its time range, or raise timeoutMs',
          details: { timeoutMs },
        });
    end(query, reason);
  }

  function end(query: OpenQuery, reason: Error): void {
    query.abort.abort(reason);
    // A query that was opened and never fetched has nobody to tell.
    if (!query.fetched) close(query, reason);
  }

  /** Room for a statement and what is made of it; alone, any is let in. @throws FaultError MEMORY_BUDGET */
  async function holdStatement({ sql }: QueryRequest): Promise<number> {
    const sizeBytes = Math.min(sql.length * statementBytesPerUnit, statements.limitBytes);
    if (!(await statementLine.wait(() => statements.tryHold(sizeBytes), queryWaitMsMax)))
      throw refusal(statements, sizeBytes);
    return sizeBytes;
  }

  function releaseStatement(sizeBytes: number): void {
    statements.release(sizeBytes);
    statementLine.look();
  }

  /**
   * The query's place. Its snapshot tells whether it is short; who has to wait gives it back, for pinned rows take room from
   * ingestion, and is then told to pin again.
   */
  async function admit(query: OpenQuery, plan: QueryPlan, snapshot: Snapshot): Promise<boolean> {
    const { signal } = query.abort;
    const context = { nowMs: query.startedAtMs, timeZone: query.request.timeZone };
    const lane = scansAtMost(shortQueryRowsMax, plan, snapshot, context) ? 'short' : 'long';
    const isFree = !signal.aborted && admission.tryEnter(lane);
    if (!isFree) {
      snapshot.release();
      query.waits = true;
      await admission.enter(lane, signal);
      query.waits = false;
      // Closed in between, it has nobody who leaves for it.
      if (signal.aborted) admission.leave(lane);
      signal.throwIfAborted();
    }
    query.lane = lane;
    return isFree;
  }

  async function* run(query: OpenQuery, { statement, snapshot }: PinnedStatement): FrameStream<QueryTrailer> {
    const { request, stats, abort } = query;
    let missing: string[] = [];
    switch (statement.kind) {
      case 'select':
        missing = yield* select(query, statement.plan, snapshot!);
        break;
      case 'explain': {
        const context = { nowMs: query.startedAtMs, timeZone: request.timeZone };
        yield linesFrame(explainWithPruning(statement.plan, snapshot!, context));
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

  async function* select(query: OpenQuery, plan: QueryPlan, snapshot: Snapshot): FrameStream<string[]> {
    const { request, stats, abort } = query;
    const inline: Record<string, Uint8Array> = {};
    for (const name of plan.systemTables) inline[name] = await systemTableFrame(name, sources);
    const runStarted = clock.monotonicMs();
    query.freshness = snapshot.freshness;
    const frames = runPlan(plan, {
      queryId: request.queryId,
      snapshot,
      inline,
      server,
      nowMs: query.startedAtMs,
      timeZone: request.timeZone,
      remainingMs: () => Math.max(0, request.timeoutMs - (clock.monotonicMs() - query.startedMonotonicMs)),
      memoryBytes: settings.queryMemoryBytes,
      signal: abort.signal,
      allowPartial: request.allowPartial,
      stats,
    });
    const missing = yield* frames;
    stats.runMs = roundMs(clock.monotonicMs() - runStarted);
    return missing;
  }

  /** Binds it, waits for its turn, pins what it reads. What ends the query meanwhile ends this. */
  async function prepare(query: OpenQuery, parsed: Statement): Promise<PinnedStatement> {
    const { request, stats, abort } = query;
    const pinned = await pinStatement(
      parsed,
      request.queryId,
      { parameters: request.parameters, nowMs: query.startedAtMs, timeZone: request.timeZone },
      {
        ...{ controller, snapshots, watch, clock },
        admit: (plan, snapshot) => admit(query, plan, snapshot),
      },
    );
    stats.planMs = roundMs(pinned.planMs);
    stats.pinMs = roundMs(pinned.pinMs);
    if (open.has(request.queryId)) return pinned;
    // It was closed while it was pinned.
    pinned.snapshot?.release();
    throw abort.signal.reason;
  }

  /** Parses it and makes it known. From then on `close` gives back what it holds. */
  function begin(request: QueryRequest, statementBytes: number): { query: OpenQuery; parsed: Statement } {
    const { queryId, timeoutMs } = request;
    try {
      if (open.has(queryId))
        throw fault('INVALID_REQUEST', `a query with id ${queryId} runs already`, {
          hint: 'give each query an id of its own, or none',
        });
      const startedMonotonicMs = clock.monotonicMs();
      const startedAtMs = clock.nowMs();
      const parsed = parseStatement(request.sql);
      const query: OpenQuery = {
        ...{ request, statementBytes, startedAtMs, startedMonotonicMs },
        sql: redactSecrets(request.sql),
        abort: new AbortController(),
        stats: { ...emptyStats(), parseMs: roundMs(clock.monotonicMs() - startedMonotonicMs) },
        ...{ pinned: null, lane: null, waits: false, fetched: false, freshness: {} },
      };
      open.set(queryId, query);
      deadlines.add(query, timeoutMs, () => expire(query));
      return { query, parsed };
    } catch (error) {
      releaseStatement(statementBytes);
      throw error;
    }
  }

  /** Binds and pins, and keeps it until it is fetched. */
  async function openHeld(
    { query, parsed }: ReturnType<typeof begin>,
    signal: AbortSignal,
  ): Promise<{ columns: readonly ResultColumn[] }> {
    const onAbort = (): void => end(query, fault('CANCELLED', 'the caller went away'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      query.pinned = await prepare(query, parsed);
      return { columns: columnsOf(query.pinned.statement) };
    } catch (thrown) {
      const error = query.abort.signal.aborted ? query.abort.signal.reason : thrown;
      close(query, error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    async open(request, { signal }) {
      return openHeld(begin(request, await holdStatement(request)), signal);
    },

    async *fetch({ queryId }, { signal }) {
      const query = open.get(queryId);
      if (!query?.pinned || query.fetched)
        throw fault('UNKNOWN_QUERY', `no query ${queryId} waits to be fetched`, { hint: 'it may have timed out' });
      query.fetched = true;
      const onAbort = (): void => query.abort.abort(fault('CANCELLED', 'the caller went away'));
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const trailer = yield* countRows(run(query, query.pinned), query.stats);
        close(query, null);
        return trailer;
      } catch (thrown) {
        // What ended the query explains better than what the ending looked like below.
        const error = query.abort.signal.aborted ? query.abort.signal.reason : thrown;
        close(query, error);
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
        // Neither ended nor failed: the caller stopped reading, by itself or because the query's time was over.
        if (open.has(queryId)) {
          const { aborted, reason } = query.abort.signal;
          close(query, aborted ? reason : fault('CANCELLED', 'the caller stopped reading'));
        }
      }
    },

    cancel({ queryId }) {
      const query = open.get(queryId);
      if (!query) return { cancelled: false };
      end(query, fault('CANCELLED', 'the query was cancelled'));
      return { cancelled: true };
    },

    queries: () => sources.queries(),

    createTable: ({ definition, ifNotExists }, { signal }) =>
      controller.call('createTable', { definition: settleDefinition(definition), ifNotExists }, { signal }),

    alterTable: (input, { signal }) => alterTable(input, controller, signal),
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
