/** The metadata as it is now, and the one way to change it. */
import { type Fault, fault, toFault } from '../base/fault.ts';
import type { Log } from '../base/seams.ts';
import type { MetaStore } from '../meta/store.ts';
import { type State, stateOf, type TableState } from './state.ts';

export class Changes {
  readonly #meta: MetaStore;
  readonly #log: Log;
  #state: State;
  #stopped = false;
  readonly #listeners: (() => void)[] = [];
  /** Resolves when the last change asked for is done; changes run one after another. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(meta: MetaStore, log: Log, state: State) {
    this.#meta = meta;
    this.#log = log;
    this.#state = state;
  }

  /** Of the last change that is durable. */
  get state(): State {
    return this.#state;
  }

  /** Called after every change, in the turn in which it shows. */
  listen(onChange: () => void): void {
    this.#listeners.push(onChange);
  }

  /** @throws FaultError UNKNOWN_TABLE */
  table(tableId: string): TableState {
    const table = this.#state.tables.get(tableId);
    if (table !== undefined) return table;
    throw fault('UNKNOWN_TABLE', `there is no table with id ${tableId}`, { hint: 'it was dropped' });
  }

  /**
   * One change at a time. `work` looks at `state`, makes its transaction, and calls `set` with the state after it: memory
   * follows once the metadata is durable, and in the same turn.
   */
  run<T>(work: (meta: MetaStore, set: (state: State) => void) => Promise<T>): Promise<T> {
    const change = this.#lastChange.then(async () => {
      if (this.#stopped)
        throw fault('SHUTTING_DOWN', 'the controller is shutting down', { hint: 'try again once it is up' });
      try {
        return await work(this.#meta, state => this.#set(state));
      } catch (error) {
        await this.#resync(toFault(error));
        throw error;
      }
    });
    this.#lastChange = change.catch(() => {});
    return change;
  }

  /** Refuses further changes and resolves when those under way are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#lastChange;
  }

  #set(state: State): void {
    this.#state = state;
    for (const onChange of this.#listeners) onChange();
  }

  /** After a failure that says nothing about whether the transaction happened, what is on disk decides. */
  async #resync({ kind, message }: Fault): Promise<void> {
    if (kind === 'invalid' || kind === 'exhausted') return;
    try {
      this.#set(stateOf(await this.#meta.load()));
    } catch (error) {
      this.#log.error('the metadata can neither be changed nor read', {
        change: message,
        read: toFault(error).message,
      });
    }
  }
}
