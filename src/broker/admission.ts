/**
 * A bounded number of queries at once, as long as there is memory for their answers; the rest wait in order of arrival, no
 * more than a stated number of them, and no longer than a stated time.
 *
 * Short and long queries have places and a line of their own, so that a dashboard never waits behind a report.
 */
import type { Accounts } from '../base/accounts.ts';
import { fault } from '../base/fault.ts';
import { Line } from '../base/line.ts';
import type { Clock } from '../base/seams.ts';
import { longQueriesMax, queryWaitMsMax, runningQueriesMax, waitingQueriesMax } from './limits.ts';

export type Lane = 'short' | 'long';

const placesOf: Readonly<Record<Lane, number>> = { short: runningQueriesMax, long: longQueriesMax };

export class Admission {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #answerBytes: number;
  readonly #running: Record<Lane, number> = { short: 0, long: 0 };
  readonly #lines: Readonly<Record<Lane, Line>>;

  /** @param answerBytes What the frames of one query take on their way, at the most: held on the results account. */
  constructor(accounts: Accounts, clock: Clock, answerBytes: number) {
    this.#accounts = accounts;
    this.#clock = clock;
    this.#answerBytes = answerBytes;
    this.#lines = { short: new Line(clock), long: new Line(clock) };
  }

  get running(): number {
    return this.#running.short + this.#running.long;
  }

  get waiting(): number {
    return this.#lines.short.length + this.#lines.long.length;
  }

  /** Enters where nobody waits before and there is a place and memory. */
  tryEnter(lane: Lane): boolean {
    return this.#lines[lane].length === 0 && this.#take(lane);
  }

  /** Resolves when it is this query's turn. @throws FaultError TOO_MANY_QUERIES; the signal's reason */
  async enter(lane: Lane, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tryEnter(lane)) return;
    if (this.waiting >= waitingQueriesMax)
      throw fault('TOO_MANY_QUERIES', `${this.running} queries run and ${this.waiting} wait, which is the limit`, {
        hint: 'try again in a moment, or send fewer queries at once',
        details: { running: this.running, waiting: this.waiting },
      });
    const sinceMs = this.#clock.monotonicMs();
    if (await this.#lines[lane].wait(() => this.#take(lane), queryWaitMsMax, signal)) return;
    const waitedMs = Math.round(this.#clock.monotonicMs() - sinceMs);
    throw fault(
      'TOO_MANY_QUERIES',
      `the query waited ${waitedMs} ms for its turn, the longest that any may: ${this.running} queries run and ${this.waiting} wait`,
      {
        hint: 'try again in a moment, or send fewer queries at once',
        details: { waitedMs, running: this.running, waiting: this.waiting },
      },
    );
  }

  /** Called exactly once after `enter` resolved or `tryEnter` said yes. */
  leave(lane: Lane): void {
    this.#running[lane]--;
    this.#accounts.account('results').release(this.#answerBytes);
    this.#lines.short.look();
    this.#lines.long.look();
  }

  #take(lane: Lane): boolean {
    if (this.#running[lane] >= placesOf[lane]) return false;
    // One query alone is let in, whatever the process takes: else nothing would ever move.
    if (this.running > 0 && this.#accounts.isTight) return false;
    if (!this.#accounts.account('results').tryHold(this.#answerBytes)) return false;
    this.#running[lane]++;
    return true;
  }
}
