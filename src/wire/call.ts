/**
 * Typed calls between roles, whatever carries them. `serve` answers calls that arrive on a port, `connect` makes them,
 * `local` joins the two inside one thread. Faults arrive as FaultErrors with the same code; an abort travels as a cancel.
 *
 * Streams are async generators on both sides: the handler yields frames and returns the trailer; the caller pulls them.
 * A handler is asked for its next frame only when the caller has credit left (`streamCredit` frames ahead), so a slow
 * reader holds no memory elsewhere. Returning from the generator early cancels the other side.
 */
import type { Stream } from './calls.ts';

export type CallMap = { readonly [name: string]: { readonly in: unknown; readonly out: unknown } };

export interface CallContext {
  /** Aborted when the caller cancels, stops reading, or its port closes. */
  readonly signal: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Moved, not copied, where the port can; the caller must not touch them again. */
  readonly transfer?: readonly ArrayBuffer[];
}

type Trailer<Out> = Out extends Stream<infer T> ? T : never;
type StreamNames<Calls extends CallMap> = {
  [K in keyof Calls]: Calls[K]['out'] extends Stream<unknown> ? K : never;
}[keyof Calls];
type CallNames<Calls extends CallMap> = Exclude<keyof Calls, StreamNames<Calls>>;

/** Frames, then (as the generator's return value) the trailer. */
export type FrameStream<T> = AsyncGenerator<Uint8Array, T, void>;

export type Handlers<Calls extends CallMap> = {
  readonly [K in keyof Calls]: Calls[K]['out'] extends Stream<infer T>
    ? (input: Calls[K]['in'], context: CallContext) => FrameStream<T>
    : (input: Calls[K]['in'], context: CallContext) => Promise<Calls[K]['out']> | Calls[K]['out'];
};

export interface Client<Calls extends CallMap> {
  call<K extends CallNames<Calls>>(name: K, input: Calls[K]['in'], options?: CallOptions): Promise<Calls[K]['out']>;
  stream<K extends StreamNames<Calls>>(
    name: K,
    input: Calls[K]['in'],
    options?: CallOptions,
  ): FrameStream<Trailer<Calls[K]['out']>>;
}

/** What carries messages: a MessagePort, a socket, or a channel of one. In order, at most once. */
export interface Port {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Null: there is room for more, as there always is where this is missing. Streams wait for it before each frame. */
  room?(): Promise<void> | null;
  /** One listener. Messages before it is set are kept. */
  listen(onMessage: (message: unknown) => void, onClose: () => void): void;
  /** `reason`: what rule the other side broke. Then nothing that it sends can be trusted, and what carries the port closes too. */
  close(reason?: string): void;
}
