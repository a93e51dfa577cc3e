/**
 * The memory budget as named accounts, shared by all threads of the process.
 *
 *   SharedArrayBuffer of 64-bit numbers   [budget][resident][its peak][collections] then for each account [limit][used][peak]
 *
 * Every account has a limit of its own, and the limits with the process's own share add up to the budget: no account can
 * take what another counts on. Whoever makes something large holds its size first and releases it once it is garbage; what
 * is small beside its account is counted in steps, so that a hold costs one atomic operation for a chunk, not for a row.
 */
import { assert } from './assert.ts';
import { type FaultError, fault } from './fault.ts';

/** In order of their place in the buffer; what each holds, and what to do when it is full. */
export const accounts = {
  columns: { holds: 'cached columns and indexes of committed segments', hint: 'raise --memory' },
  consuming: {
    holds: 'rows that are in no committed segment yet',
    hint: 'raise --memory, or lower segment_rows or segment_age so that consuming segments seal sooner',
  },
  queries: {
    holds: 'groups, sorts and distinct values of running queries',
    hint: 'filter more rows, group by fewer distinct values, send fewer queries at once, or start with a larger --memory',
  },
  statements: {
    holds: 'statements that run or wait, with their constants',
    hint: 'send shorter lists, or fewer of these at once',
  },
  results: { holds: 'frames of answers under way', hint: 'read answers as they come, or send fewer queries at once' },
  bodies: { holds: 'request bodies and what is decoded of them', hint: 'push less at once, or from fewer connections' },
  streams: { holds: 'messages fetched and not yet taken', hint: 'raise --memory' },
  builds: { holds: 'segments being built', hint: 'raise --memory, or lower segment_rows' },
  loads: { holds: 'rows of batch loads on their way into segments', hint: 'raise --memory' },
  metadata: { holds: 'manifests of open segments', hint: 'raise --memory, or seal larger segments' },
} as const satisfies Record<string, { readonly holds: string; readonly hint: string }>;

export type AccountName = keyof typeof accounts;
export const accountNames = Object.keys(accounts) as readonly AccountName[];

export interface AccountState {
  readonly name: string;
  readonly usedBytes: number;
  readonly peakBytes: number;
  readonly limitBytes: number;
}

/** One account. Sizes are whole bytes; what was held is released exactly once, by any thread. */
export interface Account extends AccountState {
  /** Takes the bytes, or nothing: never above the limit, whatever other threads do at the same time. */
  tryHold(sizeBytes: number): boolean;
  /** @throws FaultError MEMORY_BUDGET with the account, what was asked for, what is used and the limit */
  hold(sizeBytes: number): void;
  release(sizeBytes: number): void;
  /** Notes what something else bounds (an arena): may pass the limit. A negative change releases. */
  note(changeBytes: number): void;
}

export interface Accounts {
  /** To attach to in another thread. */
  readonly buffer: SharedArrayBuffer;
  readonly budgetBytes: number;
  /** Of the process, as last measured; 0 before. */
  residentBytes: number;
  readonly residentPeakBytes: number;
  /** Counts up whenever every thread should collect its garbage. */
  readonly collections: number;
  askToCollect(): void;
  /** The process is near its budget: what can wait should. */
  readonly isTight: boolean;
  /** It is at its budget: whatever the accounts say, nothing more is given to queries and bodies. */
  readonly isOver: boolean;
  account(name: AccountName): Account;
  states(): AccountState[];
}

const budgetAt = 0;
const residentAt = 1;
const residentPeakAt = 2;
const collectionsAt = 3;
const firstAt = 4;
const fieldCount = 3;

/** Of the budget: above this garbage is worth collecting, and work that can wait does. The rest is what comes meanwhile. */
const tightShare = 0.9;

export function createAccounts(budgetBytes: number, limits: Readonly<Record<AccountName, number>>): Accounts {
  const buffer = new SharedArrayBuffer(8 * (firstAt + fieldCount * accountNames.length));
  const words = new BigInt64Array(buffer);
  words[budgetAt] = BigInt(budgetBytes);
  for (const [index, name] of accountNames.entries()) words[firstAt + fieldCount * index] = BigInt(limits[name]);
  return attachAccounts(buffer);
}

