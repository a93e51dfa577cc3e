/** How values are shown: exact, in UTC, with units. */
import type { Value } from '../api/client.ts';

const grouped = new Intl.NumberFormat('en-US');
const rounded = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const plotted = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

export const formatCount = (count: number | bigint): string => grouped.format(count);

/** A chart's value, which is a double: digits beyond its truth are not shown. */
export const formatPlotted = (value: number): string =>
  Number.isSafeInteger(value) ? grouped.format(value) : plotted.format(value);

/** For axes: 12.3K, 4.56M. */
export const formatCompact = (value: number): string =>
  Math.abs(value) < 10_000 ? rounded.format(value) : compact.format(value);

export const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : noun.endsWith('s') ? '' : 's'}`;

export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** 0.4 ms, 12 ms, 3.2 s, 5 min, 2 h, 3 days. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10) return `${Number(durationMs.toFixed(1))} ms`;
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  if (durationMs < 3_600_000) return `${Math.round(durationMs / 60_000)} min`;
  if (durationMs < 86_400_000 * 2) return `${Math.round(durationMs / 3_600_000)} h`;
  return `${Math.round(durationMs / 86_400_000)} days`;
}

/** `2026-03-01 12:00:00.000`, UTC. */
export const formatInstant = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? new Date(ms).toISOString().replace('T', ' ').slice(0, -1)
    : String(ms);

/** A value of an answer as text; null is for the caller to show as it likes. */
export function formatValue(value: Value, type: string): string {
  if (value === null) return 'NULL';
  if (type === 'TIMESTAMP' && typeof value === 'string') return value.replace('T', ' ').replace(/Z$/, '');
  if (typeof value === 'object')
    return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
  return String(value);
}

const numericTypes = /^(INT|LONG|FLOAT|DOUBLE|DECIMAL)\b/;
export const isNumeric = (type: string): boolean => numericTypes.test(type);
export const isTemporal = (type: string): boolean => type === 'TIMESTAMP' || type === 'DATE';

/** As a number for a chart: exact digits do not matter there. null where there is none. */
export function toNumber(value: Value): number | null {
  if (value === null || typeof value === 'boolean' || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
