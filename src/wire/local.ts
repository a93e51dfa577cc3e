import { setMaxListeners } from 'node:events';
import { FaultError, toFault } from '../base/fault.ts';
import type { CallMap, CallOptions, Client, FrameStream, Handlers } from './call.ts';
import { abortFault, malformed } from './message.ts';
import { handlerOf, isStream } from './serve.ts';

const asFaultError = (error: unknown): FaultError =>
  error instanceof FaultError ? error : new FaultError(toFault(error), { cause: error });

/** Of calls that nobody can cancel; all of those under way listen to it. */
const never = new AbortController().signal;
setMaxListeners(0, never);

/** Rejects as soon as the signal aborts, whatever `work` does; `work` is then left to see the signal for itself. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortFault(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work
      .then(resolve, error => reject(asFaultError(error)))
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Calls within one thread: the meaning of `connect` to `serve`, without copies. Values are shared, so neither side
 * changes what it gave; a stream's handler runs only while its caller waits for a frame.
 */
export function local<Calls extends CallMap>(handlers: Handlers<Calls>): Client<Calls> {
  const call = async (name: string, input: unknown, options: CallOptions = {}): Promise<unknown> => {
    const signal = options.signal ?? never;
    if (signal.aborted) throw abortFault(signal);
    try {
      const output = handlerOf(handlers, name)(input, { signal });
      return output instanceof Promise && signal !== never ? await untilAborted(output, signal) : await output;
    } catch (error) {
      throw asFaultError(error);
    }
  };

  async function* stream(name: string, input: unknown, options: CallOptions = {}): FrameStream<unknown> {
    const ended = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
    if (signal.aborted) throw abortFault(signal);
    let frames: FrameStream<unknown> | null = null;
    try {
      const output = handlerOf(handlers, name)(input, { signal });
      if (!isStream(output)) throw malformed(`${name} is no stream`);
      frames = output;
      for (;;) {
        const next = await untilAborted(frames.next(), signal);
        if (next.done) {
          frames = null;
          return next.value;
        }
        yield next.value;
      }
    } catch (error) {
      throw asFaultError(error);
    } finally {
      if (frames) {
        ended.abort();
        // Not awaited: the generator may be deep in work that ends only when it next looks at its signal.
        frames.return(undefined).catch(() => {});
      }
    }
  }

  return { call: call as Client<Calls>['call'], stream: stream as Client<Calls>['stream'] };
}
