/**
 * Definitions and segment entries as JSON text, without loss: what the metadata store keeps. A bigint is written
 * `{"$long": "123"}`, bytes `{"$bytes": "<base64>"}`, a number that JSON lacks `{"$double": "NaN"}`; everything else is
 * plain JSON. Names cannot begin with `$`, and no key of these documents does, so the tags meet nothing of their kind.
 */
import { fault } from '../base/fault.ts';
import type { Value } from '../column/type.ts';
import type { SegmentEntry, TableDefinition, ZoneMap } from './table.ts';

type Json = { [key: string]: unknown };

/** Text of either document. */
export const encodeDocument = (document: TableDefinition | SegmentEntry): string => JSON.stringify(document, tag);

function tag(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { $long: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return { $double: Object.is(value, -0) ? '-0' : String(value) };
  return value;
}

function untag(value: unknown): Value {
  if (typeof value !== 'object' || value === null) return value as Value;
  const tagged = value as { $long?: string; $bytes?: string; $double?: string };
  if (tagged.$long !== undefined) return BigInt(tagged.$long);
  if (tagged.$bytes !== undefined) return new Uint8Array(Buffer.from(tagged.$bytes, 'base64'));
  if (tagged.$double !== undefined) return Number(tagged.$double);
  return value as Value;
}

/** @throws FaultError CORRUPT_METADATA */
export function decodeTable(text: string): TableDefinition {
  const document = parse(text, 'table', ['id', 'name', 'version', 'columns', 'indexes', 'source', 'settings']);
  const columns = (document.columns as Json[]).map(column => ({
    ...column,
    defaultValue: untag(column.defaultValue),
    ...('missingValue' in column && { missingValue: untag(column.missingValue) }),
  }));
  return { ...document, columns } as unknown as TableDefinition;
}

/** Costs a JSON.parse and a look at each zone map: a restart decodes thousands. @throws FaultError CORRUPT_METADATA */
export function decodeSegment(text: string): SegmentEntry {
  const document = parse(text, 'segment', [
    'id',
    'tableId',
    'partition',
    'startOffset',
    'endOffset',
    'rowCount',
    'zones',
  ]);
  const zones = document.zones as Record<string, { -readonly [K in keyof ZoneMap]: ZoneMap[K] }>;
  for (const columnId in zones) {
    const zone = zones[columnId]!;
    if (typeof zone.min === 'object') zone.min = untag(zone.min) as ZoneMap['min'];
    if (typeof zone.max === 'object') zone.max = untag(zone.max) as ZoneMap['max'];
  }
  return document as unknown as SegmentEntry;
}

function parse(text: string, what: string, keys: readonly string[]): Json {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw corrupt(what, 'is not JSON', error);
  }
  if (typeof document !== 'object' || document === null) throw corrupt(what, 'is no object');
  for (const key of keys) if (!Object.hasOwn(document, key)) throw corrupt(what, `lacks ${key}`);
  return document as Json;
}

const corrupt = (what: string, how: string, cause?: unknown) =>
  fault(
    'CORRUPT_METADATA',
    `a ${what} document in the metadata ${how}`,
    { hint: 'restore the metadata file from a backup' },
    { cause },
  );
