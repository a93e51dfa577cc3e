import { type Account, type Accounts, refusal } from '../base/accounts.ts';
import { fault } from '../base/fault.ts';
import type { MemoryAccount } from '../exec/context.ts';

/** A run takes from the account in steps of this: an atomic operation for each, and this much is lost to rounding. */
const stepBytes = 256 << 10;

/**
 * Tables grow by doubling, and what they outgrew is garbage until it is collected: measured over 1.5 million strings, up to
 * 2.3 times what the table says just after it doubled, and less than once after a collection. In between is what to count.
 */
const garbageFactor = 1.5;

/** What one run holds beyond the shard's columns: hash tables, sorts, rows on their way out. */
export class QueryMemory implements MemoryAccount {
  readonly #limitBytes: number;
  readonly #accounts: Accounts;
  readonly #account: Account;
  readonly #held = new Map<object, number>();
  #usedBytes = 0;
  #takenBytes = 0;
  peakBytes = 0;

  /** @param limitBytes Of this run; all runs share the account. */
  constructor(limitBytes: number, accounts: Accounts) {
    this.#limitBytes = limitBytes;
    this.#accounts = accounts;
    this.#account = accounts.account('queries');
  }

  hold(holder: object, sizeBytes: number): void {
    const heldBytes = Math.ceil(sizeBytes * garbageFactor);
    const usedBytes = this.#usedBytes - (this.#held.get(holder) ?? 0) + heldBytes;
    if (usedBytes > this.#takenBytes) this.#take(usedBytes);
    this.#held.set(holder, heldBytes);
    this.#usedBytes = usedBytes;
    this.peakBytes = Math.max(this.peakBytes, usedBytes);
  }

  release(holder: object): void {
    this.#usedBytes -= this.#held.get(holder) ?? 0;
    this.#held.delete(holder);
  }

  /** Gives everything back; the run is over, however it ended. */
  close(): void {
    this.#account.release(this.#takenBytes);
    this.#takenBytes = 0;
    this.#usedBytes = 0;
    this.#held.clear();
  }

  #take(usedBytes: number): void {
    const limitBytes = this.#limitBytes;
    if (usedBytes > limitBytes)
      throw fault('MEMORY_BUDGET', `the query needs ${usedBytes} bytes, its budget is ${limitBytes} bytes`, {
        hint: 'filter more rows, group by fewer distinct values, or start with a larger --memory',
        details: { usedBytes, budgetBytes: limitBytes },
      });
    const askedBytes = Math.ceil((usedBytes - this.#takenBytes) / stepBytes) * stepBytes;
    const { residentBytes, budgetBytes, isOver } = this.#accounts;
    if (isOver)
      throw fault(
        'MEMORY_BUDGET',
        `the query needs ${askedBytes} bytes more, and the process has ${residentBytes} of its ${budgetBytes} bytes resident`,
        {
          hint: 'try again in a moment, or send fewer queries at once',
          details: { askedBytes, residentBytes, budgetBytes },
        },
      );
    if (!this.#account.tryHold(askedBytes)) throw refusal(this.#account, askedBytes);
    this.#takenBytes += askedBytes;
  }
}
