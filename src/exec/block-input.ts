/** Rows of a block as an Input: columns are gathered out of the arena when they are first asked for. */
import { loadPartition, virtualColumns, type ZoneMap } from '../catalog/table.ts';
import type { Type, Value } from '../column/type.ts';
import type { StringPool, Vector } from '../column/vector.ts';
import { vectorOf } from '../function/vectors.ts';
import type { ArenaViews } from '../kernel/arena.ts';
import * as gather from '../kernel/gather.ts';
import type { Block, BlockColumn, Pool } from '../segment/block.ts';
import { columnVector, gatherVector, type Input } from './input.ts';
import { widenVector, zoneOf } from './widened.ts';

/** A scan's output column. */
export interface ScanColumn {
  readonly id: number;
  readonly type: Type;
  /** Of every row of a segment that does not have the column. */
  readonly missingValue: Value;
}

const views = new WeakMap<Pool, StringPool>();

/** The pool's strings as they lie in the arena now: made again when a consuming pool has moved or grown. */
export function poolOf(arena: ArenaViews, pool: Pool): StringPool {
  const known = views.get(pool);
  if (
    known &&
    known.count === pool.count &&
    known.bytesBase === pool.bytesAddress &&
    known.offsetsBase === pool.offsetsAddress >>> 2
  )
    return known;
  const view: StringPool = {
    bytes: arena.u8,
    bytesBase: pool.bytesAddress,
    offsets: arena.u32,
    offsetsBase: pool.offsetsAddress >>> 2,
    count: pool.count,
    sorted: pool.sorted,
    distinct: pool.distinct,
    key: pool,
  };
  views.set(pool, view);
  return view;
}

/** Vectors' memory, used for morsel after morsel of one scan: fresh buffers of this size cost more than filling them. */
export class GatherScratch {
  readonly #numbers: Float64Array[] = [];
  readonly #ids: Uint32Array[] = [];
  readonly #nulls: Uint8Array[] = [];
  readonly #rows: number;

  constructor(rows: number) {
    this.#rows = rows;
  }

