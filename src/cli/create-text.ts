import { type Type, typeText } from '../column/type.ts';

interface ProposedTable {
  readonly columns: readonly {
    readonly name: string;
    readonly type: Type;
    readonly nullable: boolean;
    /** An inverted index is worth its room. */
    readonly lowCardinality?: boolean;
  }[];
  readonly timeColumn: string | null;
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The statement that creates a table for what was inferred. Names are quoted: a key of JSON may be any word. */
export function createTableText(table: string, { columns, timeColumn }: ProposedTable): string {
  const width = Math.max(...columns.map(({ name }) => quoteName(name).length));
  const lines = columns.map(
    ({ name, type, nullable }) => `  ${quoteName(name).padEnd(width)} ${typeText(type)}${nullable ? '' : ' NOT NULL'}`,
  );
  // The option's commas stand between columns.
  const indexed = columns
    .filter(({ name, lowCardinality }) => lowCardinality && !name.includes(','))
    .map(({ name }) => name);
  const options = [
    ...(timeColumn === null ? [] : [`time_column = ${quoteText(timeColumn)}`]),
    ...(indexed.length === 0 ? [] : [`index = ${quoteText(indexed.map(name => `${name}: inverted`).join(', '))}`]),
  ];
  const text = `CREATE TABLE ${quoteName(table)} (\n${lines.join(',\n')}\n)\nFROM LOG`;
  return options.length === 0 ? text : `${text} WITH (${options.join(', ')})`;
}
