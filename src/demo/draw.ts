/** Cheap draws from known distributions: a few nanoseconds each, so that the demo leaves the machine to the database. */
import type { Random } from '../base/seams.ts';

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, no multiplication. Seeded from `random`, so that one seed
 * gives one sequence; drawn millions of times, which a source made for ids need not stand.
 */
export class Draws {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(random: Random) {
    const word = (): number => (random.next() * 0x1_0000_0000) | 0;
    this.#a = word();
    this.#b = word();
    this.#c = word();
    for (let round = 0; round < 12; round++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 32 bits. */
  unit(): number {
    return this.uint32() * 2 ** -32;
  }

  /** Uniform in [0, count). */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Exponential with this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }
}

/** Indexes by weight in O(1): Walker's alias method (A. J. Walker, 1977; M. D. Vose, 1991). */
export class WeightedIndex {
  readonly #keep: Float64Array;
  readonly #alias: Uint32Array;

  constructor(weights: readonly number[]) {
    const count = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#keep = Float64Array.from(weights, weight => (weight * count) / total);
    this.#alias = Uint32Array.from({ length: count }, (_, index) => index);
    const poor: number[] = [];
    const rich: number[] = [];
    for (let index = 0; index < count; index++) (this.#keep[index]! < 1 ? poor : rich).push(index);
    while (poor.length > 0 && rich.length > 0) {
      const small = poor.pop()!;
      const large = rich.at(-1)!;
      this.#alias[small] = large;
      this.#keep[large]! -= 1 - this.#keep[small]!;
      if (this.#keep[large]! < 1) poor.push(rich.pop()!);
    }
    // What rounding left over is 1.
    for (const index of [...poor, ...rich]) this.#keep[index] = 1;
  }

  draw(draws: Draws): number {
    const index = draws.below(this.#keep.length);
    return draws.unit() < this.#keep[index]! ? index : this.#alias[index]!;
  }
}

/** Weights of Zipf's law: the k-th of `count` has 1/k^exponent. */
export const zipfWeights = (count: number, exponent: number): number[] =>
  Array.from({ length: count }, (_, index) => (index + 1) ** -exponent);

/** Log-normal factors with median 1, from a table of quantiles with a straight line between. */
export class LogNormal {
  readonly #quantiles: Float64Array;

  constructor(sigma: number) {
    const count = 2048;
    this.#quantiles = Float64Array.from({ length: count + 1 }, (_, index) =>
      Math.exp(sigma * normalQuantile((index + 0.5) / (count + 1))),
    );
  }

  draw(draws: Draws): number {
    const place = draws.unit() * (this.#quantiles.length - 1);
    const index = Math.floor(place);
    const low = this.#quantiles[index]!;
    return low + (this.#quantiles[index + 1]! - low) * (place - index);
  }
}

/** Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23: absolute error below 4.5e-4. */
export function normalQuantile(probability: number): number {
  const tail = Math.min(probability, 1 - probability);
  const t = Math.sqrt(-2 * Math.log(tail));
  const size = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return probability < 0.5 ? -size : size;
}
