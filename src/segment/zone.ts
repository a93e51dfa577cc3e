/**
 * Zone maps: how their bounds are spelled, cut and merged. In `ZoneMap`, INT, FLOAT, DOUBLE, DATE (days), TIMESTAMP (ms)
 * and BOOLEAN (0, 1) bounds are numbers, LONG and DECIMAL (unscaled) bigints, STRING strings, which
 * compare by their UTF-8 bytes. UUID, JSON, BYTES and INTERVAL have none.
 */
import type { ZoneMap } from '../catalog/table.ts';

export type Bound = number | bigint | string | null;
/** As JSON holds it: `"n…"` is a bigint, `"f…"` not finite, `"s…"` text. */
export type BoundJson = number | string | null;

/** Longer strings are cut: a bound prunes nearly as well, and manifests stay small. */
export const boundSizeBytesMax = 64;

export function encodeBound(bound: Bound): BoundJson {
  if (bound === null) return null;
  if (typeof bound === 'bigint') return `n${bound}`;
  if (typeof bound === 'string') return `s${bound}`;
  if (!Number.isFinite(bound)) return `f${bound}`;
  return bound === 0 ? 0 : bound;
}

/** undefined: not a bound. */
export function decodeBound(json: unknown): Bound | undefined {
  if (json === null || typeof json === 'number') return json;
  if (typeof json !== 'string') return undefined;
  if (json[0] === 's') return json.slice(1);
  if (json === 'fInfinity') return Infinity;
  if (json === 'f-Infinity') return -Infinity;
  return /^n-?\d{1,40}$/.test(json) ? BigInt(json.slice(1)) : undefined;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of `bytes[start .. end)`; null where it is not UTF-8 (then nothing is known). */
function decodeText(bytes: Uint8Array, start: number, end: number): string | null {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return null;
  }
}

/** Last place at or before `limit` where a character begins. */
function characterStart(bytes: Uint8Array, start: number, limit: number): number {
  let at = limit;
  while (at > start && (bytes[at]! & 0xc0) === 0x80) at--;
  return at;
}

/** The greatest lower bound of a string in at most `boundSizeBytesMax` bytes: a prefix. */
export function lowerText(bytes: Uint8Array, start: number, end: number): string | null {
  const cut = start + boundSizeBytesMax;
  return decodeText(bytes, start, end <= cut ? end : characterStart(bytes, start, cut));
}

/** An upper bound of a string: itself, or a prefix with its last character raised; null where there is none. */
export function upperText(bytes: Uint8Array, start: number, end: number): string | null {
  const cut = start + boundSizeBytesMax;
  if (end <= cut) return decodeText(bytes, start, end);
  // One character less, because the raised one may take a byte more.
  const prefix = decodeText(bytes, start, characterStart(bytes, start, cut - 1));
  if (prefix === null) return null;
  const characters = [...prefix];
  for (let last = characters.length - 1; last >= 0; last--) {
    const raised = nextCharacter(characters[last]!.codePointAt(0)!);
    if (raised !== null) return characters.slice(0, last).join('') + raised;
  }
  return null;
}

function nextCharacter(codePoint: number): string | null {
  if (codePoint === 0x10_ffff) return null;
  return String.fromCodePoint(codePoint === 0xd7ff ? 0xe000 : codePoint + 1);
}

function compareBounds(a: number | bigint | string, b: number | bigint | string): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The zone of rows that lie in several zones. Blocks of NULLs alone say nothing about the others' bounds. */
export function mergeZones(zones: readonly ZoneMap[], rowCounts: readonly number[]): ZoneMap {
  let nullCount = 0;
  for (const zone of zones) nullCount += zone.nullCount;
  const valued = zones.filter((zone, index) => zone.nullCount < rowCounts[index]!);
  const pick = (bounds: readonly Bound[], sign: number): Bound => {
    let best: Bound = null;
    for (const bound of bounds) {
      if (bound === null) return null;
      if (best === null || compareBounds(bound, best) * sign < 0) best = bound;
    }
    return best;
  };
  return {
    nullCount,
    min: pick(
      valued.map(zone => zone.min),
      1,
    ),
    max: pick(
      valued.map(zone => zone.max),
      -1,
    ),
  };
}
