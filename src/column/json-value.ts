/** Single values as JSON text, exactly: integers and decimals with all their digits. */
import { type Column, isPresent } from './column.ts';
import { formatDate, formatDecimal, formatInterval, formatTimestampIso, timestampMsMax } from './text.ts';
import type { Interval } from './type.ts';
import { valueAt } from './value.ts';

/** Times as ISO 8601, bytes as base64; numbers that JSON has no name for as strings. */
export function jsonOf(column: Column, row: number): string {
  if (!isPresent(column.validity, row)) return 'null';
  const value = valueAt(column, row);
  switch (column.type.name) {
    case 'JSON':
      return value as string;
    case 'DECIMAL':
      return formatDecimal(value as bigint, column.type.scale!);
    case 'TIMESTAMP':
      return Math.abs(value as number) > timestampMsMax ? String(value) : `"${formatTimestampIso(value as number)}"`;
    case 'DATE':
      return `"${formatDate(value as number)}"`;
    case 'INTERVAL':
      return `"${formatInterval(value as Interval)}"`;
    case 'BYTES':
      return `"${Buffer.from(value as Uint8Array).toString('base64')}"`;
    case 'STRING':
    case 'UUID':
      return JSON.stringify(value);
    default:
      return typeof value === 'number' && !Number.isFinite(value) ? `"${value}"` : String(value);
  }
}
