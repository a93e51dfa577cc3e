/** A table as the CREATE TABLE statement that makes it again; secrets are the references that they are. */
import { givenNameOf } from '../catalog/index-name.ts';
import type { ColumnDefinition, KafkaSource, TableDefinition } from '../catalog/table.ts';
import { formatTimestampIso } from '../column/text.ts';
import { type Type, typeText, type Value } from '../column/type.ts';
import { valueText } from '../plan/text.ts';
import { transformText } from './transform-syntax.ts';
import { nameText, stringText } from './unquote.ts';

export function createTableText(table: TableDefinition): string {
  const { source } = table;
  const lines = [
    `CREATE TABLE ${nameText(table.name)} (`,
    table.columns.map(column => `  ${columnText(column)}`).join(',\n'),
    `)${source.kind === 'kafka' ? ` FROM KAFKA (\n${optionsText(kafkaOptions(source))}\n)` : ''}`,
  ];
  const text = `${lines.join('\n')} WITH (\n${optionsText(tableOptions(table))}\n)`;
  if (source.kind === 'log' || source.transform === null) return text;
  return `${text} AS\n${transformText(source.transform)}`;
}

function columnText({ name, type, nullable, defaultValue }: ColumnDefinition): string {
  const fallback = defaultValue === null ? '' : ` DEFAULT ${literalText(defaultValue, type)}`;
  return `${nameText(name)} ${typeText(type)}${nullable ? '' : ' NOT NULL'}${fallback}`;
}

/** NaN and the infinities are written as text, which takes the column's type. */
const literalText = (value: Value, type: Type): string =>
  typeof value === 'number' && !Number.isFinite(value) ? stringText(String(value)) : valueText(value, type);

type Options = readonly (readonly [name: string, value: string | number | boolean | null])[];

const optionsText = (options: Options): string =>
  options
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `  ${name} = ${typeof value === 'string' ? stringText(value) : value}`)
    .join(',\n');

function kafkaOptions(source: KafkaSource): Options {
  const { startFrom, tls, sasl, schemaRegistry } = source;
  return [
    ['brokers', source.brokers.join(',')],
    ['topic', source.topic],
    ['format', source.format],
    ['isolation', source.isolation],
    ['start_from', typeof startFrom === 'number' ? formatTimestampIso(startFrom) : startFrom],
    ['on_lost_offsets', source.onLostOffsets],
    ['on_topic_recreated', source.onTopicRecreated],
    ['unknown_fields', source.unknownFields],
    ['dead_letter_topic', source.deadLetterTopic],
    ['tls', tls === null ? null : true],
    ['tls_ca', tls?.ca ?? null],
    ['tls_certificate', tls?.certificate ?? null],
    ['tls_key', tls?.key ?? null],
    ['sasl_mechanism', sasl?.mechanism ?? null],
    ['sasl_username', sasl?.username ?? null],
    ['sasl_password', sasl?.password ?? null],
    ['schema_registry', schemaRegistry?.url ?? null],
    ['schema_registry_username', schemaRegistry?.username ?? null],
    ['schema_registry_password', schemaRegistry?.password ?? null],
  ];
}

function tableOptions(table: TableDefinition): Options {
  const { columns, timeColumnId, indexes, settings } = table;
  const nameOf = (id: number): string => columns.find(column => column.id === id)?.name ?? '';
  return [
    ['time_column', timeColumnId === null ? null : nameOf(timeColumnId)],
    [
      'index',
      indexes.length === 0
        ? null
        : indexes
            .map(index => [`${nameOf(index.columnId)}: ${index.kind}`, givenNameOf(table, index)])
            .map(parts => parts.filter(part => part !== null).join(' '))
            .join(', '),
    ],
    ['segment_rows', settings.segmentRows],
    ['segment_age', `${settings.segmentAgeMs} milliseconds`],
    ['retention', settings.retentionMs === null ? null : `${settings.retentionMs} milliseconds`],
  ];
}
