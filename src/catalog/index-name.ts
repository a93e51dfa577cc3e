/** Names of indexes: unique in their table, told by table, column and kind where none was given. */
import { fault } from '../base/fault.ts';
import { foldName, nameLengthMax } from './name.ts';
import type { IndexDefinition, IndexKind, TableDefinition } from './table.ts';

type Indexed = Pick<TableDefinition, 'name' | 'columns' | 'indexes'>;

/** They stand in the text of options, between signs. */
const namePattern = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u;

/** @throws FaultError INVALID_DEFINITION */
export function checkIndexName(name: string): void {
  if (name.length <= nameLengthMax && namePattern.test(name)) return;
  throw fault('INVALID_DEFINITION', `${JSON.stringify(name.slice(0, nameLengthMax))} is not a name of an index`, {
    hint: `use up to ${nameLengthMax} letters, digits, _ and -, beginning with a letter or _`,
  });
}

function plainName({ name, columns }: Indexed, columnId: number, kind: IndexKind): string {
  const column = columns.find(({ id }) => id === columnId)?.name ?? String(columnId);
  const end = `_${kind}`;
  return `${name}_${column.replaceAll(/[^\p{L}\p{M}\p{N}_-]/gu, '_')}`.slice(0, nameLengthMax - end.length) + end;
}

export const indexNameOf = (table: Indexed, { columnId, kind, name }: IndexDefinition): string =>
  name ?? plainName(table, columnId, kind);

/** Its own name where the table would not call it so anyway. */
export const givenNameOf = (table: Indexed, index: IndexDefinition): string | null =>
  index.name === undefined || index.name === plainName(table, index.columnId, index.kind) ? null : index.name;

/** Found without regard to case; null where there is none. */
export const findIndex = (table: Indexed, name: string): IndexDefinition | null =>
  table.indexes.find(index => foldName(indexNameOf(table, index)) === foldName(name)) ?? null;

/** The plain name, with a number behind it where that is taken. */
export function freshIndexName(table: Indexed, columnId: number, kind: IndexKind): string {
  const plain = plainName(table, columnId, kind);
  for (let number = 1; ; number++) {
    const end = `_${number}`;
    const name = number === 1 ? plain : plain.slice(0, nameLengthMax - end.length) + end;
    if (findIndex(table, name) === null) return name;
  }
}
