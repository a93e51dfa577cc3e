/** A file's bytes one after another, out of their compression. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { checkZstdWindow } from '../../base/zstd.ts';
import { damaged } from './file-part.ts';
import type { FileBytes, FileCompression } from './types.ts';

/** Bytes of the file that are read at a time. */
const chunkSizeBytes = 1 << 18;

export interface ByteStream {
  /** Bytes of the file that were taken so far, compressed as they are. */
  readonly readBytes: number;
  /** Fills `into` from `at` on, as far as there are bytes; where it stopped, short of the end only at the file's end. */
  read(into: Uint8Array, at: number, end: number): Promise<number>;
  /** Called once, also after an error. */
  close(): Promise<void>;
}

/** @throws FaultError INVALID_ROWS, also from `read`, where the bytes do not decompress */
export function openByteStream(file: FileBytes, compression: FileCompression): ByteStream {
  const plain = new PlainStream(file);
  return compression === 'none' ? plain : new ChunkStream(file, compression, plain);
}

class PlainStream implements ByteStream {
  readonly #file: FileBytes;
  readBytes = 0;

  constructor(file: FileBytes) {
    this.#file = file;
  }

  async read(into: Uint8Array, at: number, end: number): Promise<number> {
    while (at < end) {
      const size = await this.#file.read(into.subarray(at, end), this.readBytes);
      if (size === 0) break;
      this.readBytes += size;
      at += size;
    }
    return at;
  }

  /** The file in new buffers. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = new Uint8Array(chunkSizeBytes);
      const size = await this.read(chunk, 0, chunkSizeBytes);
      if (size > 0) yield chunk.subarray(0, size);
      if (size < chunkSizeBytes) return;
    }
  }

  async close(): Promise<void> {}
}

class ChunkStream implements ByteStream {
  readonly #file: FileBytes;
  readonly #compression: FileCompression;
  readonly #plain: PlainStream;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(file: FileBytes, compression: FileCompression, plain: PlainStream) {
    this.#file = file;
    this.#compression = compression;
    this.#plain = plain;
    this.#chunks = (compression === 'gzip' ? gunzipped(plain) : unzstd(plain))[Symbol.asyncIterator]();
  }

  get readBytes(): number {
    return this.#plain.readBytes;
  }

  async read(into: Uint8Array, at: number, end: number): Promise<number> {
    while (at < end) {
      if (this.#chunk.length === 0) {
        const next = await this.#next();
        if (next === null) break;
        this.#chunk = next;
      }
      const size = Math.min(this.#chunk.length, end - at);
      into.set(this.#chunk.subarray(0, size), at);
      this.#chunk = this.#chunk.subarray(size);
      at += size;
    }
    return at;
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? null : value;
    } catch (error) {
      throw damaged(this.#file, `does not decompress as ${this.#compression}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

async function* gunzipped(plain: PlainStream): AsyncGenerator<Uint8Array> {
  const source = Readable.from(plain.chunks(), { objectMode: true });
  const gunzip = createGunzip({ chunkSize: chunkSizeBytes });
  source.on('error', error => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    yield* gunzip;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* unzstd(plain: PlainStream): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  const decompress = new Decompress(chunk => {
    if (chunk.length > 0) out.push(chunk);
  });
  let isFirst = true;
  for await (const chunk of plain.chunks()) {
    if (isFirst) checkZstdWindow(chunk);
    isFirst = false;
    decompress.push(chunk);
    yield* out;
    out = [];
  }
  decompress.push(new Uint8Array(0), true);
  yield* out;
}
