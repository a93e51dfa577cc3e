/** The deep store for other processes of the cluster: their shards read from caches, which are filled from here. */
import { fault } from '../base/fault.ts';
import { parseSegmentId } from '../catalog/segment-id.ts';
import type { DeepStore } from '../store/deep-store.ts';
import type { Handlers } from '../wire/call.ts';
import { type StoreCalls, storeReadSizeBytesMax } from '../wire/cluster-calls.ts';

const fileNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/;

/** Only files of segments have names that get through. @throws FaultError INVALID_REQUEST */
function checkKey(key: unknown): void {
  const [tableId, segmentId, file, ...more] = typeof key === 'string' ? key.split('/') : [];
  const parts = parseSegmentId(segmentId ?? '');
  if (parts?.tableId !== tableId || !fileNamePattern.test(file ?? '') || more.length > 0)
    throw fault('INVALID_REQUEST', `${JSON.stringify(key)?.slice(0, 200)} is no file of a segment`);
}

export const storeDoor = (store: DeepStore): Handlers<StoreCalls> => ({
  async size({ key }) {
    checkKey(key);
    return { sizeBytes: await store.size(key) };
  },
  async read({ key, offset, sizeBytes }) {
    checkKey(key);
    const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(sizeBytes) && offset >= 0 && sizeBytes >= 0;
    if (!isRange || sizeBytes > storeReadSizeBytesMax)
      throw fault(
        'INVALID_REQUEST',
        `${sizeBytes} bytes at ${offset} are no range of at most ${storeReadSizeBytesMax}`,
      );
    return { bytes: await store.get(key, offset, sizeBytes) };
  },
});
