/** Filters against zone maps: blocks and segments that no row of can hold are not read. */
import type { ZoneMap } from '../catalog/table.ts';
import type { ScanColumn } from './block-input.ts';
import type { BlockPredicate } from './filter.ts';

/** What zone maps say of a block: no row holds, every row holds, or look. */
export type Verdict = 'none' | 'all' | 'some';

/** @param zone Of a column, in the type that it is read as; null where nothing is known. Bounds may be wider than the values, so `some` is always safe. */
export function judge(
  predicate: BlockPredicate,
  zone: (column: ScanColumn) => ZoneMap | null,
  rowCount: number,
): Verdict {
  switch (predicate.kind) {
    case 'constant':
      return predicate.holds ? 'all' : 'none';
    case 'and': {
      const verdicts = predicate.args.map(arg => judge(arg, zone, rowCount));
      return verdicts.includes('none') ? 'none' : verdicts.every(verdict => verdict === 'all') ? 'all' : 'some';
    }
    case 'or': {
      const verdicts = predicate.args.map(arg => judge(arg, zone, rowCount));
      return verdicts.includes('all') ? 'all' : verdicts.every(verdict => verdict === 'none') ? 'none' : 'some';
    }
    case 'null': {
      const map = zone(predicate.column);
      if (!map) return 'some';
      if (map.nullCount === 0) return predicate.negated ? 'all' : 'none';
      if (map.nullCount === rowCount) return predicate.negated ? 'none' : 'all';
      return 'some';
    }
    case 'range':
      return judgeRange(predicate, zone(predicate.column), rowCount);
    case 'entries':
      return judgeEntries(predicate, zone(predicate.column), rowCount);
    case 'general':
      return 'some';
  }
}

function judgeRange(
  { low, high, negated, nan }: Extract<BlockPredicate, { kind: 'range' }>,
  map: ZoneMap | null,
  rowCount: number,
): Verdict {
  if (!map) return 'some';
  if (map.nullCount === rowCount) return 'none';
  const { min, max } = map;
  if (min === null || typeof min === 'string' || typeof max === 'string') return 'some';
  // A block with NaN has no max: NaN is above every bound, so only what NaN cannot satisfy is decided.
  if (max === null) return min > high && !negated && !nan ? 'none' : 'some';
  const outside = min > high || max < low;
  const inside = min >= low && max <= high;
  if (negated ? inside : outside) return 'none';
  if ((negated ? outside : inside) && map.nullCount === 0) return 'all';
  return 'some';
}

const encoder = new TextEncoder();

function judgeEntries(
  { table, op }: Extract<BlockPredicate, { kind: 'entries' }>,
  map: ZoneMap | null,
  rowCount: number,
): Verdict {
  if (!map) return 'some';
  if (map.nullCount === rowCount) return 'none';
  const { equals, negated } = table.test;
  if (typeof map.min !== 'string' || typeof map.max !== 'string') return 'some';
  const min = encoder.encode(map.min);
  const max = encoder.encode(map.max);
  if (equals && !negated) {
    const possible = equals.some(value => Buffer.compare(value, min) >= 0 && Buffer.compare(value, max) <= 0);
    return possible ? 'some' : 'none';
  }
  // Beyond the bound at one end, the whole block is.
  if ((op === '<' || op === '<=') && !table.test.holds(min, 0, min.length)) return 'none';
  if ((op === '>' || op === '>=') && !table.test.holds(max, 0, max.length)) return 'none';
  return 'some';
}
