/** Tables: made, changed, dropped. Each change is durable, then told to those who follow the catalog, then answered. */
import { fault, toFault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import { changeTable } from '../catalog/change.ts';
import { findTable, matchName } from '../catalog/name.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { defineTable, withColumns } from '../catalog/validate.ts';
import type { Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { Changes } from './changes.ts';
import type { Garbage } from './garbage.ts';
import { tableCountMax } from './settings.ts';
import { definitionsOf, withChange, withoutTable, withTable } from './state.ts';

type TableHandlers = Pick<Handlers<ControllerCalls>, 'createTable' | 'dropTable' | 'addColumns' | 'alterTable'>;

export interface TableComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly changes: Changes;
  readonly garbage: Garbage;
  /** Awaited before the statement is answered, so that a push that follows it is taken. */
  catalogChanged(): Promise<void>;
  /** Segments may lack indexes of the table. */
  indexesChanged(tableId: string): void;
}

export function tableHandlers(components: TableComponents): TableHandlers {
  const { clock, random, log, changes, garbage } = components;

  const tell = async (): Promise<void> => {
    try {
      await components.catalogChanged();
    } catch (error) {
      log.warn('a listener failed to follow a change of tables', { cause: toFault(error).message });
    }
  };

  const freshTableId = (): string => {
    for (;;) {
      const id = random.hex(12);
      if (!changes.state.tables.has(id)) return id;
    }
  };

  /** One transaction, and those who follow are told; null where there is nothing to become. */
  async function redefine(
    tableId: string,
    become: (old: TableDefinition) => TableDefinition | null,
  ): Promise<TableDefinition | null> {
    const { definition, changed } = await changes.run(async (meta, set) => {
      const { definition: old } = changes.table(tableId);
      const definition = become(old);
      if (definition === null || definition === old) return { definition, changed: false };
      set(withChange(changes.state, await meta.updateTable(definition), tableId, { definition }));
      return { definition, changed: true };
    });
    if (changed) await tell();
    if (changed) components.indexesChanged(tableId);
    return definition;
  }

  return {
    async createTable({ definition: request, ifNotExists }) {
      const { definition, created } = await changes.run(async (meta, set) => {
        const definitions = definitionsOf(changes.state);
        const [existing] = matchName(definitions, request.name);
        if (existing !== undefined && ifNotExists) return { definition: existing, created: false };
        if (existing !== undefined) throw tableExists(request.name, existing.name);
        if (definitions.length >= tableCountMax)
          throw fault('LIMIT_EXCEEDED', `there are ${definitions.length} tables`, {
            hint: `at most ${tableCountMax} are allowed: drop one that is not used`,
          });
        const definition = defineTable(request, { id: freshTableId(), createdAtMs: clock.nowMs() });
        set(withTable(changes.state, await meta.createTable(definition), definition));
        return { definition, created: true };
      });
      if (created) await tell();
      return definition;
    },

    async dropTable({ name, ifExists }) {
      const dropped = await changes.run(async (meta, set) => {
        const definitions = definitionsOf(changes.state);
        if (ifExists && matchName(definitions, name).length === 0) return false;
        const { id } = findTable(definitions, name);
        const segmentIds = changes.table(id).segments.map(segment => segment.id);
        set(withoutTable(changes.state, await meta.dropTable(id), id));
        garbage.dropTable(id, segmentIds, changes.state.version);
        return true;
      });
      if (dropped) await tell();
      return { dropped };
    },

    addColumns: ({ tableId, columns }) =>
      redefine(tableId, old => withColumns(old, columns)) as Promise<TableDefinition>,

    alterTable: ({ tableId, version, changes: asked }) =>
      redefine(tableId, old => (old.version === version ? changeTable(old, asked) : null)),
  };
}

const tableExists = (wanted: string, existing: string) =>
  fault('TABLE_EXISTS', `table ${existing} exists`, {
    hint:
      wanted === existing
        ? 'choose another name, or say IF NOT EXISTS'
        : `names are found without regard to case, so ${wanted} would be ambiguous`,
  });
