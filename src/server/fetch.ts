/** One segment from the deep store into the cache, in bounded pieces. */
import { fault } from '../base/fault.ts';
import { manifestFile, manifestSizeBytesMax, parseManifest, segmentKey } from '../segment/manifest.ts';
import type { Client } from '../wire/call.ts';
import { type PlacedSegment, type StoreCalls, storeReadSizeBytesMax } from '../wire/cluster-calls.ts';
import type { CacheFolder } from './cache-folder.ts';

/** Pieces asked for ahead of the disk: they hide a round trip, and hold little memory. */
const readAhead = 4;

/**
 * Files that are there already stay. The manifest is checked as a whole; columns and indexes carry a checksum for each buffer,
 * which is looked at when it is first read.
 * @throws FaultError NOT_FOUND, CORRUPT_SEGMENT, UNAVAILABLE; Error of the disk
 */
export async function fetchSegment(
  segment: PlacedSegment,
  store: Client<StoreCalls>,
  cache: CacheFolder,
  signal: AbortSignal,
): Promise<void> {
  const file = manifestFile(segment.generation);
  const key = segmentKey(segment.tableId, segment.id, file);
  const { sizeBytes } = await store.call('size', { key }, { signal });
  if (sizeBytes > manifestSizeBytesMax)
    throw fault('CORRUPT_SEGMENT', `${key} is larger than ${manifestSizeBytesMax} bytes`);
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(key, sizeBytes, store, signal)) pieces.push(piece);
  const bytes = new Uint8Array(Buffer.concat(pieces));
  const manifest = parseManifest(bytes, key);
  if (manifest.segmentId !== segment.id || manifest.generation !== segment.generation)
    throw fault(
      'CORRUPT_SEGMENT',
      `${key} is the manifest of ${manifest.segmentId}, generation ${manifest.generation}`,
    );
  for (const { name, sizeBytes: fileSizeBytes } of manifest.files) {
    if (await cache.has(segment, name, fileSizeBytes)) continue;
    const fileKey = segmentKey(segment.tableId, segment.id, name);
    await cache.write(segment, name, piecesOf(fileKey, fileSizeBytes, store, signal));
  }
  await cache.sync(segment);
  await cache.write(segment, file, piecesOfBytes(bytes));
}

async function* piecesOf(
  key: string,
  sizeBytes: number,
  store: Client<StoreCalls>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const asked: Promise<Uint8Array>[] = [];
  let position = 0;
  const ask = (): void => {
    const pieceSizeBytes = Math.min(storeReadSizeBytesMax, sizeBytes - position);
    if (pieceSizeBytes === 0) return;
    const piece = store
      .call('read', { key, offset: position, sizeBytes: pieceSizeBytes }, { signal })
      .then(({ bytes }) => {
        if (bytes instanceof Uint8Array && bytes.length === pieceSizeBytes) return bytes;
        throw fault('CORRUPT_FRAME', `a piece of ${key} has another size than asked for`);
      });
    piece.catch(() => {});
    asked.push(piece);
    position += pieceSizeBytes;
  };
  for (let ahead = 0; ahead < readAhead; ahead++) ask();
  for (let next = asked.shift(); next; next = asked.shift()) {
    yield await next;
    ask();
  }
}

async function* piecesOfBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
