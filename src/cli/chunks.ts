/** A file of lines as chunks of whole lines, the same for the same bytes however they were read. */
import type { Readable } from 'node:stream';
import { PassThrough, Readable as ReadableStream } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { fault } from '../base/fault.ts';
import type { DiskFile } from '../base/seams.ts';

/** A chunk ends with the first line that reaches this: ~10,000 events, a tenth of a second of ingestion. */
export const chunkSizeBytes = 4 << 20;
/** A line past this is no event: the server takes no body beyond 64 MiB. */
const lineSizeBytesMax = 32 << 20;
const readSizeBytes = 256 << 10;

export interface Chunk {
  readonly index: number;
  /** Of its first line in the file, from 1. */
  readonly firstLine: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The bytes of a file, in order. `onRead` learns how many were read so far. */
export async function* readFile(file: DiskFile, onRead: (sizeBytes: number) => void): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const into = new Uint8Array(readSizeBytes);
    const size = await file.read(into, position);
    if (size === 0) return;
    position += size;
    onRead(position);
    yield into.subarray(0, size);
  }
}

/** The bytes, decompressed if they begin as gzip does. @throws FaultError INVALID_ROWS */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = source[Symbol.asyncIterator]();
  const first = await bytes.next();
  if (first.done) return;
  const whole = (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => bytes };
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const output = new PassThrough();
  const done = pipeline(ReadableStream.from(whole), createGunzip(), output);
  done.catch(() => {});
  try {
    yield* output as Readable & AsyncIterable<Uint8Array>;
    await done;
  } catch (error) {
    throw fault('INVALID_ROWS', `the file is no whole gzip: ${(error as Error).message}`, {}, { cause: error });
  }
}

/**
 * @param sizeBytesMin Of every chunk but the last.
 * @throws FaultError INVALID_ROWS where a line does not end
 */
export async function* splitLines(
  source: AsyncIterable<Uint8Array>,
  sizeBytesMin: number = chunkSizeBytes,
): AsyncGenerator<Chunk> {
  let pending: Uint8Array[] = [];
  let sizeBytes = 0;
  let index = 0;
  let firstLine = 1;
  const cut = (): Chunk => {
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    let lines = 0;
    for (const part of pending) {
      bytes.set(part, at);
      at += part.length;
    }
    for (const byte of bytes) lines += +(byte === 10);
    const chunk = { index: index++, firstLine, bytes };
    firstLine += lines;
    pending = [];
    sizeBytes = 0;
    return chunk;
  };
  for await (const part of source) {
    let rest = part;
    while (rest.length > 0) {
      // A cut comes after the first line break at or past the chunk's size.
      const from = Math.max(0, sizeBytesMin - 1 - sizeBytes);
      const lineBreak = from < rest.length ? rest.indexOf(10, from) : -1;
      const end = lineBreak < 0 ? rest.length : lineBreak + 1;
      pending.push(rest.subarray(0, end));
      sizeBytes += end;
      rest = rest.subarray(end);
      if (lineBreak >= 0) yield cut();
      else if (sizeBytes > sizeBytesMin + lineSizeBytesMax)
        throw fault('INVALID_ROWS', `a line after line ${firstLine} is longer than ${lineSizeBytesMax} bytes`, {
          hint: 'the file must be NDJSON: a JSON object a line',
        });
    }
  }
  if (sizeBytes > 0) yield cut();
}
