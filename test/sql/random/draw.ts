/** Choices of a generator, all from one seed: the same seed draws the same table and the same queries. */
import { seededRandom } from '../../support/random.ts';

export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#next = () => random.next();
  }

  /** An integer of `[low, high]`. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#next() * values.length)]!;
  }

  /** Of equally likely ways, takes one; only that one runs. */
  oneOf<T>(...ways: readonly (() => T)[]): T {
    return this.pick(ways)();
  }

  list<T>(low: number, high: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.integer(low, high) }, (_, index) => make(index));
  }
}
