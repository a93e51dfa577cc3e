/**
 * Who still reads what. A lease names the tables of one query's snapshot and the metadata version it was taken at;
 * files dropped at a later version stay while it lives.
 */
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';
import { leaseCountMax } from './settings.ts';

interface Lease {
  readonly tableIds: readonly string[];
  readonly version: number;
  readonly expiresAtMs: number;
}

export class Leases {
  /** By id, oldest first: every lease lasts equally long, so they also expire in this order. */
  readonly #leases = new Map<string, Lease>();
  readonly #clock: Clock;
  readonly #limitMs: number;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** @throws FaultError INVALID_REQUEST where the id is in use, TOO_MANY_QUERIES */
  take(id: string, tableIds: readonly string[], version: number): void {
    if (this.#leases.has(id))
      throw fault('INVALID_REQUEST', `lease ${id} is taken already`, { hint: 'one snapshot, one lease, one id' });
    if (this.#leases.size >= leaseCountMax)
      throw fault('TOO_MANY_QUERIES', `${leaseCountMax} snapshots are leased at this moment`, {
        hint: 'wait for running queries to end',
      });
    this.#leases.set(id, { tableIds, version, expiresAtMs: this.#clock.monotonicMs() + this.#limitMs });
  }

  release(id: string): void {
    this.#leases.delete(id);
  }

  /** Ends leases that are past the limit. @returns How many. */
  expire(): number {
    const nowMs = this.#clock.monotonicMs();
    let count = 0;
    for (const [id, lease] of this.#leases) {
      if (lease.expiresAtMs > nowMs) break;
      this.#leases.delete(id);
      count++;
    }
    return count;
  }

  /** True while a lease on the table is left that was taken before `version`. */
  holds(tableId: string, version: number): boolean {
    for (const lease of this.#leases.values())
      if (lease.version < version && lease.tableIds.includes(tableId)) return true;
    return false;
  }

  get count(): number {
    return this.#leases.size;
  }
}
