/** Threads and the ports between them. Every pair of roles that talk has a channel of its own. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type Fault, FaultError, fault } from '../base/fault.ts';
import type { LogLevel } from '../base/pino-log.ts';

interface Common {
  readonly logLevel: LogLevel;
  readonly dataFolder: string;
  /** The buffer of the process's accounts. */
  readonly accounts: SharedArrayBuffer;
}

/** What a thread is told at its birth; ports are moved to it. `serve`: where it answers calls to its role. */
export type ThreadData =
  | (Common & {
      readonly role: 'shard';
      readonly shard: number;
      readonly arenaBytes: number;
      readonly filesFolder: string;
      readonly serve: readonly MessagePort[];
      /** By shard number; null in its own place. */
      readonly peers: readonly (MessagePort | null)[];
      /** Where it asks for what other processes run; null where there are none. */
      readonly remoteTasks: MessagePort | null;
    })
  | (Common & {
      readonly role: 'ingest';
      readonly serve: readonly MessagePort[];
      readonly controller: MessagePort;
      readonly builder: MessagePort;
      readonly shards: readonly MessagePort[];
      readonly streamBufferSizeBytes: number;
      readonly segmentSizeBytesMax: number;
    })
  | (Common & {
      readonly role: 'builder';
      readonly serve: readonly MessagePort[];
      readonly shards: readonly MessagePort[];
    })
  | (Common & {
      readonly role: 'task';
      readonly serve: readonly MessagePort[];
      readonly loadBufferSizeBytes: number;
      readonly controller: MessagePort;
    });

export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly fault: Fault }
  | { readonly kind: 'stopped' };

export interface Thread {
  readonly role: ThreadData['role'];
  /** Resolves when its role answers calls; rejects with what kept it from that. */
  readonly ready: Promise<void>;
  /** Rejects when it dies without having been asked to. */
  readonly died: Promise<never>;
  /** Asks the role to stop in good order, then ends the thread. */
  stop(): Promise<void>;
}

/** Heap of one thread: the arena lies outside it, so what is in it is small; a leak ends one thread with a clear message. */
const heapMegabytesMax = 1024;

const portsOf = (data: ThreadData): MessagePort[] => {
  const ports: (MessagePort | null)[] = [...data.serve];
  if (data.role === 'shard') ports.push(...data.peers, data.remoteTasks);
  if (data.role === 'ingest' || data.role === 'builder') ports.push(...data.shards);
  if (data.role === 'ingest' || data.role === 'task') ports.push(data.controller);
  if (data.role === 'ingest') ports.push(data.builder);
  return ports.filter(port => port !== null);
};

export function startThread(data: ThreadData): Thread {
  const name = data.role === 'shard' ? `shard ${data.shard}` : data.role;
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: data,
    transferList: portsOf(data),
    name,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
  });
  let stopping = false;
  let onStopped: () => void = () => {};
  const stopped = new Promise<void>(resolve => {
    onStopped = resolve;
  });
  const died = new Promise<never>((_, reject) => {
    worker.on('error', error =>
      reject(fault('INTERNAL', `the ${name} thread failed: ${error.message}`, {}, { cause: error })),
    );
    worker.on('exit', code => {
      onStopped();
      if (!stopping) reject(fault('INTERNAL', `the ${name} thread ended with code ${code}`));
    });
  });
  died.catch(() => {});
  const ready = new Promise<void>((resolve, reject) => {
    died.catch(reject);
    worker.on('message', (message: ThreadMessage) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'failed') reject(new FaultError(message.fault));
      else onStopped();
    });
  });
  return {
    role: data.role,
    ready,
    died,
    async stop() {
      stopping = true;
      worker.postMessage('stop');
      await stopped;
      await worker.terminate();
    },
  };
}

export const channel = (): { near: MessagePort; far: MessagePort } => {
  const { port1, port2 } = new MessageChannel();
  return { near: port1, far: port2 };
};
