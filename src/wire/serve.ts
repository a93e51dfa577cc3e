import { fault, toFault } from '../base/fault.ts';
import type { CallContext, CallMap, FrameStream, Handlers, Port } from './call.ts';
import { malformed, type ServerMessage, shapeOf, streamCredit } from './message.ts';

/** Any handler, its types forgotten: names and inputs come from outside. */
export type AnyHandler = (input: unknown, context: CallContext) => unknown;

/** A call's handler by name, or a CORRUPT_FRAME; what every object inherits is no handler. */
export function handlerOf<Calls extends CallMap>(handlers: Handlers<Calls>, name: unknown): AnyHandler {
  const handler = typeof name === 'string' && !(name in Object.prototype) ? handlers[name] : undefined;
  if (typeof handler !== 'function') throw malformed(`there is no call ${JSON.stringify(name)}`);
  return (handler as AnyHandler).bind(handlers);
}

export const isStream = (value: unknown): value is FrameStream<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** Of one caller at once: more than any door lets in; each holds its input until it is answered. */
const callCountMax = 10_000;

/** A call that was taken and not yet answered. */
interface Running {
  readonly abort: AbortController;
  /** Frames that the caller has room for. */
  credit: number;
  /** Wakes the stream that waits for credit. */
  wake: (() => void) | null;
}

/** Owns its whole buffer, so that posting can move it; a view of a part is copied, because a clone would copy the whole. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);

/**
 * Answers the calls that arrive on a port. Bytes leave by transfer where they own their whole buffer: handlers give
 * away the frames that they yield, and any `Uint8Array` directly in an output.
 *
 * A call is cancelled through its signal when its caller asks so, and when the port closes. A call of no known name is
 * answered with CORRUPT_FRAME, one too many with LIMIT_EXCEEDED; a message that is none of a caller's closes the port.
 */
export function serve<Calls extends CallMap>(port: Port, handlers: Handlers<Calls>): { close(): void } {
  const running = new Map<number, Running>();

  const answer = (message: ServerMessage, transfer: readonly ArrayBuffer[]): void => {
    try {
      port.post(message, transfer);
    } catch (error) {
      port.post({ kind: 'fault', id: message.id, fault: toFault(error) } satisfies ServerMessage);
    }
  };

  const fail = (id: number, error: unknown): void =>
    answer({ kind: 'fault', id, fault: toFault(error) } satisfies ServerMessage, []);

  const finish = (id: number, output: unknown): void => {
    if (!running.delete(id)) return;
    const transfer: ArrayBuffer[] = [];
    let own = output;
    if (typeof output === 'object' && output !== null && !Array.isArray(output)) {
      const fields = Object.entries(output).map(([name, value]): [string, unknown] => {
        if (!(value instanceof Uint8Array)) return [name, value];
        const bytes = owned(value);
        transfer.push(bytes.buffer);
        return [name, bytes];
      });
      if (transfer.length > 0) own = Object.fromEntries(fields);
    }
    answer({ kind: 'done', id, output: own }, transfer);
  };

  const drop = (id: number, reason: unknown): void => {
    const call = running.get(id);
    if (!call) return;
    running.delete(id);
    call.abort.abort(reason);
    call.wake?.();
  };

  /** Asks for a frame only while the caller has room; ends the generator, whatever happens, before it returns. */
  const pump = async (id: number, call: Running, stream: FrameStream<unknown>): Promise<void> => {
    for (;;) {
      if (call.credit === 0 && !call.abort.signal.aborted)
        await new Promise<void>(resolve => {
          call.wake = resolve;
        });
      call.wake = null;
      const room = port.room?.();
      if (room) await room;
      if (call.abort.signal.aborted) {
        await stream.return(undefined);
        return;
      }
      const next = await stream.next();
      if (next.done) {
        finish(id, next.value);
        return;
      }
      if (call.abort.signal.aborted) continue;
      call.credit--;
      const frame = owned(next.value);
      answer({ kind: 'frame', id, frame }, [frame.buffer]);
    }
  };

  const start = async (id: number, name: unknown, input: unknown): Promise<void> => {
    const call: Running = { abort: new AbortController(), credit: streamCredit, wake: null };
    running.set(id, call);
    try {
      const output = handlerOf(handlers, name)(input, { signal: call.abort.signal });
      if (isStream(output)) await pump(id, call, output);
      else finish(id, output instanceof Promise ? await output : output);
    } catch (error) {
      if (running.delete(id)) fail(id, error);
    }
  };

  const takeCall = (id: number, name: unknown, input: unknown): void => {
    if (running.has(id)) fail(id, malformed(`call ${id} is already running`));
    else if (running.size >= callCountMax)
      fail(
        id,
        fault('LIMIT_EXCEEDED', `${callCountMax} calls are running for this caller`, {
          hint: 'wait for some of them',
          details: { limit: callCountMax },
        }),
      );
    else void start(id, name, input);
  };

  /** For a call that just ended, credit and cancel cross its answer on the way: nothing is wrong. */
  const takeCredit = (id: number, frames: unknown): void => {
    const call = running.get(id);
    if (!call) return;
    if (Number.isSafeInteger(frames) && (frames as number) > 0) {
      call.credit = Math.min(call.credit + (frames as number), streamCredit);
      call.wake?.();
    } else {
      const error = malformed('credit without frames');
      drop(id, error);
      fail(id, error);
    }
  };

  const receive = (message: unknown): void => {
    const shape = shapeOf(message);
    if (!shape) close('a message without a call');
    else if (shape.kind === 'call') takeCall(shape.id, shape.name, shape.input);
    else if (shape.kind === 'credit') takeCredit(shape.id, shape.frames);
    else if (shape.kind === 'cancel') drop(shape.id, fault('CANCELLED', 'the caller cancelled the call'));
    else close(`a message of kind ${JSON.stringify(shape.kind)} to who answers calls`);
  };

  const abortAll = (): void => {
    for (const id of [...running.keys()]) drop(id, fault('CANCELLED', "the caller's port closed"));
  };
  const close = (reason?: string): void => {
    abortAll();
    port.close(reason);
  };

  port.listen(receive, abortAll);
  return { close: () => close() };
}
