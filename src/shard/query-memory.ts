import { fault } from '../base/fault.ts';
import type { MemoryAccount } from '../exec/context.ts';

/** What one run holds beyond the shard's columns: hash tables, sorts. */
export class QueryMemory implements MemoryAccount {
  readonly #budgetBytes: number;
  readonly #held = new Map<object, number>();
  #usedBytes = 0;
  peakBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  hold(holder: object, sizeBytes: number): void {
    const usedBytes = this.#usedBytes - (this.#held.get(holder) ?? 0) + sizeBytes;
    if (usedBytes > this.#budgetBytes)
      throw fault('MEMORY_BUDGET', `the query needs ${usedBytes} bytes, its budget is ${this.#budgetBytes} bytes`, {
        hint: 'filter more rows, group by fewer distinct values, or start with a larger --memory',
        details: { usedBytes, budgetBytes: this.#budgetBytes },
      });
    this.#held.set(holder, sizeBytes);
    this.#usedBytes = usedBytes;
    this.peakBytes = Math.max(this.peakBytes, usedBytes);
  }

  release(holder: object): void {
    this.#usedBytes -= this.#held.get(holder) ?? 0;
    this.#held.delete(holder);
  }
}
