/** A table proposed for a topic from a sample of its messages, which the server's own decoders have read. */
import { fault } from '../base/fault.ts';
import { foldName, isColumnName } from '../catalog/name.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { KafkaSource, MessageFormat } from '../catalog/table.ts';
import type { Column } from '../column/column.ts';
import { TIMESTAMP, type Type, type TypeName } from '../column/type.ts';
import { valueAt } from '../column/value.ts';
import { chooseTimeColumn, inferColumns, suggestsTime } from '../format/infer.ts';
import { createMessageDecoder } from '../format/message-decoder.ts';
import type { DecodedMessages, Messages } from '../format/messages.ts';
import { guessFormat, inferCsvColumns, jsonSample, packMessages } from '../format/sample.ts';
import { schemaIdOf } from '../format/schema-frame.ts';
import { count } from './io.ts';
import type { SampledMessage } from './topic-sample.ts';

/** A field of the messages, and the column that it becomes. */
export interface ProposedColumn {
  readonly name: string;
  /** As messages have it; null: the time that Kafka has for the message. */
  readonly fieldType: Type | null;
  readonly type: Type;
  readonly nullable: boolean;
  readonly indexed: boolean;
  /** What makes a value of the field one of the column, where they differ; SQL. */
  readonly expression: string | null;
  /** Why it is so; null where it speaks for itself. */
  readonly reason: string | null;
}

export interface RejectSummary {
  readonly count: number;
  readonly reason: string;
  /** The first one. */
  readonly partition: number;
  readonly offset: number;
}

export interface Proposal {
  readonly format: MessageFormat;
  readonly columns: readonly ProposedColumn[];
  readonly timeColumn: string | null;
  /** Fields without a column, each with the reason. */
  readonly leftOut: readonly string[];
  readonly rowCount: number;
  readonly tombstoneCount: number;
  /** Of the sample, most frequent first. */
  readonly rejects: readonly RejectSummary[];
}

/** Below so many values nothing can be said of how many different ones there are. */
const cardinalityRowsMin = 20;
/** At most so many different strings in the sample: beyond it they are likely to be nearly distinct in the table. */
const indexedValuesMax = 100;
/** And each of them often enough to be one of few. */
const rowsPerIndexedValueMin = 4;
/** Wider events belong in a JSON column; a CREATE TABLE of more is nothing to read. */
const proposedColumnsMax = 200;

/** Integers from 2001 to 2100 in other units than milliseconds, by what makes milliseconds of them. */
const epochs = [
  { unit: 'seconds', min: 978_307_200, max: 4_102_444_800, factor: ' * 1000' },
  { unit: 'microseconds', min: 978_307_200e6, max: 4_102_444_800e6, factor: ' / 1000' },
  { unit: 'nanoseconds', min: 978_307_200e9, max: 4_102_444_800e9, factor: ' / 1000000' },
] as const;

/** The column of a message's own time, where its fields have none. */
const messageTimeName = 'message_time';

/**
 * @param source Its format is what was asked for, if `isFormatGiven`.
 * @throws FaultError INVALID_ROWS where nothing can be made of the messages, UNAVAILABLE of the registry
 */
export async function proposeTable(
  sample: readonly SampledMessage[],
  source: KafkaSource,
  isFormatGiven: boolean,
  schemas: SchemaSource | null,
): Promise<Proposal> {
  const values = sample.flatMap(({ value }) => (value === null || value.length === 0 ? [] : [value]));
  const format = isFormatGiven ? source.format : await formatOf(values, schemas);
  const messages = packMessages(sample.map(({ value }) => value));
  const { fields, leftOut } = usable(await fieldsOf(format, values, messages, schemas));
  const decoded = await decode(format, fields, messages, schemas);
  const rejects = summarize(decoded, sample);
  const { batch } = decoded;
  if (batch.rowCount === 0 || fields.length === 0)
    throw fault('INVALID_ROWS', `none of ${count(values.length)} messages is a row of format ${format}`, {
      hint: rejects[0]
        ? `the first says: ${rejects[0].reason}`
        : 'give another --format, or write CREATE TABLE yourself',
    });
  const columns = fields.map(({ name, type }, index) => columnOf(name, type, batch.columns[index]!));
  const times = columns.flatMap(({ column, nulls }) =>
    column.type.name === 'TIMESTAMP' && nulls < batch.rowCount ? [{ name: column.name, full: nulls === 0 }] : [],
  );
  const chosen = chooseTimeColumn(times);
  const proposed = columns.map(({ column, nulls }): ProposedColumn => {
    if (column.name !== chosen) return column;
    const why = ['the time of the event', ...(column.reason === null ? [] : [column.reason])].join(', ');
    return { ...column, nullable: nulls > 0, reason: why };
  });
  const timeColumn = chosen ?? addMessageTime(proposed);
  const tombstoneCount = sample.length - values.length;
  return { format, columns: proposed, timeColumn, leftOut, rowCount: batch.rowCount, tombstoneCount, rejects };
}

// ── format ────────────────────────────────────────────────────────────────────────────────────────────────────

async function formatOf(values: readonly Uint8Array[], schemas: SchemaSource | null): Promise<MessageFormat> {
  const guess = guessFormat(values);
  if (guess === 'json' || guess === 'csv' || guess === 'arrow') return guess;
  if (guess === null)
    throw fault('INVALID_ROWS', 'the messages are neither JSON nor CSV nor Arrow, and name no schema', {
      hint: 'give --format, or write CREATE TABLE … FROM KAFKA yourself',
    });
  if (schemas === null)
    throw fault('INVALID_ROWS', 'the messages begin with the id of a schema in a registry', {
      hint: 'give --schema-registry http://HOST:PORT',
    });
  if (guess === 'framed json') return 'json';
  const id = schemaIdOf(values.find(value => schemaIdOf(value, 0, value.length) >= 0)!, 0, 5);
  const schema = await schemas.schema(id);
  if (schema === null)
    throw fault('NOT_FOUND', `the registry does not know schema ${id}, which the messages name`, {
      hint: 'is it the registry that the producers use?',
    });
  return ({ AVRO: 'avro', PROTOBUF: 'protobuf', JSON: 'json' } as const)[schema.type];
}

