/**
 * What travels on a port, as plain data. A call's id is chosen by its caller and never used again on that port.
 *
 *   caller → server   call   {id, name, input}   also starts a stream, with `streamCredit` frames of credit
 *                     credit {id, frames}        the caller took so many frames
 *                     cancel {id}                the caller wants no more
 *   server → caller   frame  {id, frame}         a stream's next frame
 *                     done   {id, output}        a call's answer, or a stream's trailer after its last frame
 *                     fault  {id, fault}         the other end of both
 */
import { type Fault, FaultError, fault, faultKinds } from '../base/fault.ts';

export type CallerMessage =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'credit'; readonly id: number; readonly frames: number }
  | { readonly kind: 'cancel'; readonly id: number };

export type ServerMessage =
  | { readonly kind: 'frame'; readonly id: number; readonly frame: Uint8Array }
  | { readonly kind: 'done'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'fault'; readonly id: number; readonly fault: Fault };

/**
 * Frames that a producer may be ahead of its reader. Four hide a round trip (25 µs) and the reader's work on one frame
 * behind the making of the next; a slow reader holds at most four frames of memory for each producer.
 */
export const streamCredit = 4;

interface Shape {
  readonly kind: unknown;
  readonly id: number;
  readonly [field: string]: unknown;
}

/** A message with a readable id, or null: then there is no telling which call it is about. */
export function shapeOf(message: unknown): Shape | null {
  if (typeof message !== 'object' || message === null) return null;
  const { id, kind } = message as Partial<Shape>;
  return Number.isSafeInteger(id) && typeof kind === 'string' ? (message as Shape) : null;
}

export const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(faultKinds, (value as Fault).code) &&
  typeof (value as Fault).message === 'string';

export const malformed = (what: string): FaultError => fault('CORRUPT_FRAME', `a malformed message: ${what}`);

/** @param peer Who closed, or lost, the port. */
export const portClosed = (name: string, peer: string): FaultError =>
  fault('UNAVAILABLE', `${peer} closed before ${name} was answered`, { hint: 'try again' });

/** What a caller sees of its own abort: the fault that it aborted with, CANCELLED for any other reason. */
export const abortFault = (signal: AbortSignal): FaultError =>
  signal.reason instanceof FaultError ? signal.reason : fault('CANCELLED', 'the caller cancelled the call');
