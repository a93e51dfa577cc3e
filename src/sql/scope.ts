/** The columns that an expression may name: those of FROM. */
import { fault, type Position } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { matchName } from '../catalog/name.ts';
import { type TableDefinition, virtualColumns } from '../catalog/table.ts';
import { INT, LONG, STRING, TIMESTAMP, type Type } from '../column/type.ts';
import type { Expr } from '../plan/expr.ts';

export interface ScopeColumn {
  /** Name or alias of the FROM item. */
  readonly table: string | null;
  readonly name: string;
  readonly type: Type;
  /** Output column of the node below. */
  readonly index: number;
  /** Not in `*`. */
  readonly isHidden: boolean;
}

/** Columns that every stored table has without declaring them. */
const virtualScope: readonly { readonly id: number; readonly name: string; readonly type: Type }[] = [
  { id: virtualColumns.offset, name: '$offset', type: LONG },
  { id: virtualColumns.partition, name: '$partition', type: INT },
  { id: virtualColumns.segment, name: '$segment', type: STRING },
  { id: virtualColumns.ingestedAt, name: '$ingested_at', type: TIMESTAMP },
];

/** Declared columns, then virtual ones: the order of an unpruned scan. */
export const scanColumns = (
  definition: TableDefinition,
): readonly { readonly id: number; readonly name: string; readonly type: Type }[] => [
  ...definition.columns.map(({ id, name, type }) => ({ id, name, type })),
  ...virtualScope,
];

export class Scope {
  readonly columns: readonly ScopeColumn[];
  /** Of the query around, only to explain that its columns cannot be used. */
  readonly #outer: Scope | null;

  constructor(columns: readonly ScopeColumn[], outer: Scope | null = null) {
    this.columns = columns;
    this.#outer = outer;
  }

  /** `column` or `table.column`; null where nothing has that name. @throws {FaultError} AMBIGUOUS_NAME */
  find(parts: readonly string[], at: Position): ScopeColumn | null {
    const name = parts.at(-1)!;
    const qualifier = parts.length > 1 ? parts.at(-2)! : null;
    const candidates = qualifier === null ? this.columns : this.#ofTable(qualifier);
    const found = matchName(candidates, name);
    if (found.length > 1) throw ambiguousColumn(parts.join('.'), found, at);
    return found[0] ?? null;
  }

  /** @throws {FaultError} UNKNOWN_COLUMN, UNKNOWN_TABLE, UNSUPPORTED (a column of the query around) */
  unknown(parts: readonly string[], position: Position): Error {
    const written = parts.join('.');
    const qualifier = parts.length > 1 ? parts.at(-2)! : null;
    if (this.#outer?.find(parts, position))
      return fault(
        'UNSUPPORTED',
        `${written} belongs to the query around: correlated subqueries are not supported yet`,
        {
          position,
        },
      );
    if (qualifier !== null && this.#ofTable(qualifier).length === 0) {
      const tables = new Set(this.columns.flatMap(column => column.table ?? []));
      const hint =
        didYouMean(qualifier, tables) ?? (tables.size > 0 ? `FROM has ${[...tables].join(', ')}` : undefined);
      return fault('UNKNOWN_TABLE', `unknown table ${qualifier} in ${written}`, { position, hint });
    }
    if (this.columns.length === 0)
      return fault('UNKNOWN_COLUMN', `unknown column ${written}: there is no FROM`, {
        position,
        hint: 'write a string in single quotes',
      });
    const hint = didYouMean(
      parts.at(-1)!,
      this.columns.map(column => column.name),
    );
    return fault('UNKNOWN_COLUMN', `unknown column ${written}`, { position, hint });
  }

  /** Visible columns of `*`, or of `table.*`. @throws {FaultError} UNKNOWN_TABLE */
  expand(table: string | null, position: Position): readonly ScopeColumn[] {
    const columns = table === null ? this.columns : this.#ofTable(table);
    if (table !== null && columns.length === 0) throw this.unknown([table, '*'], position);
    return columns.filter(column => !column.isHidden);
  }

  #ofTable(qualifier: string): readonly ScopeColumn[] {
    const tables = [...new Set(this.columns.flatMap(column => column.table ?? []))].map(name => ({ name }));
    const [table] = matchName(tables, qualifier);
    return table === undefined ? [] : this.columns.filter(column => column.table === table.name);
  }
}

function ambiguousColumn(written: string, found: readonly ScopeColumn[], position: Position): Error {
  const names = [...new Set(found.map(column => `"${column.name}"`))];
  return fault('AMBIGUOUS_NAME', `column ${written} is ambiguous`, {
    position,
    hint: names.length > 1 ? `write one of ${names.join(', ')} exactly` : 'give the columns different names',
  });
}

export const columnExpr = (column: { readonly index: number; readonly type: Type }): Expr => ({
  kind: 'column',
  type: column.type,
  index: column.index,
});
