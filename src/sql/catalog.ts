/** What the binder knows of the world: tables by name. A plain snapshot; it never changes under a statement. */
import { fault } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { matchName } from '../catalog/name.ts';
import type { TableDefinition } from '../catalog/table.ts';
import type { Type } from '../column/type.ts';
import type { TableName } from './ast.ts';

/** A table whose rows the broker makes up at the query's start. */
export interface SystemTable {
  /** With its schema: `system.queries`. Also the name of its `inline` node. */
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: Type }[];
}

export interface SqlCatalog {
  readonly tables: readonly TableDefinition[];
  readonly systemTables: readonly SystemTable[];
}

export type ResolvedTable =
  | { readonly kind: 'table'; readonly definition: TableDefinition }
  | { readonly kind: 'system'; readonly table: SystemTable };

/** The schema of every table that is not a system table; it need not be written. */
const publicSchema = 'public';

export const isPublic = (name: TableName): boolean =>
  name.schema === null || name.schema.toLowerCase() === publicSchema;

const writtenName = (name: TableName): string => (name.schema === null ? name.text : `${name.schema}.${name.text}`);

/** @throws {FaultError} AMBIGUOUS_NAME; null where there is no such table. */
export function findTable(catalog: SqlCatalog, name: TableName): ResolvedTable | null {
  const written = writtenName(name);
  if (!isPublic(name)) {
    const [table] = matchName(catalog.systemTables, written);
    return table === undefined ? null : { kind: 'system', table };
  }
  const found = matchName(catalog.tables, name.text);
  if (found.length > 1)
    throw fault('AMBIGUOUS_NAME', `table ${written} is ambiguous`, {
      position: name.at,
      hint: `write one of ${found.map(table => table.name).join(', ')} exactly`,
    });
  return found[0] === undefined ? null : { kind: 'table', definition: found[0] };
}

/** @throws {FaultError} UNKNOWN_TABLE, AMBIGUOUS_NAME */
export function resolveTable(catalog: SqlCatalog, name: TableName): ResolvedTable {
  const found = findTable(catalog, name);
  if (found !== null) return found;
  const written = writtenName(name);
  const systemNames = catalog.systemTables.map(table => table.name);
  const inSchema = systemNames.find(system => system.split('.')[1] === name.text.toLowerCase());
  const hint =
    inSchema !== undefined && isPublic(name)
      ? `did you mean ${inSchema}?`
      : (didYouMean(written, [...catalog.tables.map(table => table.name), ...systemNames]) ??
        'SHOW TABLES lists the tables there are');
  throw fault('UNKNOWN_TABLE', `unknown table ${written}`, { position: name.at, hint });
}

/** A table that rows can be pushed to and that DDL may change. @throws {FaultError} UNKNOWN_TABLE, UNSUPPORTED */
export function resolveStoredTable(catalog: SqlCatalog, name: TableName): TableDefinition {
  const found = resolveTable(catalog, name);
  if (found.kind === 'table') return found.definition;
  throw fault('UNSUPPORTED', `${found.table.name} is a system table: it can only be read`, { position: name.at });
}