// ── fields ────────────────────────────────────────────────────────────────────────────────────────────────────

interface Field {
  readonly name: string;
  readonly type: Type;
}

async function fieldsOf(
  format: MessageFormat,
  values: readonly Uint8Array[],
  messages: Messages,
  schemas: SchemaSource | null,
): Promise<readonly Field[]> {
  if (format === 'json') return inferColumns(jsonSample(values, schemas !== null)).columns;
  if (format === 'csv') return inferCsvColumns(values);
  // Typed formats: what the decoder meets where the table has no column for it.
  const { unknownFields } = await decode(format, [], messages, schemas);
  return Array.from(unknownFields, ([name, type]) => ({ name, type }));
}

/** Those that can be columns. */
function usable(fields: readonly Field[]): { readonly fields: readonly Field[]; readonly leftOut: readonly string[] } {
  const kept = new Map<string, Field>();
  const leftOut: string[] = [];
  for (const field of fields) {
    const shown = JSON.stringify(field.name.slice(0, 40));
    const twin = kept.get(foldName(field.name));
    if (twin !== undefined) leftOut.push(`${shown}: differs from ${twin.name} only by case`);
    else if (kept.size === proposedColumnsMax)
      leftOut.push(`${shown}: the ${proposedColumnsMax} fields before it are enough`);
    else if (isColumnName(field.name)) kept.set(foldName(field.name), field);
    else leftOut.push(`${shown}: not a name that a column can have`);
  }
  return { fields: [...kept.values()], leftOut };
}

const decode = (
  format: MessageFormat,
  fields: readonly Field[],
  messages: Messages,
  schemas: SchemaSource | null,
): Promise<DecodedMessages> => {
  const columns = fields.map(({ name, type }, index) => ({
    ...{ id: index + 1, name, type, nullable: true, defaultValue: null },
  }));
  return createMessageDecoder({ format, target: { columns }, schemas }).decode(messages);
};

// ── columns ───────────────────────────────────────────────────────────────────────────────────────────────────

const spoken: Partial<Record<TypeName, string>> = {
  JSON: 'nested: read its parts with -> and ->>',
};

function columnOf(name: string, type: Type, column: Column): { column: ProposedColumn; nulls: number } {
  const values = Array.from({ length: column.length }, (_, row) => valueAt(column, row));
  const present = values.filter(value => value !== null);
  const nulls = values.length - present.length;
  const plain = { name, fieldType: type, type, nullable: true, indexed: false, expression: null, reason: null };
  if (present.length === 0) return { column: { ...plain, reason: 'null in every message of the sample' }, nulls };
  const epoch = suggestsTime(name) ? epochs.find(each => present.every(value => isWithin(value, each))) : undefined;
  if (epoch !== undefined) {
    const scaled = `${quoteName(name)}${epoch.factor}`;
    const whole = type.name === 'LONG' ? scaled : `CAST(${scaled} AS LONG)`;
    const expression = `CAST(${whole} AS TIMESTAMP)`;
    return { column: { ...plain, type: TIMESTAMP, expression, reason: `${epoch.unit} since 1970` }, nulls };
  }
  if (type.name === 'TIMESTAMP' && nulls > 0)
    return { column: { ...plain, reason: `null in ${count(nulls)} of ${count(values.length)} messages` }, nulls };
  const distinct = type.name === 'STRING' ? new Set(present).size : 0;
  const indexed =
    present.length >= cardinalityRowsMin &&
    distinct > 1 &&
    distinct <= indexedValuesMax &&
    distinct * rowsPerIndexedValueMin <= present.length &&
    !/[,:]/.test(name);
  if (!indexed) return { column: { ...plain, reason: spoken[type.name] ?? null }, nulls };
  return { column: { ...plain, indexed, reason: `${distinct} different values in ${count(present.length)}` }, nulls };
}

const isWithin = (value: unknown, { min, max }: (typeof epochs)[number]): boolean =>
  (typeof value === 'bigint' || typeof value === 'number') && Number(value) >= min && Number(value) <= max;

/** No field is a time: the message's own is, which its producer or its broker gave it. */
function addMessageTime(columns: ProposedColumn[]): string | null {
  if (columns.some(({ name }) => foldName(name) === messageTimeName)) return null;
  columns.unshift({
    ...{ name: messageTimeName, fieldType: null, type: TIMESTAMP, nullable: true, indexed: false },
    ...{ expression: '$timestamp', reason: "no field is a time: this is the message's own" },
  });
  return messageTimeName;
}

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

// ── rejects ───────────────────────────────────────────────────────────────────────────────────────────────────

/** By column and the reason without the value that it quotes. */
function summarize({ rejects }: DecodedMessages, sample: readonly SampledMessage[]): RejectSummary[] {
  const byReason = new Map<string, { count: number; reason: string; partition: number; offset: number }>();
  for (const { message, column, reason } of rejects) {
    const key = `${column} ${reason.replace(/"(?:[^"\\]|\\.)*"|\d+/g, '')}`;
    const known = byReason.get(key);
    const { partition, offset } = sample[message]!;
    if (known) known.count++;
    else byReason.set(key, { count: 1, reason: column === null ? reason : `${column}: ${reason}`, partition, offset });
  }
  return [...byReason.values()].sort((a, b) => b.count - a.count);
}