  numbers(slot: number): Float64Array {
    return (this.#numbers[slot] ??= new Float64Array(this.#rows));
  }

  ids(slot: number): Uint32Array {
    return (this.#ids[slot] ??= new Uint32Array(this.#rows));
  }

  nulls(slot: number): Uint8Array {
    return (this.#nulls[slot] ??= new Uint8Array(this.#rows));
  }
}

/**
 * Rows `rows[0 .. count)` of the block, or the `count` rows from `first` on. Valid until the next await, and, with a
 * scratch, until the next input over it.
 */
export function blockInput(
  arena: ArenaViews,
  block: Block,
  columns: readonly ScanColumn[],
  rows: Uint32Array | null,
  first: number,
  count: number,
  scratch: GatherScratch = new GatherScratch(count),
): Input {
  const vectors: Vector[] = [];
  return {
    length: count,
    column: index =>
      (vectors[index] ??= gatherColumn(arena, block, columns[index]!, rows, first, count, scratch, index)),
  };
}

function constantVector(type: Type, value: Value, count: number): Vector {
  return gatherVector(vectorOf(type, [value]), new Uint32Array(count), count);
}

/** Rows of a batch load are of none. */
const partitionOf = ({ segment: { partition } }: Block): number | null =>
  partition === loadPartition ? null : partition;

function gatherColumn(
  arena: ArenaViews,
  block: Block,
  scanned: ScanColumn,
  rows: Uint32Array | null,
  first: number,
  count: number,
  scratch: GatherScratch,
  slot: number,
): Vector {
  const { id, type, missingValue } = scanned;
  if (id === virtualColumns.partition) return constantVector(type, partitionOf(block), count);
  if (id === virtualColumns.segment) return constantVector(type, block.segment.id, count);
  const column = block.column(id);
  if (!column) return constantVector(type, missingValue, count);
  let nulls: Uint8Array | null = null;
  if (column.validityAddress !== 0) {
    const mask = scratch.nulls(slot);
    if (gather.gatherNulls(arena.u8, column.validityAddress, rows, first, count, mask)) nulls = mask;
  }
  const stored = gatherValues(arena, column, rows, first, count, nulls, scratch, slot);
  const vector = widenVector(stored, column.type, type);
  return vector.form === 'number' ? { ...vector, bound: boundOf(zoneOf(block, scanned)) } : vector;
}

/** What the zone map says of `Vector.bound`. */
function boundOf(zone: ZoneMap | null): number | undefined {
  if (!zone || zone.min === null || zone.max === null) return undefined;
  return Math.max(Math.abs(Number(zone.min)), Math.abs(Number(zone.max)));
}

function gatherValues(
  arena: ArenaViews,
  column: BlockColumn,
  rows: Uint32Array | null,
  first: number,
  count: number,
  nulls: Uint8Array | null,
  scratch: GatherScratch,
  slot: number,
): Vector {
  const { address } = column;
  switch (column.form) {
    case 'u8': {
      const values = new Uint8Array(count);
      for (let index = 0; index < count; index++)
        values[index] = arena.u8[address + (rows ? rows[index]! : first + index)]!;
      return { form: 'bool', length: count, nulls, values };
    }
    case 'i32': {
      const values = scratch.numbers(slot);
      gather.gatherI32(arena.i32, address >>> 2, column.base, rows, first, count, values);
      return { form: 'number', length: count, nulls, values };
    }
    case 'i64': {
      const values = scratch.numbers(slot);
      if (gather.gatherI64(arena.i32, address >>> 2, rows, first, count, values))
        return { form: 'number', length: count, nulls, values };
      const bigints = new BigInt64Array(count);
      for (let index = 0; index < count; index++)
        bigints[index] = arena.i64[(address >>> 3) + (rows ? rows[index]! : first + index)]!;
      return { form: 'bigint', length: count, nulls, values: bigints };
    }
    case 'f32': {
      const values = scratch.numbers(slot);
      gather.gatherF32(arena.f32, address >>> 2, rows, first, count, values);
      return { form: 'number', length: count, nulls, values };
    }
    case 'f64': {
      if (!rows) {
        const from = (address >>> 3) + first;
        return { form: 'number', length: count, nulls, values: arena.f64.subarray(from, from + count) };
      }
      const values = scratch.numbers(slot);
      gather.gatherF64(arena.f64, address >>> 3, rows, first, count, values);
      return { form: 'number', length: count, nulls, values };
    }
    case 'i128':
      return gatherPairs(arena, column, rows, first, count, nulls);
    case 'codes': {
      const ids = scratch.ids(slot);
      if (column.codeSizeBytes === 1) gather.gatherCodes8(arena.u8, address, rows, first, count, ids);
      else if (column.codeSizeBytes === 2) gather.gatherCodes16(arena.u16, address >>> 1, rows, first, count, ids);
      else gather.gatherCodes32(arena.u32, address >>> 2, rows, first, count, ids);
      return { form: 'string', length: count, nulls, ids, pool: poolOf(arena, column.pool!) };
    }
    case 'rows': {
      const ids = scratch.ids(slot);
      for (let index = 0; index < count; index++) ids[index] = rows ? rows[index]! : first + index;
      return { form: 'string', length: count, nulls, ids, pool: poolOf(arena, column.pool!) };
    }
  }
}

function gatherPairs(
  arena: ArenaViews,
  { type, address }: BlockColumn,
  rows: Uint32Array | null,
  first: number,
  count: number,
  nulls: Uint8Array | null,
): Vector {
  const pairs = new BigInt64Array(count * 2);
  for (let index = 0; index < count; index++) {
    const from = (address >>> 3) + 2 * (rows ? rows[index]! : first + index);
    pairs[2 * index] = arena.i64[from]!;
    pairs[2 * index + 1] = arena.i64[from + 1]!;
  }
  const vector = columnVector({ form: 'fixed', type, length: count, validity: null, values: pairs }, 0, count);
  return { ...vector, nulls } as Vector;
}
