import { type Account, refusal } from './accounts.ts';
import { Line } from './line.ts';
import type { Clock } from './seams.ts';

/** Others are done by then, or wait for this one, which then gives up what it has and is tried again. */
const patienceMs = 60_000;

/**
 * What one long piece of work (a segment's build, a load) holds on an account, more and more as it goes on. It waits for
 * others to be done; alone, it is given what it asks for, for it would wait for ever: how large it gets must be bounded
 * where its work comes from.
 */
export class WorkMemory {
  readonly #account: Account;
  readonly #line: Line;
  #heldBytes = 0;

  constructor(account: Account, clock: Clock) {
    this.#account = account;
    this.#line = new Line(clock);
  }

  /** @throws FaultError MEMORY_BUDGET after a minute; the signal's reason */
  async hold(sizeBytes: number, signal?: AbortSignal): Promise<void> {
    if (!(await this.#line.wait(() => this.#take(sizeBytes), patienceMs, signal)))
      throw refusal(this.#account, sizeBytes);
    this.#heldBytes += sizeBytes;
  }

  /** Gives everything back; called when the work ends, however it does. */
  close(): void {
    this.#account.release(this.#heldBytes);
    this.#heldBytes = 0;
  }

  #take(sizeBytes: number): boolean {
    if (this.#account.tryHold(sizeBytes)) return true;
    if (this.#account.usedBytes > this.#heldBytes) return false;
    this.#account.note(sizeBytes);
    return true;
  }
}
