/** Request bodies: bounded before and after decompression, and all of them together. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FaultError, fault } from '../base/fault.ts';
import { parseJson } from '../client/json.ts';

/** Bytes of bodies that the door holds now. */
export class BodyAccount {
  readonly #sizeBytesMax: number;
  #usedBytes = 0;

  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @throws FaultError UNAVAILABLE */
  take(sizeBytes: number): void {
    if (this.#usedBytes + sizeBytes > this.#sizeBytesMax)
      throw fault('UNAVAILABLE', `request bodies already hold ${this.#usedBytes} of ${this.#sizeBytesMax} bytes`, {
        hint: 'try again in a moment, or push from fewer connections at once',
      });
    this.#usedBytes += sizeBytes;
  }

  give(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes;
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
export async function readBody(request: IncomingMessage, sizeBytesMax: number, account: BodyAccount): Promise<Body> {
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
  if (Number(request.headers['content-length'] ?? 0) > sizeBytesMax) throw tooLarge();

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
      account.take(chunk.length);
      sizeBytes += chunk.length;
      chunks.push(chunk);
    }
  } catch (error) {
    account.give(sizeBytes);
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
  return { bytes: join(chunks, sizeBytes), release: () => account.give(sizeBytes) };
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
export async function readJsonBody(
  request: IncomingMessage,
  sizeBytesMax: number,
  account: BodyAccount,
): Promise<unknown> {
  const type = mediaTypeOf(request);
  if (type !== 'application/json')
    throw fault(
      'INVALID_REQUEST',
      `Content-Type ${type === '' ? 'is missing' : `${type.slice(0, 100)} is not accepted`}`,
      {
        hint: 'send application/json',
      },
    );
  const body = await readBody(request, sizeBytesMax, account);
  try {
    return parseJson(utf8.decode(body.bytes));
  } catch (error) {
    throw fault('INVALID_REQUEST', `the body is no JSON: ${(error as Error).message}`);
  } finally {
    body.release();
  }
}
