/** Is it alive, and does it answer queries? With causes. */
import { fault, toFault } from '../base/fault.ts';
import type { Health, HealthCheck } from '../client/types.ts';
import type { IngestState, ShardStatus } from '../wire/calls.ts';
import type { HttpComponents } from './door.ts';
import { healthAgeMsMax, healthTimeoutMs } from './limits.ts';

/**
 * Checks that queries are answered (by one), that the metadata is, that every partition advances and its offsets add up, and
 * that no segment
 * was found damaged since the start. Only the first decides whether the server is ready. One check at a time; its verdict
 * stands for `healthAgeMsMax`.
 */
export function createHealth(components: HttpComponents): () => Promise<Health> {
  const { clock } = components;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let verdict: Promise<Health> | null = null;
  return () => {
    if (verdict === null || clock.monotonicMs() - checkedAtMs > healthAgeMsMax) {
      checkedAtMs = clock.monotonicMs();
      verdict = checkHealth(components);
    }
    return verdict;
  };
}

async function checkHealth(components: HttpComponents): Promise<Health> {
  const { controller, shards } = components;
  const [queries, metadata, ingestion, storage] = await Promise.all([
    check(components, async signal => askOne(components, signal)),
    check(components, async signal => {
      await controller.call('catalog', null, { signal });
      return [];
    }),
    check(components, async signal => ingestionCauses(await components.ingest.call('state', null, { signal }))),
    shards ? check(components, async () => damagedShards(await shards())) : null,
  ]);
  const degraded = !metadata.ok || !ingestion.ok || storage?.ok === false;
  return {
    status: !queries.ok ? 'unavailable' : degraded ? 'degraded' : 'ready',
    checks: { queries, metadata, ingestion, ...(storage ? { storage } : {}) },
  };
}

/** `run` gives the causes of what is wrong; one that takes too long is a cause of its own. */
async function check(
  { clock }: HttpComponents,
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

/** Which segment and column the query that met the damage was told, and the log. */
const damagedShards = (shards: readonly ShardStatus[]): readonly string[] =>
  shards
    .filter(({ corruptBuffers }) => corruptBuffers > 0)
    .map(
      ({ shard, corruptBuffers }) =>
        `shard ${shard}: ${corruptBuffers} reads of committed segments failed their checksum; the log names them`,
    );
