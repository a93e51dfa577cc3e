/** Prometheus metrics: what the door sees itself, and what it asks the roles for at each scrape. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Fault } from '../base/fault.ts';
import type { PushAnswer } from '../wire/ingest-calls.ts';
import type { HttpComponents, StatusComponents } from './door.ts';
import { tableSizes } from './table-routes.ts';

/** Seconds: dashboards answer in milliseconds, deadlines are at half a minute. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Metrics {
  readonly contentType: string;
  /** @param route The route's pattern, never its path: labels must stay few. */
  observeRequest(route: string, method: string, status: number, durationMs: number): void;
  observeQuery(failure: Fault | null, durationMs: number): void;
  observePush(table: string, answer: PushAnswer): void;
  /** The text of a scrape; a role that does not answer leaves its own gauges out. */
  scrape(): Promise<string>;
}

type StatusMetrics = Pick<Metrics, 'contentType' | 'observeRequest' | 'scrape'>;

/** Of any process: itself, its door, its shards, and the cluster as the controller sees it. */
export const createStatusMetrics = (components: StatusComponents): StatusMetrics =>
  metricsOf(new Registry(), components, []);

function metricsOf(registry: Registry, components: StatusComponents, more: readonly Collect[]): StatusMetrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requestDuration = new Histogram({
    name: 'weir_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: durationBuckets,
    registers,
  });
  const collect = [...more, createClusterGauges(components, registers)];
  if (components.shards) collect.push(createArenaGauges(components.shards, registers));
  if (components.memory) collect.push(createMemoryGauges(components.memory, registers));
  return {
    contentType: registry.contentType,
    observeRequest: (route, method, status, durationMs) =>
      requestDuration.observe({ route, method, status }, durationMs / 1000),
    async scrape() {
      const results = await Promise.allSettled(collect.map(gauges => gauges()));
      for (const result of results)
        if (result.status === 'rejected') components.log.warn('a scrape lacks gauges', { error: result.reason });
      return registry.metrics();
    },
  };
}

export function createMetrics(components: HttpComponents): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const status = metricsOf(registry, components, [
    createIngestionGauges(components, registers),
    createTableGauges(components, registers),
  ]);
  const queryDuration = new Histogram({
    name: 'weir_query_duration_seconds',
    help: 'Time from a query to the end of its answer; the outcome is ok or the code of the error',
    labelNames: ['outcome'] as const,
    buckets: durationBuckets,
    registers,
  });
  const queries = new Counter({
    name: 'weir_queries_total',
    help: 'Queries ended; the outcome is ok or the code of the error',
    labelNames: ['outcome'] as const,
    registers,
  });
  const rowsPushed = new Counter({
    name: 'weir_rows_pushed_total',
    help: 'Rows accepted over HTTP',
    labelNames: ['table'] as const,
    registers,
  });
  const rowsRejected = new Counter({
    name: 'weir_rows_rejected_total',
    help: 'Rows refused over HTTP',
    labelNames: ['table'] as const,
    registers,
  });
  return {
    ...status,
    observeQuery(failure, durationMs) {
      const outcome = failure?.code ?? 'ok';
      queries.inc({ outcome });
      queryDuration.observe({ outcome }, durationMs / 1000);
    },
    observePush(table, { accepted, rejected }) {
      rowsPushed.inc({ table }, accepted);
      rowsRejected.inc({ table }, rejected);
    },
  };
}

type Collect = () => Promise<void>;

function gaugesOf<Label extends string>(
  registers: Registry[],
  labelNames: readonly Label[],
  helps: Readonly<Record<string, string>>,
): Record<string, Gauge<Label>> {
  return Object.fromEntries(
    Object.entries(helps).map(([name, help]) => [
      name,
      new Gauge({ name, help, labelNames: [...labelNames], registers }),
    ]),
  );
}

function createIngestionGauges({ ingest }: HttpComponents, registers: Registry[]): Collect {
  const gauges = gaugesOf(registers, ['table', 'partition'], {
    weir_ingested_offset: 'First offset that queries do not see yet',
    weir_end_offset: 'First offset that is not in the stream, as last observed',
    weir_ingestion_lag_offsets: 'Offsets of the stream that queries do not see yet',
    weir_committed_offset: 'First offset that is in no committed segment',
    weir_ingestion_lag_seconds: 'Age of the oldest record that queries do not see yet',
    weir_ingestion_failed: '1 where a partition does not advance',
    weir_ingestion_paused: '1 where a partition is paused',
    weir_ingested_rows: 'Rows ingested since the start',
    weir_ingestion_rejected_rows: 'Rows or messages rejected since the start',
    weir_ingestion_filtered_rows: 'Messages that a transform left without a row, since the start',
    weir_ingestion_lost_offsets: 'Offsets that the stream deleted before they were read, since the start',
    weir_ingestion_audit_mismatches: 'Ranges of offsets that did not add up, since the start',
    weir_log_size_bytes: 'Size of the embedded log',
  });
  return async () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
    for (const state of await ingest.call('state', null)) {
      const { freshness } = state;
      const labels = { table: state.table, partition: String(state.partition) };
      gauges.weir_ingested_offset!.set(labels, freshness.ingestedOffset);
      gauges.weir_end_offset!.set(labels, freshness.endOffset);
      gauges.weir_ingestion_lag_offsets!.set(labels, Math.max(0, freshness.endOffset - freshness.ingestedOffset));
      gauges.weir_committed_offset!.set(labels, state.committedEnd);
      gauges.weir_ingestion_lag_seconds!.set(labels, freshness.lagMs / 1000);
      gauges.weir_ingestion_failed!.set(labels, freshness.state === 'failed' ? 1 : 0);
      gauges.weir_ingestion_paused!.set(labels, freshness.state === 'paused' ? 1 : 0);
      gauges.weir_ingested_rows!.set(labels, state.rowsIngested);
      gauges.weir_ingestion_rejected_rows!.set(labels, state.rowsRejected);
      gauges.weir_ingestion_filtered_rows!.set(labels, state.rowsFiltered);
      gauges.weir_ingestion_lost_offsets!.set(labels, state.offsetsLost);
      gauges.weir_ingestion_audit_mismatches!.set(labels, state.auditMismatches);
      gauges.weir_log_size_bytes!.set(labels, state.logSizeBytes);
    }
  };
}

