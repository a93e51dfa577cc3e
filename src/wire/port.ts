import type { Port } from './call.ts';

/** What `MessagePort`, `Worker` and `parentPort` of node:worker_threads have in common. */
export interface ThreadPort {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  on(event: string, listener: (value: unknown) => void): unknown;
  close?(): void;
  terminate?(): Promise<unknown>;
}

/**
 * Messages between threads, cloned by structured clone. Closing the port of a `Worker` ends that thread; a MessagePort
 * closes on both sides. A message that cannot be decoded closes the port, since there is no telling what it was about.
 */
export function messagePortPort(port: ThreadPort): Port {
  let onMessage: ((message: unknown) => void) | null = null;
  let onClose: (() => void) | null = null;
  let closed = false;
  const early: unknown[] = [];

  const close = (): void => {
    if (closed) return;
    closed = true;
    onClose?.();
  };
  const shut = (): void => {
    if (port.terminate) void port.terminate();
    else port.close?.();
    close();
  };

  port.on('message', message => {
    if (closed) return;
    if (onMessage) onMessage(message);
    else early.push(message);
  });
  port.on('messageerror', shut);
  port.on('close', close);
  port.on('exit', close);

  return {
    post: (message, transfer) => {
      if (!closed) port.postMessage(message, transfer as ArrayBuffer[] | undefined);
    },
    listen: (message, ended) => {
      onMessage = message;
      onClose = ended;
      for (const waiting of early.splice(0)) message(waiting);
      if (closed) ended();
    },
    close: shut,
  };
}
