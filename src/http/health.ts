/** Is it alive, and does it answer queries? With causes. */
import { fault, toFault } from '../base/fault.ts';
import type { Health, HealthCheck } from '../client/types.ts';
import type { MemberEntry } from '../wire/cluster-calls.ts';
import type { QuarantinedSegment } from '../wire/controller-calls.ts';
import type { IngestState } from '../wire/ingest-calls.ts';
import type { ShardStatus } from '../wire/shard-calls.ts';
import type { HttpComponents, StatusComponents } from './door.ts';
import { healthAgeMsMax, healthTimeoutMs } from './limits.ts';

/**
 * Checks that queries are answered (by one), that the metadata is, that every partition advances and its offsets add up, that
 * every server of the cluster is there, and that no segment was found damaged since the start. Only the first decides whether the server is ready. One check at a time; its verdict
 * stands for `healthAgeMsMax`.
 */
export const createHealth = (components: HttpComponents): (() => Promise<Health>) =>
  remembered(components, () => checkHealth(components));

/** Of a process that answers no statements: whether it is a part of its cluster (only that decides whether it is ready), and its storage. */
export const createStatusHealth = (components: StatusComponents): (() => Promise<Health>) =>
  remembered(components, async () => {
    const [cluster, storage] = await Promise.all([
      check(components, async () => components.causes?.() ?? []),
      checkStorage(components),
    ]);
    return {
      status: !cluster.ok ? 'unavailable' : storage?.ok === false ? 'degraded' : 'ready',
      checks: { cluster, ...(storage ? { storage } : {}) },
    };
  });

function remembered({ clock }: StatusComponents, run: () => Promise<Health>): () => Promise<Health> {
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let verdict: Promise<Health> | null = null;
  return () => {
    if (verdict === null || clock.monotonicMs() - checkedAtMs > healthAgeMsMax) {
      checkedAtMs = clock.monotonicMs();
      verdict = run();
    }
    return verdict;
  };
}

const checkStorage = (components: StatusComponents): Promise<HealthCheck> | null => {
  const { shards } = components;
  return shards ? check(components, async () => damagedIndexes(await shards())) : null;
};

/** Servers that are away: their segments are answered for elsewhere, and more slowly. */
const absentServers = (entries: readonly MemberEntry[]): readonly string[] =>
  entries
    .filter(({ state, roles }) => state === 'silent' && roles.includes('server'))
    .map(({ id }) => `server ${id} is silent`);

async function checkHealth(components: HttpComponents): Promise<Health> {
  const { controller, members } = components;
  const [queries, metadata, ingestion, cluster, storage] = await Promise.all([
    check(components, async signal => askOne(components, signal)),
    check(components, async signal => controller.call('notices', null, { signal })),
    check(components, async signal => ingestionCauses(await components.ingest.call('state', null, { signal }))),
    check(components, async signal => [
      ...(components.causes?.() ?? []),
      ...absentServers(await members.call('members', null, { signal })),
    ]),
    check(components, async signal => [
      ...quarantined(await controller.call('quarantine', null, { signal })),
      ...(components.shards ? damagedIndexes(await components.shards()) : []),
    ]),
  ]);
  const degraded = !metadata.ok || !ingestion.ok || !cluster.ok || !storage.ok;
  return {
    status: !queries.ok ? 'unavailable' : degraded ? 'degraded' : 'ready',
    checks: { queries, metadata, ingestion, cluster, storage },
  };
}

/** `run` gives the causes of what is wrong; one that takes too long is a cause of its own. */
async function check(
  { clock }: StatusComponents,
  run: (signal: AbortSignal) => Promise<readonly string[]>,
): Promise<HealthCheck> {
  const controller = new AbortController();
  const late = clock.sleep(healthTimeoutMs, controller.signal).then(() => {
    throw fault('TIMEOUT', `no answer within ${healthTimeoutMs} ms`);
  });
  try {
    const causes = await Promise.race([run(controller.signal), late]);
    return { ok: causes.length === 0, causes };
  } catch (error) {
    return { ok: false, causes: [toFault(error).message] };
  } finally {
    late.catch(() => {});
    controller.abort();
  }
}

async function askOne({ broker, random }: HttpComponents, signal: AbortSignal): Promise<readonly string[]> {
  const queryId = `health-${random.hex(12)}`;
  await broker.call(
    'open',
    {
      queryId,
      sql: 'SELECT 1',
      parameters: [],
      timeoutMs: healthTimeoutMs,
      allowPartial: false,
      identity: 'health',
      timeZone: 'UTC',
    },
    { signal },
  );
  const frames = broker.stream('fetch', { queryId }, { signal });
  for (let next = await frames.next(); !next.done; ) next = await frames.next();
  return [];
}

/** Partitions that do not advance, and those whose offsets do not add up. */
const ingestionCauses = (states: readonly IngestState[]): readonly string[] =>
  states.flatMap(({ table, partition, freshness, lastFault, auditMismatches }) => [
    ...(freshness.state === 'failed'
      ? [
          `${table}, ${partition < 0 ? 'its topic' : `partition ${partition}`}: ${freshness.cause ?? lastFault?.message ?? 'does not advance'}`,
        ]
      : []),
    ...(auditMismatches > 0
      ? [
          `${table}, partition ${partition}: ${auditMismatches} ranges of offsets do not add up to their span; ` +
            'system.audit has those that were published',
        ]
      : []),
  ]);

const quarantined = (segments: readonly QuarantinedSegment[]): readonly string[] =>
  segments.map(
    ({ table, segmentId, cause }) => `${table}: segment ${segmentId} is damaged, and no query reads it: ${cause}`,
  );

const damagedIndexes = (shards: readonly ShardStatus[]): readonly string[] => [
  ...new Set(
    shards
      .flatMap(({ damaged }) => damaged)
      .filter(({ part }) => part === 'index')
      .map(({ segmentId, cause }) => `segment ${segmentId} has a damaged index, and queries scan it instead: ${cause}`),
  ),
];