function createTableGauges(components: HttpComponents, registers: Registry[]): Collect {
  const gauges = gaugesOf(registers, ['table'], {
    weir_segments: 'Committed segments',
    weir_table_rows: 'Rows, committed and consuming',
    weir_segments_size_bytes: 'Size of committed segments in the deep store',
    weir_segments_quarantined: 'Committed segments that are damaged: no query reads them',
  });
  return async () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
    const { tables } = await components.controller.call('catalog', null);
    const sizes = await tableSizes({ components }, tables);
    const quarantine = await components.controller.call('quarantine', null);
    for (const { id, name: table } of tables) {
      const { segments, consumingRows } = sizes.get(id)!;
      gauges.weir_segments!.set({ table }, segments.length);
      gauges.weir_segments_quarantined!.set({ table }, quarantine.filter(({ tableId }) => tableId === id).length);
      gauges.weir_table_rows!.set(
        { table },
        segments.reduce((sum, entry) => sum + entry.rowCount, consumingRows),
      );
      gauges.weir_segments_size_bytes!.set(
        { table },
        segments.reduce((sum, entry) => sum + entry.sizeBytes, 0),
      );
    }
  };
}

function createArenaGauges(shards: NonNullable<HttpComponents['shards']>, registers: Registry[]): Collect {
  const gauges = gaugesOf(registers, ['shard'], {
    weir_arena_used_bytes: 'Memory of a shard in use',
    weir_arena_capacity_bytes: 'Memory that a shard may use',
    weir_segments_open: 'Segments with something loaded in a shard',
    weir_leases: 'Retired copies that queries still read',
    weir_corrupt_buffers: 'Buffers of committed segments that failed their checksum since the start',
  });
  return async () => {
    for (const status of await shards()) {
      const shard = String(status.shard);
      gauges.weir_arena_used_bytes!.set({ shard }, status.arenaUsedBytes);
      gauges.weir_arena_capacity_bytes!.set({ shard }, status.arenaCapacityBytes);
      gauges.weir_segments_open!.set({ shard }, status.segmentsOpen);
      gauges.weir_leases!.set({ shard }, status.leases);
      gauges.weir_corrupt_buffers!.set({ shard }, status.corruptBuffers);
    }
  };
}

function createMemoryGauges(memory: NonNullable<StatusComponents['memory']>, registers: Registry[]): Collect {
  const gauges = gaugesOf(registers, ['account'], {
    weir_memory_used_bytes: 'Memory in use, by account of the budget and part of the process',
    weir_memory_peak_bytes: 'The most that was in use since the start',
    weir_memory_limit_bytes: 'What an account may use',
  });
  return async () => {
    for (const { name: account, usedBytes, peakBytes, limitBytes } of memory()) {
      gauges.weir_memory_used_bytes!.set({ account }, usedBytes);
      gauges.weir_memory_peak_bytes!.set({ account }, peakBytes);
      gauges.weir_memory_limit_bytes!.set({ account }, limitBytes);
    }
  };
}

function createClusterGauges({ members }: StatusComponents, registers: Registry[]): Collect {
  const gauges = gaugesOf(registers, ['server'], {
    weir_server_live: '1 where queries are sent to a process of the cluster',
    weir_server_segments_placed: 'Segments that a server is to hold',
    weir_server_segments_announced: 'Segments that a server holds',
    weir_server_size_bytes: 'Size of the segments that a server holds',
  });
  return async () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
    for (const { id: server, state, segmentsPlaced, segmentsAnnounced, sizeBytes } of await members.call(
      'members',
      null,
    )) {
      gauges.weir_server_live!.set({ server }, state === 'live' || state === 'draining' ? 1 : 0);
      gauges.weir_server_segments_placed!.set({ server }, segmentsPlaced);
      gauges.weir_server_segments_announced!.set({ server }, segmentsAnnounced);
      gauges.weir_server_size_bytes!.set({ server }, sizeBytes);
    }
  };
}
