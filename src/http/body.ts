/** Request bodies: bounded before and after decompression, and all of them together. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Account, Accounts } from '../base/accounts.ts';
import { FaultError, fault } from '../base/fault.ts';
import { Line } from '../base/line.ts';
import type { Clock } from '../base/seams.ts';
import { parseJson } from '../client/json.ts';

/** How long a body waits for others to be done with: its client is held back meanwhile, by TCP alone. */
const bodyWaitMs = 5_000;

/**
 * What a body of rows takes at most, for each of its bytes: itself, the columns that are decoded of it, and their frame.
 * Measured at 5.4 for CSV of short numbers, at 2.7 for the same as NDJSON.
 */
const rowsBodyFactor = 6;

/**
 * A JSON body, and the objects that are parsed of it: measured at 22 bytes for each byte of an array of empty objects, the
 * worst there is; SQL with parameters takes 2 to 6.
 */
const jsonBodyFactor = 24;

/** Bodies that the door has, on the account of bodies; one that has to wait is read when it is its turn. */
export class Bodies {
  readonly #accounts: Accounts;
  readonly #account: Account;
  readonly #line: Line;

  constructor(accounts: Accounts, clock: Clock) {
    this.#accounts = accounts;
    this.#account = accounts.account('bodies');
    this.#line = new Line(clock);
  }

  get usedBytes(): number {
    return this.#account.usedBytes;
  }

  /** Room for a body that says its size; alone, any is let in. @throws FaultError UNAVAILABLE */
  async take(sizeBytes: number): Promise<number> {
    const held = Math.min(sizeBytes, this.#account.limitBytes);
    const tryTake = (): boolean =>
      (this.#account.usedBytes === 0 || !this.#accounts.isTight) && this.#account.tryHold(held);
    if (!(await this.#line.wait(tryTake, bodyWaitMs))) throw this.#full(held);
    return held;
  }

  /** For one that is being read already, and waits for nobody: two that did could wait for each other. @throws FaultError UNAVAILABLE */
  grow(sizeBytes: number): void {
    if (!this.#account.tryHold(sizeBytes)) throw this.#full(sizeBytes);
  }

  give(sizeBytes: number): void {
    this.#account.release(sizeBytes);
    this.#line.look();
  }

  #full(askedBytes: number): FaultError {
    const { usedBytes, limitBytes } = this.#account;
    return fault(
      'UNAVAILABLE',
      `request bodies have ${usedBytes} of their ${limitBytes} bytes in use, and this one needs ${askedBytes}`,
      {
        hint: 'try again in a moment, push less at once or from fewer connections, or start with a larger --memory',
        details: { account: 'bodies', askedBytes, usedBytes, limitBytes },
      },
    );
  }
}

/** A body, charged to the account until `release` (called exactly once). */
export interface Body {
  /** Owns its buffer, so that it can be transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  release(): void;
}

/**
 * The whole body, decompressed (`gzip` or nothing). After a refusal the rest of the request is read and dropped, so that
 * the client, which still writes, gets to see the answer.
 * @throws FaultError BODY_TOO_LARGE, INVALID_REQUEST, UNAVAILABLE
 */
export async function readBody(
  request: IncomingMessage,
  sizeBytesMax: number,
  bodies: Bodies,
  factor = rowsBodyFactor,
): Promise<Body> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const compressed = encoding === 'gzip' || encoding === 'x-gzip';
  if (!compressed && encoding !== 'identity')
    throw fault('INVALID_REQUEST', `Content-Encoding ${encoding.slice(0, 50)} is not accepted`, {
      hint: 'send gzip, or no encoding',
    });
  const tooLarge = (): FaultError =>
    fault(
      'BODY_TOO_LARGE',
      `the body is larger than ${sizeBytesMax} bytes${compressed ? ' after decompression' : ''}`,
      {
        hint: 'send it in several requests',
        details: { sizeBytesMax },
      },
    );
  const declaredBytes = Number(request.headers['content-length'] ?? 0);
  if (declaredBytes > sizeBytesMax) throw tooLarge();
  // What is compressed says nothing of its size: it is counted as it comes out.
  let held = compressed || declaredBytes === 0 ? 0 : await bodies.take(declaredBytes * factor);
  const isDeclared = held > 0;

  const gunzip = compressed ? createGunzip() : null;
  const source: Readable = gunzip === null ? request : request.pipe(gunzip);
  const onClose = (): void => {
    if (!request.complete) gunzip?.destroy(new Error('the connection closed'));
  };
  if (gunzip !== null) request.once('close', onClose);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      if (sizeBytes + chunk.length > sizeBytesMax) throw tooLarge();
      if (!isDeclared) {
        bodies.grow(chunk.length * factor);
        held += chunk.length * factor;
      }
      sizeBytes += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    bodies.give(held);
    if (error instanceof FaultError) throw error;
    throw broken(error, compressed);
  } finally {
    if (gunzip !== null) {
      request.off('close', onClose);
      request.unpipe(gunzip);
      gunzip.destroy();
    }
    request.resume();
  }
  return { bytes: join(chunks, sizeBytes), release: () => bodies.give(held) };
}

function broken(error: unknown, compressed: boolean): FaultError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (compressed && (code?.startsWith('Z_') || code === 'ERR_TRAILING_JUNK_AFTER_STREAM_END'))
    return fault('INVALID_REQUEST', `the body is no whole gzip: ${message}`, { hint: 'compress it again' });
  return fault('CANCELLED', 'the connection closed before the body was whole', {}, { cause: error });
}

function join(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** `application/json; charset=utf-8` → `application/json`. */
export const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A JSON body, its integers exact. Only `application/json`: a type that a page of another origin may send without the
 * browser asking first (`text/plain`, a form) would let that page run statements.
 * @throws FaultError INVALID_REQUEST, BODY_TOO_LARGE, UNAVAILABLE
 */
export async function readJsonBody(request: IncomingMessage, sizeBytesMax: number, bodies: Bodies): Promise<unknown> {
  const type = mediaTypeOf(request);
  if (type !== 'application/json')
    throw fault(
      'INVALID_REQUEST',
      `Content-Type ${type === '' ? 'is missing' : `${type.slice(0, 100)} is not accepted`}`,
      {
        hint: 'send application/json',
      },
    );
  const body = await readBody(request, sizeBytesMax, bodies, jsonBodyFactor);
  try {
    return parseJson(utf8.decode(body.bytes));
  } catch (error) {
    throw fault('INVALID_REQUEST', `the body is no JSON: ${(error as Error).message}`);
  } finally {
    body.release();
  }
}
