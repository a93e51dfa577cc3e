/** A sample of a topic's messages: which format it is, and the columns that it suggests. */
import { isUtf8 } from 'node:buffer';
import { JSON_TYPE } from '../column/type.ts';
import { FieldReader, skipBlankLines } from './csv-record.ts';
import { type InferredColumn, inferColumns } from './infer.ts';
import type { Messages } from './messages.ts';
import { isJsonText, skipSpace, skipValue } from './scan.ts';
import { frameSizeBytes, schemaIdOf } from './schema-frame.ts';

const newline = 10;
const carriageReturn = 13;
const comma = 44;
const openBracket = 91;
const openBrace = 123;

/** Share of the messages that must look like a format for it to be guessed; the rest are rejects, and told of. */
const guessShareMin = 0.5;

/** Values (null: a tombstone) as decoders take them. */
export function packMessages(values: readonly (Uint8Array | null)[]): Messages {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + (value?.length ?? 0), 1));
  const valueStarts = new Int32Array(values.length).fill(-1);
  const valueEnds = new Int32Array(values.length).fill(-1);
  let at = 0;
  values.forEach((value, index) => {
    if (value === null) return;
    bytes.set(value, at);
    valueStarts[index] = at;
    at += value.length;
    valueEnds[index] = at;
  });
  return { count: values.length, bytes, valueStarts, valueEnds };
}

/**
 * `framed`: values begin with the id of a schema, so that a registry must tell; `framed json`: and JSON follows it. null:
 * none of these.
 */
export function guessFormat(values: readonly Uint8Array[]): 'json' | 'framed json' | 'csv' | 'arrow' | 'framed' | null {
  const isMost = (test: (value: Uint8Array) => boolean): boolean =>
    values.filter(test).length > values.length * guessShareMin;
  if (isMost(isJson)) return 'json';
  if (isMost(value => schemaIdOf(value, 0, value.length) >= 0))
    return isMost(value => isJson(value.subarray(frameSizeBytes))) ? 'framed json' : 'framed';
  if (isMost(isArrow)) return 'arrow';
  const width = csvWidth(values.flatMap(csvRecords));
  return width > 1 && isMost(value => isCsv(value, width)) ? 'csv' : null;
}

function isJson(value: Uint8Array): boolean {
  const first = value.find(byte => byte > 32);
  return (first === openBrace || first === openBracket) && isJsonText(value, 0, value.length);
}

/** A stream's first message begins with a continuation marker, a file with its magic. */
const isArrow = (value: Uint8Array): boolean =>
  value.subarray(0, 4).join() === '255,255,255,255' ||
  Buffer.from(value.subarray(0, 6)).toString('latin1') === 'ARROW1';

/** Text without controls, so that binary messages with a comma in them are none. */
const isCsv = (value: Uint8Array, width: number): boolean =>
  isUtf8(value) &&
  !value.some(byte => byte < 32 && byte !== 9 && byte !== newline && byte !== carriageReturn) &&
  csvRecords(value).every(record => record.length === width);

/** JSON values, framed or not, objects or arrays of them: an object a line, as `inferColumns` takes them. */
export function jsonSample(values: readonly Uint8Array[], framed: boolean): Uint8Array {
  const lines: Uint8Array[] = [];
  const lineEnd = Uint8Array.of(newline);
  for (const value of values) {
    // Line ends inside a JSON value are space between its parts.
    const line = value
      .subarray(framed && value[0] === 0 ? frameSizeBytes : 0)
      .map(byte => (byte === newline || byte === carriageReturn ? 32 : byte));
    for (const object of objectsOf(line)) lines.push(object, lineEnd);
  }
  return Buffer.concat(lines);
}

function objectsOf(line: Uint8Array): Uint8Array[] {
  const first = line.findIndex(byte => byte > 32);
  if (line[first] !== openBracket) return [line];
  const ended = new Uint8Array(line.length + 1);
  ended.set(line);
  const objects: Uint8Array[] = [];
  for (let at = skipSpace(ended, first + 1, false); ended[at] === openBrace; ) {
    const end = skipValue(ended, at, false);
    if (end < 0) break;
    objects.push(ended.subarray(at, end));
    at = skipSpace(ended, end, false);
    if (ended[at] !== comma) break;
    at = skipSpace(ended, at + 1, false);
  }
  return objects;
}

/** CSV has no names: `column_1`, `column_2` … of as many fields as most records have. */
export function inferCsvColumns(values: readonly Uint8Array[]): readonly InferredColumn[] {
  const records = values.flatMap(csvRecords);
  const width = csvWidth(records);
  const lines = records
    .filter(record => record.length === width)
    .map(record => `{${record.map((field, index) => `"column_${index + 1}":${jsonOf(field)}`).join(',')}}\n`);
  // A field of CSV that looks like JSON is text all the same.
  return inferColumns(Buffer.from(lines.join(''))).columns.filter(({ type }) => type !== JSON_TYPE);
}

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const jsonOf = (field: string | null): string =>
  field === null
    ? 'null'
    : field === 'true' || field === 'false' || jsonNumber.test(field)
      ? field
      : JSON.stringify(field);

/** The number of fields that most records have; 0 of none. */
function csvWidth(records: readonly (readonly unknown[])[]): number {
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

const decoder = new TextDecoder();

/** Records of one message up to the first that is broken; a field that is empty and not quoted is null. */
function csvRecords(value: Uint8Array): (string | null)[][] {
  const bytes = new Uint8Array(value.length + 1);
  bytes.set(value);
  bytes[value.length] = newline;
  const reader = new FieldReader(bytes);
  const records: (string | null)[][] = [];
  for (let at = skipBlankLines(bytes, 0); at < value.length; at = skipBlankLines(bytes, reader.at)) {
    reader.seek(at, value.length);
    const record: (string | null)[] = [];
    do {
      if (!reader.next()) return records;
      const { source, from, to, quoted } = reader;
      record.push(from === to && !quoted ? null : decoder.decode(source.subarray(from, to)));
    } while (!reader.last);
    records.push(record);
  }
  return records;
}
