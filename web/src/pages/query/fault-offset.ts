import type { Failure } from '../../api/use-statement.ts';

export const explainPrefix = 'EXPLAIN ';

/** Where in the editor's text a statement failed; null where that is unknown or the text is another by now. */
export function faultOffset({ sql, error }: Failure, draft: string): number | null {
  if (!error.position) return null;
  if (sql === draft) return error.position.offset;
  if (sql === explainPrefix + draft) return Math.max(0, error.position.offset - explainPrefix.length);
  return null;
}

/** Line and column, both from 1. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
