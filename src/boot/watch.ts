/**
 * Keeps the process within its budget beyond what the accounts know: garbage. V8 collects a heap when that heap has grown,
 * whatever the others have; here, when the process as a whole is near its budget, or has more than its own share beyond the
 * accounts, every thread collects, and what was freed goes back to the system.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Accounts } from '../base/accounts.ts';
import type { Malloc } from './malloc.ts';

/** A buffer of 100 MB takes about this long to fill. */
const lookEveryMs = 50;

/** A collection of a small heap takes some 10 ms of its thread: as often as this, little is lost. Longer where it was of no use. */
const collectEveryMs = { shortest: 500, longest: 8_000 };

/** Less than this share of the budget, and it was of no use. */
const usefulShare = 0.03;

/** Threads have collected by then, unless they are in the middle of something. */
const trimAfterMs = 150;

/** This thread's collector; flags are the process's, a function to call is the context's. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** In every thread but the main one. */
export function collectWhenAsked(accounts: Accounts): void {
  const collect = collector();
  let done = accounts.collections;
  setInterval(() => {
    if (accounts.collections === done) return;
    done = accounts.collections;
    collect();
  }, lookEveryMs).unref();
}

/** What the accounts explain of what is resident: an arena's pages stay once they were used. */
function accountedBytes(accounts: Accounts): number {
  const columns = accounts.account('columns');
  const consuming = accounts.account('consuming');
  const arenaBytes = Math.min(columns.peakBytes + consuming.peakBytes, columns.limitBytes);
  return accounts
    .states()
    .reduce((sum, { usedBytes }) => sum + usedBytes, arenaBytes - columns.usedBytes - consuming.usedBytes);
}

/**
 * In the main thread. Returns what ends it.
 * @param processBytes The process's own share: what is resident beyond it and the accounts is garbage.
 */
export function watchResident(accounts: Accounts, processBytes: number, malloc: Malloc): () => void {
  const collect = collector();
  let nextAtMs = 0;
  let everyMs = collectEveryMs.shortest;
  const look = (): void => {
    const beforeBytes = process.memoryUsage.rss();
    accounts.residentBytes = beforeBytes;
    const nowMs = performance.now();
    if (nowMs < nextAtMs) return;
    if (!accounts.isTight && beforeBytes - accountedBytes(accounts) <= processBytes) return;
    nextAtMs = nowMs + everyMs;
    accounts.askToCollect();
    collect();
    setTimeout(() => {
      malloc.trim();
      accounts.residentBytes = process.memoryUsage.rss();
      const wasUseful = beforeBytes - accounts.residentBytes > accounts.budgetBytes * usefulShare;
      everyMs = wasUseful ? collectEveryMs.shortest : Math.min(everyMs * 2, collectEveryMs.longest);
    }, trimAfterMs).unref();
  };
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
