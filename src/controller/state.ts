/** The metadata in memory: immutable values, replaced whole, so that whoever holds one holds one consistent state. */
import type { SegmentEntry, TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { MetaPartition, MetaState } from '../meta/store.ts';

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
}

export function stateOf({ version, tables, segments }: MetaState): State {
  const byTable = new Map<string, SegmentEntry[]>(tables.map(({ definition }) => [definition.id, []]));
  for (const segment of segments) byTable.get(segment.tableId)!.push(segment);
  const states = tables.map(({ definition, paused, partitions }): [string, TableState] => [
    definition.id,
    tableState(definition, paused, partitions, byTable.get(definition.id)!),
  ]);
  return { version, tables: new Map(states) };
}

/** What is in both is derived here and nowhere else. */
const tableState = (
  definition: TableDefinition,
  paused: boolean,
  partitions: readonly MetaPartition[],
  segments: readonly SegmentEntry[],
): TableState => ({
  ...{ definition, paused, partitions, segments },
  committedEnds: partitions.map(({ committedEnd }) => committedEnd),
  epochs: partitions.map(({ epoch }) => epoch),
});

export const definitionsOf = (state: State): readonly TableDefinition[] =>
  Array.from(state.tables.values(), table => table.definition);

export function withTable({ tables }: State, version: number, definition: TableDefinition): State {
  const { source } = definition;
  const partitions: MetaPartition[] = Array.from({ length: source.kind === 'log' ? source.partitionCount : 0 }, () => ({
    ...{ committedEnd: 0, paused: false, streamId: null, epoch: 0 },
  }));
  return { version, tables: new Map(tables).set(definition.id, tableState(definition, false, partitions, [])) };
}

/** The table with some of what it has changed. */
export function withChange(
  { tables }: State,
  version: number,
  tableId: string,
  change: Partial<Pick<TableState, 'definition' | 'paused' | 'partitions' | 'segments'>>,
): State {
  const { definition, paused, partitions, segments } = { ...tables.get(tableId)!, ...change };
  return { version, tables: new Map(tables).set(tableId, tableState(definition, paused, partitions, segments)) };
}

export function withoutTable({ tables }: State, version: number, tableId: string): State {
  const rest = new Map(tables);
  rest.delete(tableId);
  return { version, tables: rest };
}

export function withSegment(state: State, version: number, segment: SegmentEntry): State {
  const { partitions, segments } = state.tables.get(segment.tableId)!;
  const { partition, endOffset } = segment;
  return withChange(state, version, segment.tableId, {
    segments: [...segments, segment],
    partitions: partitions.with(partition, { ...partitions[partition]!, committedEnd: endOffset }),
  });
}

export const withoutSegments = (state: State, version: number, tableId: string, ids: ReadonlySet<string>): State =>
  withChange(state, version, tableId, {
    segments: state.tables.get(tableId)!.segments.filter(segment => !ids.has(segment.id)),
  });
