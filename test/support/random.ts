import type { Random } from '../../src/base/seams.ts';

/** The same numbers for the same seed (Tommy Ettinger's mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    hex: digits => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(''),
  };
}
