/** The metadata in memory: immutable values, replaced whole, so that whoever holds one holds one consistent state. */
import type { LoadEntry } from '../catalog/load.ts';
import type { Replacement, SegmentEntry, TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { MetaPartition, MetaQuarantine, MetaServer, MetaState } from '../meta/store.ts';

export interface TableState extends TableSnapshot {
  /** All of its partitions, also those that come later. */
  readonly paused: boolean;
  readonly partitions: readonly MetaPartition[];
}

export interface State {
  /** Of the last metadata transaction. */
  readonly version: number;
  /** By table id, in order of creation. */
  readonly tables: ReadonlyMap<string, TableState>;
  /** By id, in order of creation. */
  readonly loads: ReadonlyMap<string, LoadEntry>;
  /** By load id: segments that are built, and not yet visible. */
  readonly staged: ReadonlyMap<string, readonly SegmentEntry[]>;
  /** By segment id. */
  readonly quarantine: ReadonlyMap<string, MetaQuarantine>;
  /** By id. */
  readonly servers: ReadonlyMap<string, MetaServer>;
}

export function stateOf({ version, tables, segments, loads, staged, quarantine, servers }: MetaState): State {
  const byTable = new Map<string, SegmentEntry[]>(tables.map(({ definition }) => [definition.id, []]));
  for (const segment of segments) byTable.get(segment.tableId)!.push(segment);
  const states = tables.map(({ definition, paused, partitions, replacements }): [string, TableState] => [
    definition.id,
    tableState({ definition, paused, partitions, replacements, segments: byTable.get(definition.id)! }),
  ]);
  return {
    version,
    tables: new Map(states),
    loads: new Map(loads.map(load => [load.id, load])),
    staged: new Map(Object.entries(staged)),
    quarantine: new Map(quarantine.map(entry => [entry.segmentId, entry])),
    servers: new Map(servers.map(server => [server.id, server])),
  };
}

type Kept = Pick<TableState, 'definition' | 'paused' | 'partitions' | 'segments' | 'replacements'>;

/** What follows from the rest is derived here and nowhere else. */
const tableState = ({ definition, paused, partitions, segments, replacements }: Kept): TableState => ({
  ...{ definition, paused, partitions, segments, replacements },
  committedEnds: partitions.map(({ committedEnd }) => committedEnd),
  epochs: partitions.map(({ epoch }) => epoch),
  streamIds: partitions.map(({ streamId }) => streamId),
});

export const definitionsOf = (state: State): readonly TableDefinition[] =>
  Array.from(state.tables.values(), table => table.definition);

export function withTable(state: State, version: number, definition: TableDefinition): State {
  const { source } = definition;
  const partitions: MetaPartition[] = Array.from({ length: source.kind === 'log' ? source.partitionCount : 0 }, () => ({
    ...{ committedEnd: 0, paused: false, streamId: null, epoch: 0 },
  }));
  const table = tableState({ definition, paused: false, partitions, segments: [], replacements: [] });
  return { ...state, version, tables: new Map(state.tables).set(definition.id, table) };
}

/** The table with some of what it has changed. */
export function withChange(state: State, version: number, tableId: string, change: Partial<Kept>): State {
  const table = tableState({ ...state.tables.get(tableId)!, ...change });
  return { ...state, version, tables: new Map(state.tables).set(tableId, table) };
}

export function withoutTable(state: State, version: number, tableId: string): State {
  const tables = new Map(state.tables);
  const ids = new Set(tables.get(tableId)?.segments.map(({ id }) => id));
  tables.delete(tableId);
  const loads = new Map([...state.loads].filter(([, load]) => load.tableId !== tableId));
  return {
    ...{ ...state, version, tables, loads },
    staged: new Map([...state.staged].filter(([loadId]) => loads.has(loadId))),
    quarantine: new Map([...state.quarantine].filter(([id]) => !ids.has(id))),
  };
}

/** A segment that moves its partition's committed end. */
export function withSegment(state: State, version: number, segment: SegmentEntry): State {
  const { partitions, segments } = state.tables.get(segment.tableId)!;
  const { partition, endOffset } = segment;
  return withChange(state, version, segment.tableId, {
    segments: [...segments, segment],
    partitions: partitions.with(partition, { ...partitions[partition]!, committedEnd: endOffset }),
  });
}

/** Some segments of a table gone, others in their place; committed ends stay. */
export function withSegments(
  state: State,
  version: number,
  tableId: string,
  removedIds: ReadonlySet<string>,
  added: readonly SegmentEntry[] = [],
): State {
  const kept = state.tables.get(tableId)!.segments.filter(({ id }) => !removedIds.has(id));
  const quarantine = new Map([...state.quarantine].filter(([id]) => !removedIds.has(id)));
  return { ...withChange(state, version, tableId, { segments: [...kept, ...added] }), quarantine };
}

/** A load as it is now, and what it has staged so far. */
export function withLoad(
  state: State,
  version: number,
  load: LoadEntry,
  staged: readonly SegmentEntry[] = state.staged.get(load.id) ?? [],
): State {
  const kept = new Map(state.staged);
  if (load.state === 'running' && staged.length > 0) kept.set(load.id, staged);
  else kept.delete(load.id);
  return { ...state, version, loads: new Map(state.loads).set(load.id, load), staged: kept };
}

/** Staged segments as the table's: they have their load's number. */
const publishedSegments = ({ sequence }: LoadEntry, staged: readonly SegmentEntry[]): readonly SegmentEntry[] =>
  staged.map(segment => ({ ...segment, ...(sequence !== null && { loadSequence: sequence }) }));

/** What the load staged is the table's, and what it replaces is hidden. */
export function withFinishedLoad(
  state: State,
  version: number,
  load: LoadEntry,
  replacement: Replacement | null,
  droppedIds: ReadonlySet<string>,
): State {
  const { tableId } = load;
  const published = withSegments(
    state,
    version,
    tableId,
    droppedIds,
    publishedSegments(load, state.staged.get(load.id) ?? []),
  );
  const { replacements } = state.tables.get(tableId)!;
  const table = withReplacements(
    published,
    version,
    tableId,
    replacement ? [...replacements, replacement] : replacements,
  );
  return withLoad(table, version, load);
}

/** @param replacements By sequence or not. */
export const withReplacements = (
  state: State,
  version: number,
  tableId: string,
  replacements: readonly Replacement[],
): State =>
  withChange(state, version, tableId, { replacements: [...replacements].sort((a, b) => a.sequence - b.sequence) });

export function withoutLoads(state: State, version: number, loadIds: ReadonlySet<string>): State {
  const without = <V>(entries: ReadonlyMap<string, V>) => new Map([...entries].filter(([id]) => !loadIds.has(id)));
  return { ...state, version, loads: without(state.loads), staged: without(state.staged) };
}

/** A later entry in the place of the segment's. */
export function withSegmentEntry(state: State, version: number, entry: SegmentEntry): State {
  const { segments } = state.tables.get(entry.tableId)!;
  return withChange(state, version, entry.tableId, {
    segments: segments.map(segment => (segment.id === entry.id ? entry : segment)),
  });
}

export const withServer = (state: State, version: number, server: MetaServer): State => ({
  ...{ ...state, version },
  servers: new Map(state.servers).set(server.id, server),
});

export function withoutServer(state: State, version: number, serverId: string): State {
  const servers = new Map(state.servers);
  servers.delete(serverId);
  return { ...state, version, servers };
}