/** Without bounds: for a role by itself, as in tests. */
export const unboundAccounts = (): Accounts =>
  createAccounts(
    Number.MAX_SAFE_INTEGER,
    Object.fromEntries(accountNames.map(name => [name, Number.MAX_SAFE_INTEGER])) as Record<AccountName, number>,
  );

/** The same accounts in another thread. */
export function attachAccounts(buffer: SharedArrayBuffer): Accounts {
  const words = new BigInt64Array(buffer);
  assert(words.length === firstAt + fieldCount * accountNames.length, 'accounts of another build');
  const all = new Map(
    accountNames.map((name, index) => [name, new SharedAccount(name, words, firstAt + fieldCount * index)]),
  );
  const read = (at: number): number => Number(Atomics.load(words, at));
  return {
    buffer,
    budgetBytes: read(budgetAt),
    get residentBytes() {
      return read(residentAt);
    },
    set residentBytes(bytes) {
      Atomics.store(words, residentAt, BigInt(bytes));
      // One thread measures.
      if (bytes > read(residentPeakAt)) Atomics.store(words, residentPeakAt, BigInt(bytes));
    },
    get residentPeakBytes() {
      return read(residentPeakAt);
    },
    get collections() {
      return read(collectionsAt);
    },
    askToCollect: () => void Atomics.add(words, collectionsAt, 1n),
    get isTight() {
      return read(residentAt) > read(budgetAt) * tightShare;
    },
    get isOver() {
      return read(residentAt) > read(budgetAt);
    },
    account: name => all.get(name)!,
    states: () =>
      [...all.values()].map(({ name, usedBytes, peakBytes, limitBytes }) => ({
        name,
        usedBytes,
        peakBytes,
        limitBytes,
      })),
  };
}

class SharedAccount implements Account {
  readonly name: AccountName;
  readonly limitBytes: number;
  readonly #words: BigInt64Array;
  readonly #usedAt: number;
  readonly #peakAt: number;

  constructor(name: AccountName, words: BigInt64Array, at: number) {
    this.name = name;
    this.limitBytes = Number(words[at]);
    this.#words = words;
    this.#usedAt = at + 1;
    this.#peakAt = at + 2;
  }

  get usedBytes(): number {
    return Number(Atomics.load(this.#words, this.#usedAt));
  }

  get peakBytes(): number {
    return Number(Atomics.load(this.#words, this.#peakAt));
  }

  tryHold(sizeBytes: number): boolean {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `${sizeBytes} is not a size`);
    const words = this.#words;
    for (let used = Atomics.load(words, this.#usedAt); ; ) {
      const wanted = used + BigInt(sizeBytes);
      if (wanted > this.limitBytes) return false;
      const seen = Atomics.compareExchange(words, this.#usedAt, used, wanted);
      if (seen === used) {
        this.#raisePeak(wanted);
        return true;
      }
      used = seen;
    }
  }

  hold(sizeBytes: number): void {
    if (!this.tryHold(sizeBytes)) throw refusal(this, sizeBytes);
  }

  release(sizeBytes: number): void {
    this.note(-sizeBytes);
  }

  note(changeBytes: number): void {
    const change = BigInt(changeBytes);
    const used = Atomics.add(this.#words, this.#usedAt, change) + change;
    assert(used >= 0n, `account ${this.name} released more than it held`);
    if (change > 0n) this.#raisePeak(used);
  }

  #raisePeak(used: bigint): void {
    const words = this.#words;
    for (let peak = Atomics.load(words, this.#peakAt); peak < used; ) {
      const seen = Atomics.compareExchange(words, this.#peakAt, peak, used);
      if (seen === peak) return;
      peak = seen;
    }
  }
}

/** What a full account says. */
export function refusal({ name, usedBytes, limitBytes }: AccountState, askedBytes: number): FaultError {
  const { holds, hint } = accounts[name as AccountName];
  return fault(
    'MEMORY_BUDGET',
    `${askedBytes} bytes more for ${holds} do not fit: account ${name} has ${usedBytes} of its ${limitBytes} bytes in use`,
    { hint, details: { account: name, askedBytes, usedBytes, limitBytes } },
  );
}
