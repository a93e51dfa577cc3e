/** What runs in the background, and what of it ended lately: the rows of `system.tasks`. */
import { toFault } from '../base/fault.ts';
import type { Clock, Random } from '../base/seams.ts';
import type { TaskEntry, TaskKind } from '../wire/controller-calls.ts';

/** Ended tasks that are remembered: a day of merges every few minutes. */
const endedTasksMax = 500;

export interface TaskRequest {
  readonly kind: TaskKind;
  readonly tableId: string;
  /** One line on what it does. */
  readonly detail: string;
  /** What it goes through, in `unit`s; 0 where that is not known yet. */
  readonly total: number;
  readonly unit: TaskEntry['unit'];
}

/** Told to a task's work. */
export interface RunningTask {
  readonly taskId: string;
  /** Aborted when the task is cancelled, or the controller stops. */
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

type Kept = { -readonly [K in keyof Omit<TaskEntry, 'table'>]: TaskEntry[K] } & { tableId: string };

export class Tasks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #running = new Map<string, { readonly entry: Kept; readonly abort: AbortController }>();
  readonly #ended: Kept[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Registers the task while `work` runs; what that throws is kept as the task's error, and thrown on. */
  async run<T>(
    { kind, tableId, detail, total, unit }: TaskRequest,
    work: (task: RunningTask) => Promise<T>,
    taskId: string = this.#random.hex(16),
  ): Promise<T> {
    const abort = new AbortController();
    const entry: Kept = {
      ...{ taskId, kind, tableId, detail, total, unit, state: 'running', done: 0 },
      startedAtMs: this.#clock.nowMs(),
      ...{ finishedAtMs: null, error: null },
    };
    this.#running.set(taskId, { entry, abort });
    const progress = (done: number, all: number): void => {
      entry.done = done;
      entry.total = all;
    };
    try {
      const result = await work({ taskId, signal: abort.signal, progress });
      entry.state = 'finished';
      entry.done = entry.total;
      return result;
    } catch (error) {
      const { code, message } = toFault(error);
      entry.state = code === 'CANCELLED' ? 'cancelled' : 'failed';
      entry.error = message;
      throw error;
    } finally {
      entry.finishedAtMs = this.#clock.nowMs();
      this.#running.delete(taskId);
      this.#ended.push(entry);
      if (this.#ended.length > endedTasksMax) this.#ended.shift();
    }
  }

  /** False where no such task runs. */
  cancel(taskId: string, reason: Error): boolean {
    const task = this.#running.get(taskId);
    task?.abort.abort(reason);
    return task !== undefined;
  }

  /** Ended ones first, by their end. @param nameOf A table's name; null where it was dropped. */
  entries(nameOf: (tableId: string) => string | null): TaskEntry[] {
    return [...this.#ended, ...Array.from(this.#running.values(), ({ entry }) => entry)].map(
      ({ tableId, ...entry }) => ({ ...entry, table: nameOf(tableId) ?? tableId }),
    );
  }
}
