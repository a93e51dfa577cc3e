/**
 * Values of fixed types as signed integers of the same order, in two's complement: integers, times and unscaled decimals as
 * they are; FLOAT and DOUBLE as their bits, those of negative numbers reversed (but for the sign), −0 as 0. NaN, which
 * PostgreSQL puts above all numbers, has no such integer and is told apart.
 */
import { dayMs } from '../column/text.ts';
import type { Type, TypeName } from '../column/type.ts';
import type { ValueRange } from './block.ts';

/** 32-bit words of an ordered integer; types that are not here have none. */
const wordCounts: Partial<Record<TypeName, 1 | 2 | 4>> = {
  ...{ INT: 1, DATE: 1, FLOAT: 1 },
  ...{ LONG: 2, TIMESTAMP: 2, DOUBLE: 2 },
  DECIMAL: 4,
};

export const orderedWordCount = (type: Type): 1 | 2 | 4 | null => wordCounts[type.name] ?? null;

export interface OrderedWords {
  /** `wordCount` a row, the lowest first; 0 where the value is NaN. */
  readonly words: Uint32Array;
  readonly wordCount: 1 | 2 | 4;
  /** 1: the row is NaN; null: the type has none. */
  readonly nan: Uint8Array | null;
}

/** @param data A block's values as columns.arrow has them. @returns Owns its memory. */
export function orderedWords(type: Type, data: Uint8Array, rowCount: number): OrderedWords {
  const wordCount = orderedWordCount(type)!;
  const words = new Uint32Array(data.buffer, data.byteOffset, rowCount * wordCount).slice();
  if (type.name === 'FLOAT') return { words, wordCount, nan: orderFloats(words) };
  if (type.name === 'DOUBLE') return { words, wordCount, nan: orderDoubles(words) };
  return { words, wordCount, nan: null };
}

const signBit = 0x8000_0000;
const belowSign = 0x7fff_ffff;

function orderFloats(words: Uint32Array): Uint8Array {
  const nan = new Uint8Array(words.length);
  for (let row = 0; row < words.length; row++) {
    const bits = words[row]!;
    if ((bits & belowSign) > 0x7f80_0000) {
      nan[row] = 1;
      words[row] = 0;
    } else if (bits === signBit) words[row] = 0;
    else if (bits > signBit) words[row] = bits ^ belowSign;
  }
  return nan;
}

function orderDoubles(words: Uint32Array): Uint8Array {
  const nan = new Uint8Array(words.length / 2);
  for (let row = 0; row < nan.length; row++) {
    const low = words[2 * row]!;
    const high = words[2 * row + 1]!;
    const exponent = high & belowSign;
    if (exponent > 0x7ff0_0000 || (exponent === 0x7ff0_0000 && low !== 0)) {
      nan[row] = 1;
      words[2 * row] = 0;
      words[2 * row + 1] = 0;
    } else if (high === signBit && low === 0) words[2 * row + 1] = 0;
    else if (high >= signBit) {
      words[2 * row] = ~low;
      words[2 * row + 1] = high ^ belowSign;
    }
  }
  return nan;
}

const scratch = new DataView(new ArrayBuffer(8));

/** As `orderFloats`, of one number that is not NaN. */
function orderedFloat(value: number): bigint {
  scratch.setFloat32(0, value === 0 ? 0 : value);
  const bits = scratch.getInt32(0);
  return BigInt(bits < 0 ? bits ^ belowSign : bits);
}

function orderedDouble(value: number): bigint {
  scratch.setFloat64(0, value === 0 ? 0 : value);
  const bits = scratch.getBigInt64(0);
  return bits < 0n ? bits ^ 0x7fff_ffff_ffff_ffffn : bits;
}

/** Bounds in ordered integers of a stored type; `low > high` where no number lies between them. */
export interface OrderedRange {
  readonly low: bigint;
  readonly high: bigint;
  readonly nan: boolean;
}

/**
 * A range over the table's column as one over the values that a segment stores, which may be of a narrower type: bounds
 * between two stored values are drawn in to them. null: the types have no order in common that is known here.
 */
export function orderedRange({ type, low, high, nan }: ValueRange, stored: Type): OrderedRange | null {
  if (typeof low === 'number' || typeof high === 'number')
    return typeof low === 'number' && typeof high === 'number' ? orderedFloats(low, high, nan, stored) : null;
  const units = unitsOf(stored, type);
  return units === null ? null : { low: -floorDivide(-low, units), high: floorDivide(high, units), nan: false };
}

/** How many units of the table's type one unit of the stored type is; null where that is no whole number. */
function unitsOf(stored: Type, type: Type): bigint | null {
  if (type.name === 'DECIMAL') {
    const digits = stored.name === 'DECIMAL' ? type.scale! - stored.scale! : type.scale!;
    const isExact = stored.name === 'DECIMAL' || stored.name === 'INT' || stored.name === 'LONG';
    return isExact && digits >= 0 ? 10n ** BigInt(digits) : null;
  }
  if (type.name === stored.name || (type.name === 'LONG' && stored.name === 'INT')) return 1n;
  return type.name === 'TIMESTAMP' && stored.name === 'DATE' ? BigInt(dayMs) : null;
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}

const intMin = -(2 ** 31);
const intMax = 2 ** 31 - 1;

function orderedFloats(low: number, high: number, nan: boolean, stored: Type): OrderedRange | null {
  // A bound that is NaN holds for no number.
  if (Number.isNaN(low) || Number.isNaN(high)) return { low: 1n, high: 0n, nan };
  switch (stored.name) {
    case 'DOUBLE':
      return { low: orderedDouble(low), high: orderedDouble(high), nan };
    case 'FLOAT':
      return { low: orderedFloat(floatAtLeast(low)), high: orderedFloat(-floatAtLeast(-high)), nan };
    case 'INT': {
      const from = Math.max(Math.ceil(low), intMin);
      const to = Math.min(Math.floor(high), intMax);
      return from <= to ? { low: BigInt(from), high: BigInt(to), nan: false } : { low: 1n, high: 0n, nan: false };
    }
    default:
      return null;
  }
}

/** The least FLOAT that is not below a double. */
function floatAtLeast(value: number): number {
  const rounded = Math.fround(value);
  return rounded >= value ? rounded : nextFloatAbove(rounded);
}

function nextFloatAbove(value: number): number {
  if (value === 0) return 2 ** -149;
  scratch.setFloat32(0, value);
  scratch.setInt32(0, scratch.getInt32(0) + (value > 0 ? 1 : -1));
  return scratch.getFloat32(0);
}
