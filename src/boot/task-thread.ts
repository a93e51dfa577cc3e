/** The thread of background tasks: most starts of Weir have none to do, so it starts with the first. */
import type { MessagePort } from 'node:worker_threads';
import type { Client } from '../wire/call.ts';
import { connect } from '../wire/connect.ts';
import { messagePortPort } from '../wire/port.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import type { StartSettings } from './settings.ts';
import { channel, startThread, type Thread } from './threads.ts';

export interface TaskThread {
  readonly client: Client<TaskCalls>;
  stop(): Promise<void>;
}

/**
 * One that dies (a file that no reader withstands) takes its task with it, which fails UNAVAILABLE, and nothing else: the
 * next task starts another.
 */
export function taskThread(
  { dataFolder, logLevel }: Pick<StartSettings, 'dataFolder' | 'logLevel'>,
  accounts: SharedArrayBuffer,
  loadBufferSizeBytes: number,
  serveController: (port: MessagePort) => void,
): TaskThread {
  let running: { readonly thread: Thread; readonly client: Client<TaskCalls> } | null = null;

  const start = (): { readonly thread: Thread; readonly client: Client<TaskCalls> } => {
    const toTask = channel();
    const toController = channel();
    serveController(toController.far);
    const thread = startThread({
      ...{ role: 'task', dataFolder, logLevel, accounts, loadBufferSizeBytes },
      serve: [toTask.far],
      controller: toController.near,
    });
    const started = { thread, client: connect<TaskCalls>(messagePortPort(toTask.near)) };
    // Its port closes with it, which fails the calls under way.
    thread.died.catch(() => {
      if (running === started) running = null;
    });
    return started;
  };

  const ready = async (): Promise<Client<TaskCalls>> => {
    running ??= start();
    const { thread, client } = running;
    await thread.ready;
    return client;
  };

  return {
    client: {
      async call(name, input, options) {
        return (await ready()).call(name, input, options);
      },
      async *stream(name, input, options) {
        return yield* (await ready()).stream(name, input, options);
      },
    },
    stop: async () => running?.thread.stop(),
  };
}
