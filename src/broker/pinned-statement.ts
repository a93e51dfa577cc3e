/**
 * A statement with the snapshot that it was bound to. A query is bound to definitions of one moment, and pins its rows a
 * moment later: where a table was changed in between, it is bound again, so that names, types and rows are of one schema.
 */
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { QueryPlan } from '../plan/node.ts';
import type { Statement } from '../sql/ast.ts';
import type { BindOptions } from '../sql/bind.ts';
import { bindStatement } from '../sql/bind.ts';
import type { BoundStatement } from '../sql/bound.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestWatch } from './ingest-watch.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';
import type { SnapshotSource } from './snapshot-source.ts';
import { systemTables } from './system-tables.ts';

/** Changes of schemas that one query may come across: more, and somebody changes them for ever. */
const attemptsMax = 20;

export interface PinnedStatement {
  readonly statement: BoundStatement;
  /** null for what reads no rows. */
  readonly snapshot: Snapshot | null;
  /** Of the last time. */
  readonly planMs: number;
  readonly pinMs: number;
}

export interface PinComponents {
  readonly controller: Client<ControllerCalls>;
  readonly snapshots: SnapshotSource;
  readonly watch: IngestWatch;
  readonly clock: Clock;
  /**
   * Once, of what runs: waits for its turn. False: it had to wait, and has given the snapshot back, as it has where it
   * rejects; it is bound and pinned again.
   */
  admit(plan: QueryPlan, snapshot: Snapshot): Promise<boolean>;
}

/** @throws FaultError of the binder, or of the snapshot; what was pinned is given up then */
export async function pinStatement(
  parsed: Statement,
  queryId: string,
  options: Omit<BindOptions, 'catalog'>,
  { controller, snapshots, watch, clock, admit }: PinComponents,
): Promise<PinnedStatement> {
  let isAdmitted = false;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const startedMs = clock.monotonicMs();
    const { tables, partitionCounts } = await controller.call('catalog', null);
    const statement = bindStatement(parsed, { ...options, catalog: { tables, systemTables } });
    const boundMs = clock.monotonicMs();
    const planMs = boundMs - startedMs;
    if (!('plan' in statement)) return { statement, snapshot: null, planMs, pinMs: 0 };
    const pinStartedMs = clock.monotonicMs();
    const { tableIds } = statement.plan;
    const definitions = tables.filter(({ id }) => tableIds.includes(id));
    // Each attempt has a lease of its own: the one before is released without waiting.
    const leaseId = attempt === 1 ? queryId : `${queryId}-${attempt}`;
    const snapshot = await openSnapshot(leaseId, definitions, partitionCounts, snapshots, watch, clock);
    const pinMs = clock.monotonicMs() - pinStartedMs;
    if (!isOf(snapshot, definitions)) snapshot.release();
    else if (statement.kind !== 'select' || isAdmitted) return { statement, snapshot, planMs, pinMs };
    else {
      const isKept = await admit(statement.plan, snapshot);
      if (isKept) return { statement, snapshot, planMs, pinMs };
      isAdmitted = true;
    }
  }
  throw fault('UNAVAILABLE', `the schema of a table changed ${attemptsMax} times while the query was planned`, {
    hint: 'try again',
  });
}

const isOf = ({ tables }: Snapshot, definitions: readonly TableDefinition[]): boolean =>
  tables.every(({ definition: { id, version } }) =>
    definitions.some(bound => bound.id === id && bound.version === version),
  );
