/** The metadata in memory: immutable values, replaced whole, so that whoever holds one holds one consistent state. */
import type { SegmentEntry, TableDefinition, TableSnapshot } from '../catalog/table.ts';
import type { MetaState } from '../meta/store.ts';

export interface State {
  /** Of the last metadata transaction. */
  readonly version: number;
  /** By table id, in order of creation. */
  readonly tables: ReadonlyMap<string, TableSnapshot>;
}

export function stateOf({ version, tables, segments }: MetaState): State {
  const byTable = new Map<string, SegmentEntry[]>(tables.map(({ definition }) => [definition.id, []]));
  for (const segment of segments) byTable.get(segment.tableId)!.push(segment);
  const snapshots = tables.map(({ definition, committedEnds }): [string, TableSnapshot] => [
    definition.id,
    { definition, committedEnds, segments: byTable.get(definition.id)! },
  ]);
  return { version, tables: new Map(snapshots) };
}

export const definitionsOf = (state: State): readonly TableDefinition[] =>
  Array.from(state.tables.values(), table => table.definition);

export function withTable({ tables }: State, version: number, definition: TableDefinition): State {
  const committedEnds = new Array<number>(definition.source.partitionCount).fill(0);
  return { version, tables: new Map(tables).set(definition.id, { definition, committedEnds, segments: [] }) };
}

export function withoutTable({ tables }: State, version: number, tableId: string): State {
  const rest = new Map(tables);
  rest.delete(tableId);
  return { version, tables: rest };
}

export function withSegment({ tables }: State, version: number, segment: SegmentEntry): State {
  const table = tables.get(segment.tableId)!;
  const changed: TableSnapshot = {
    definition: table.definition,
    segments: [...table.segments, segment],
    committedEnds: table.committedEnds.with(segment.partition, segment.endOffset),
  };
  return { version, tables: new Map(tables).set(segment.tableId, changed) };
}

export function withoutSegments({ tables }: State, version: number, tableId: string, ids: ReadonlySet<string>): State {
  const table = tables.get(tableId)!;
  const segments = table.segments.filter(segment => !ids.has(segment.id));
  return { version, tables: new Map(tables).set(tableId, { ...table, segments }) };
}
