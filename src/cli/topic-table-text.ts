/** CREATE TABLE … FROM KAFKA of a proposal, with the reasons as comments. What is shown is what runs. */
import type { KafkaSource } from '../catalog/table.ts';
import { typeText } from '../column/type.ts';
import { plural } from './io.ts';
import { showControls } from './text.ts';
import { type Proposal, type ProposedColumn, quoteName } from './topic-proposal.ts';

const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Secrets are in it as the references that they are. */
export function topicTableText(table: string, source: KafkaSource, proposal: Proposal): string {
  const { columns, timeColumn } = proposal;
  const indexed = columns.filter(column => column.indexed).map(({ name }) => `${name}: inverted`);
  const options = [
    ...(timeColumn === null ? [] : [['time_column', timeColumn] as const]),
    ...(indexed.length === 0 ? [] : [['index', indexed.join(', ')] as const]),
  ];
  const parts = [
    ...heading(proposal),
    `CREATE TABLE ${quoteName(table)} (`,
    ...columnLines(columns),
    ')',
    'FROM KAFKA (',
    ...optionLines(sourceOptions({ ...source, format: proposal.format })),
    ')',
    ...(options.length === 0 ? [] : ['WITH (', ...optionLines(options), ')']),
    ...transformLines(columns),
  ];
  return parts.join('\n');
}

function heading({ rowCount, rejects, leftOut }: Proposal): string[] {
  const rejected = rejects.reduce((sum, reject) => sum + reject.count, 0);
  const found = `From ${plural(rowCount, 'row')} of the topic${rejected > 0 ? `; ${plural(rejected, 'message')} did not fit` : ''}.`;
  return [found, ...leftOut.map(reason => `Left out: ${reason}.`)].map(comment);
}

/** One line: a line break in it would end the comment. */
const comment = (text: string): string => `-- ${showControls(text)}`;

function columnLines(columns: readonly ProposedColumn[]): string[] {
  const nameWidth = Math.max(...columns.map(({ name }) => quoteName(name).length));
  const lines = columns.map(({ name, type, nullable }, index) => {
    const end = index === columns.length - 1 ? '' : ',';
    return `  ${quoteName(name).padEnd(nameWidth)} ${typeText(type)}${nullable ? '' : ' NOT NULL'}${end}`;
  });
  const width = Math.max(...lines.map(line => line.length));
  return lines.map((line, index) => {
    const { reason } = columns[index]!;
    return reason === null ? line : `${line.padEnd(width)} ${comment(reason)}`;
  });
}

type Options = readonly (readonly [name: string, value: string | boolean | null])[];

/** What differs from the defaults. */
const sourceOptions = ({ brokers, topic, format, tls, sasl, schemaRegistry }: KafkaSource): Options => [
  ['brokers', brokers.join(',')],
  ['topic', topic],
  ['format', format],
  ['tls', tls === null ? null : true],
  ['tls_ca', tls?.ca ?? null],
  ['sasl_mechanism', sasl?.mechanism ?? null],
  ['sasl_username', sasl?.username ?? null],
  ['sasl_password', sasl?.password ?? null],
  ['schema_registry', schemaRegistry?.url ?? null],
];

const optionLines = (options: Options): string[] => {
  const given = options.filter(([, value]) => value !== null);
  return given.map(([name, value], index) => {
    const end = index === given.length - 1 ? '' : ',';
    return `  ${name} = ${typeof value === 'string' ? quoteText(value) : value}${end}`;
  });
};

/** None where every field is a column as it is. */
function transformLines(columns: readonly ProposedColumn[]): string[] {
  if (columns.every(({ expression }) => expression === null)) return [];
  const list = (items: readonly string[]): string[] =>
    items.map((item, index) => `  ${item}${index === items.length - 1 ? '' : ','}`);
  const outputs = columns.map(({ name, expression }) =>
    expression === null ? quoteName(name) : `${expression} AS ${quoteName(name)}`,
  );
  const fields = columns.flatMap(({ name, fieldType }) =>
    fieldType === null ? [] : [`${quoteName(name)} ${typeText(fieldType)}`],
  );
  return ['AS SELECT', ...list(outputs), 'FROM message (', ...list(fields), ')'];
}
