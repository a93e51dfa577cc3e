import { FaultError, toFault } from '../base/fault.ts';
import type { CallMap, CallOptions, Client, FrameStream, Port } from './call.ts';
import { abortFault, type CallerMessage, isFault, malformed, portClosed, shapeOf, streamCredit } from './message.ts';

/** Room is given back for this many frames at once: a message less for every other frame, and the producer never starves. */
const creditStep = streamCredit / 2;

/** What a call or stream awaits from the other side. */
interface Waiting {
  readonly name: string;
  frame(frame: Uint8Array): void;
  done(output: unknown): void;
  fail(error: FaultError): void;
}

/**
 * Makes calls on a port. Whatever is outstanding when the port closes is rejected with UNAVAILABLE; an aborted signal
 * rejects at once and cancels the other side. A frame or an answer that nobody asked for rejects all calls with
 * CORRUPT_FRAME, and closes the port.
 * @param peer Who answers, for messages.
 */
export function connect<Calls extends CallMap>(
  port: Port,
  peer = 'the other side of the port',
): Client<Calls> & { close(): void } {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let closed = false;

  const post = (message: CallerMessage, transfer?: readonly ArrayBuffer[]): void => port.post(message, transfer);

  const failAll = (errorOf: (call: Waiting) => FaultError): void => {
    closed = true;
    for (const [id, call] of [...waiting]) {
      waiting.delete(id);
      call.fail(errorOf(call));
    }
  };

  const distrust = (reason: string): void => {
    failAll(() => malformed(reason));
    port.close(reason);
  };

  const receive = (message: unknown): void => {
    const shape = shapeOf(message);
    if (!shape) {
      distrust('an answer without a call');
      return;
    }
    const call = waiting.get(shape.id);
    if (!call) {
      // Answers to a call that was cancelled or abandoned are on their way until the other side learns of it.
      if (shape.id < 1 || shape.id > lastId) distrust(`an answer to call ${shape.id}, which was never made`);
      return;
    }
    if (shape.kind === 'frame' && shape.frame instanceof Uint8Array) {
      call.frame(shape.frame);
      return;
    }
    waiting.delete(shape.id);
    if (shape.kind === 'done') call.done(shape.output);
    else if (shape.kind === 'fault' && isFault(shape.fault)) call.fail(new FaultError(shape.fault));
    else call.fail(malformed(`answer ${JSON.stringify(shape.kind)} to ${call.name}`));
  };

  /** Posts the call and keeps `call` until it is answered; returns what cancels it. */
  const start = (name: string, input: unknown, options: CallOptions, call: Waiting): (() => void) => {
    const id = ++lastId;
    const cancel = (): void => {
      if (waiting.delete(id)) post({ kind: 'cancel', id });
    };
    if (closed) call.fail(portClosed(name, peer));
    else if (options.signal?.aborted) call.fail(abortFault(options.signal));
    else {
      waiting.set(id, call);
      try {
        post({ kind: 'call', id, name, input }, options.transfer);
      } catch (error) {
        waiting.delete(id);
        call.fail(new FaultError(toFault(error)));
      }
    }
    return cancel;
  };

  const call = (name: string, input: unknown, options: CallOptions = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const onAbort = (): void => {
        cancel();
        reject(abortFault(signal!));
      };
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      const cancel = start(name, input, options, {
        name,
        frame: () => distrust(`a frame for ${name}, which is no stream`),
        done: output => {
          settle();
          resolve(output);
        },
        fail: error => {
          settle();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });

  async function* stream(name: string, input: unknown, options: CallOptions = {}): FrameStream<unknown> {
    const { signal } = options;
    const frames: Uint8Array[] = [];
    let trailer: { readonly output: unknown } | null = null;
    let failure: FaultError | null = null;
    let taken = 0;
    let credit = streamCredit;
    let wake: (() => void) | null = null;
    const fail = (error: FaultError): void => {
      failure ??= error;
      wake?.();
    };
    const id = lastId + 1;
    const cancel = start(name, input, options, {
      name,
      frame: frame => {
        if (credit-- === 0) distrust(`a frame of ${name} beyond its credit`);
        else frames.push(frame);
        wake?.();
      },
      done: output => {
        trailer = { output };
        wake?.();
      },
      fail,
    });
    const onAbort = (): void => {
      cancel();
      frames.length = 0;
      fail(abortFault(signal!));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const frame = frames.shift();
        if (frame) {
          yield frame;
          if (++taken < creditStep) continue;
          credit += taken;
          if (waiting.has(id)) post({ kind: 'credit', id, frames: taken });
          taken = 0;
        } else if (failure) throw failure;
        else if (trailer) return (trailer as { readonly output: unknown }).output;
        else {
          await new Promise<void>(resolve => {
            wake = resolve;
          });
          wake = null;
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      cancel();
    }
  }

  port.listen(receive, () => failAll(({ name }) => portClosed(name, peer)));
  return {
    call: call as Client<Calls>['call'],
    stream: stream as Client<Calls>['stream'],
    close: () => {
      failAll(({ name }) => portClosed(name, peer));
      port.close();
    },
  };
}
