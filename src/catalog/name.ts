/** Names of tables and columns: which are allowed, and how one is looked up. */
import { fault, type Position } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import type { ColumnDefinition, TableDefinition } from './table.ts';

/** Characters in a name: twice PostgreSQL's 63, so that paths flattened from JSON (`user.address.city`) fit. */
export const nameLengthMax = 128;

interface Named {
  readonly name: string;
}

/** What two names that differ only by case or Unicode form have in common. */
export const foldName = (name: string): string => name.normalize('NFC').toLowerCase();

/**
 * The lookup rule for every name in Weir: those spelt exactly so; if there is none, those spelt so but for case.
 * More than one: the name is ambiguous.
 */
export function matchName<T extends Named>(items: readonly T[], name: string): readonly T[] {
  const exact = items.filter(item => item.name === name);
  if (exact.length > 0) return exact;
  const folded = foldName(name);
  return items.filter(item => foldName(item.name) === folded);
}

function findNamed<T extends Named>(
  items: readonly T[],
  name: string,
  what: 'table' | 'column',
  position?: Position,
): T {
  const found = matchName(items, name);
  if (found.length === 1) return found[0]!;
  const names = (of: readonly T[]) => of.map(item => item.name);
  if (found.length > 1)
    throw fault('AMBIGUOUS_NAME', `${what} ${name} is ambiguous: ${names(found).join(', ')}`, {
      position,
      hint: 'write the name in the case that it was created with',
    });
  throw fault(what === 'table' ? 'UNKNOWN_TABLE' : 'UNKNOWN_COLUMN', `unknown ${what} ${name}`, {
    position,
    hint: didYouMean(name, names(items)),
  });
}

/** @throws FaultError UNKNOWN_TABLE with the nearest name, AMBIGUOUS_NAME */
export const findTable = (tables: readonly TableDefinition[], name: string, position?: Position): TableDefinition =>
  findNamed(tables, name, 'table', position);

/** @throws FaultError UNKNOWN_COLUMN with the nearest name, AMBIGUOUS_NAME */
export const findColumn = (
  definition: Pick<TableDefinition, 'columns'>,
  name: string,
  position?: Position,
): ColumnDefinition => findNamed(definition.columns, name, 'column', position);

/** Tables stand in URLs and unquoted SQL: letters, digits, `_` and `-`, a letter or `_` first. */
const tableNamePattern = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u;
/** Columns are named by the data: anything printable. Controls, lone surrogates and line separators are not. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

export function checkTableName(name: string): void {
  checkLength(name, 'table');
  if (name.startsWith('$')) throw reserved(name, 'table');
  if (!tableNamePattern.test(name))
    throw fault('INVALID_DEFINITION', `${JSON.stringify(name)} is not a table name`, {
      hint: 'use letters, digits, _ and -, beginning with a letter or _',
    });
}

export function checkColumnName(name: string): void {
  checkLength(name, 'column');
  if (name.startsWith('$')) throw reserved(name, 'column');
  if (unprintable.test(name) || name.trim() !== name)
    throw fault('INVALID_DEFINITION', `${JSON.stringify(name)} is not a column name`, {
      hint: 'use printable characters, without spaces at either end',
    });
}

/** For names that data brings: whether a column may have it. */
export function isColumnName(name: string): boolean {
  try {
    checkColumnName(name);
    return true;
  } catch {
    return false;
  }
}

function checkLength(name: string, what: string): void {
  if (typeof name !== 'string' || name.length === 0)
    throw fault('INVALID_DEFINITION', `a ${what} has no name`, { hint: `give every ${what} a name` });
  if (name.length > nameLengthMax)
    throw fault('INVALID_DEFINITION', `the ${what} name ${name.slice(0, 32)}… has ${name.length} characters`, {
      hint: `at most ${nameLengthMax} are allowed`,
    });
}

const reserved = (name: string, what: string) =>
  fault('INVALID_DEFINITION', `the ${what} name ${name} begins with $`, {
    hint: 'names that begin with $ are virtual columns such as $offset',
  });
