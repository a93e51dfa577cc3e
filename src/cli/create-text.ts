import type { InferredTable } from '../format/infer.ts';

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The statement that creates a table for what was inferred. Names are quoted: a key of JSON may be any word. */
export function createTableText(table: string, { columns, timeColumn }: InferredTable): string {
  const width = Math.max(...columns.map(({ name }) => quoteName(name).length));
  const lines = columns.map(
    ({ name, type, nullable }) => `  ${quoteName(name).padEnd(width)} ${type.name}${nullable ? '' : ' NOT NULL'}`,
  );
  const options = timeColumn === null ? '' : `\nWITH (time_column = ${quoteText(timeColumn)})`;
  return `CREATE TABLE ${quoteName(table)} (\n${lines.join(',\n')}\n)\nFROM LOG${options}`;
}
