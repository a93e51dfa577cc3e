/**
 * Record sets (the bytes of a partition that a fetch answers with) → MessageBatches. Pure: bytes in, columns out. The format is
 * "Record Batch" of Kafka's protocol guide: magic 2, Kafka 0.11 and later.
 */
import { crc32c } from '../../base/checksum.ts';
import { type FaultError, fault } from '../../base/fault.ts';
import { decompress } from './compression.ts';
import { type RecordBase, RecordColumns } from './records.ts';
import type { MessageBatch } from './types.ts';

/** Aborted transactions that the answer names: batches of the producer from this offset on, up to its abort marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface RecordSet {
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** What was asked for: records before it are dropped. */
  readonly position: number;
  /** Null: read_uncommitted, where aborted records are messages as all others. */
  readonly aborted: readonly AbortedTransaction[] | null;
}

/** The fields of a batch, as bytes from its beginning. */
export const batchFields = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** `length` counts from behind itself. */
const lengthEnd = 12;
const codecMask = 0x07;
const logAppendTimeFlag = 0x08;
const transactionalFlag = 0x10;
const controlFlag = 0x20;
/** Length, attributes, two deltas, sizes of key and value, count of headers: a byte each at least. */
const recordSizeBytesMin = 7;

/** Offsets are doubles here, exact up to this; with a million messages per second it is reached after two centuries. */
const offsetMax = 2 ** 52;

/**
 * A MessageBatch is closed when it has so many bytes: what is handed on is held in memory as a whole. Large enough that all
 * of a usual fetch of a partition is one.
 */
export const messageBatchSizeBytes = 16 * 2 ** 20;

const readInt64 = (view: DataView, at: number): number => view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Where the records end: the position behind the last whole batch, `position` where there is none. Reads headers only, so
 * that the next request can be on its way while these records are decoded.
 */
export function findRecordsEnd(bytes: Uint8Array, position: number): number {
  const view = viewOf(bytes);
  let end = position;
  for (let at = 0; at + batchFields.records <= bytes.length; ) {
    const sizeBytes = lengthEnd + view.getInt32(at + batchFields.length);
    if (sizeBytes < batchFields.records || at + sizeBytes > bytes.length) break;
    end = Math.max(
      end,
      readInt64(view, at + batchFields.baseOffset) + view.getInt32(at + batchFields.lastOffsetDelta) + 1,
    );
    at += sizeBytes;
  }
  return end;
}

/** A batch whose header was read and whose checksum holds. */
interface Batch extends RecordBase {
  readonly kind: 'messages' | 'control' | 'aborted';
  readonly endOffset: number;
  readonly recordCount: number;
  /** Decompressed; empty where nobody needs to look into them. */
  readonly records: Uint8Array;
}

/**
 * Decodes all whole batches; what is cut off at the end is left. Yields in order, without a gap in between.
 * @throws FaultError CORRUPT_LOG, UNSUPPORTED, naming partition and offset; what was yielded before is sound.
 */
export function* decodeRecordSet(set: RecordSet): Generator<MessageBatch> {
  const transactions = new Transactions(set.aborted);
  let position = set.position;
  let gathered: Batch[] = [];
  let sizeBytes = 0;
  let problem: FaultError | null = null;
  const flush = (): MessageBatch => {
    const built = buildMessageBatch(set.partition, position, gathered);
    problem = built.problem ?? problem;
    position = built.batch.endOffset;
    gathered = [];
    sizeBytes = 0;
    return built.batch;
  };
  for (const bytes of wholeBatches(set.bytes)) {
    try {
      const batch = readBatch(bytes, set, transactions);
      if (batch.endOffset <= (gathered.at(-1)?.endOffset ?? position)) continue;
      gathered.push(batch);
      sizeBytes += batch.records.length;
    } catch (error) {
      problem = error as FaultError;
      break;
    }
    if (sizeBytes >= messageBatchSizeBytes) yield flush();
    if (problem !== null) break;
  }
  // What stands before a batch that cannot be read can.
  if (gathered.length > 0) yield flush();
  if (problem !== null) throw problem;
}

/** One that says it is shorter than a header comes last, for its reader to refuse: where the next would begin is unknown. */
function* wholeBatches(bytes: Uint8Array): Generator<Uint8Array> {
  const view = viewOf(bytes);
  for (let at = 0; at + batchFields.records <= bytes.length; ) {
    const sizeBytes = lengthEnd + view.getInt32(at + batchFields.length);
    if (sizeBytes < batchFields.records) return yield bytes.subarray(at);
    if (at + sizeBytes > bytes.length) return;
    yield bytes.subarray(at, at + sizeBytes);
    at += sizeBytes;
  }
}

function readBatch(batch: Uint8Array, { partition, position }: RecordSet, transactions: Transactions): Batch {
  const view = viewOf(batch);
  const baseOffset = readInt64(view, batchFields.baseOffset);
  const refuse = (code: 'CORRUPT_LOG' | 'UNSUPPORTED', problem: string): never => {
    throw badBatch(code, partition, baseOffset, problem);
  };
  const magic = view.getInt8(batchFields.magic);
  if (magic === 0 || magic === 1)
    refuse('UNSUPPORTED', `is of message format ${magic}, older than Kafka 0.11, which Weir does not read`);
  if (magic !== 2) refuse('CORRUPT_LOG', `is of an unknown format, magic ${magic}`);
  if (lengthEnd + view.getInt32(batchFields.length) !== batch.length) refuse('CORRUPT_LOG', 'has a wrong length');
  if (crc32c(batch.subarray(batchFields.attributes)) !== view.getUint32(batchFields.crc))
    refuse('CORRUPT_LOG', 'fails its CRC-32C');
  const lastOffsetDelta = view.getInt32(batchFields.lastOffsetDelta);
  const recordCount = view.getInt32(batchFields.recordCount);
  if (baseOffset < 0 || baseOffset > offsetMax) refuse('CORRUPT_LOG', 'has an offset that cannot be');
  if (lastOffsetDelta < 0 || recordCount < 0 || recordCount > lastOffsetDelta + 1)
    refuse('CORRUPT_LOG', `says it has ${recordCount} records, the last of them ${lastOffsetDelta} behind the first`);

  const attributes = view.getInt16(batchFields.attributes);
  const producerId = readInt64(view, batchFields.producerId);
  const endOffset = baseOffset + lastOffsetDelta + 1;
  const kind = transactions.follow(producerId, endOffset - 1, attributes);
  // Of aborted records only their number is wanted, and the header has it, unless some of them lie before the position.
  const isNeeded = recordCount > 0 && (kind !== 'aborted' || baseOffset < position);
  const bytes = batch.subarray(batchFields.records);
  const records = isNeeded ? decompressOf(attributes & codecMask, bytes, refuse) : bytes.subarray(0, 0);
  if (isNeeded && recordCount * recordSizeBytesMin > records.length)
    refuse('CORRUPT_LOG', `has not as many bytes as ${recordCount} records take`);
  if (kind === 'control' && isAbortMarker(records)) transactions.end(producerId);
  return {
    ...{ kind, endOffset, recordCount, records, baseOffset, lastOffsetDelta },
    baseTimestampMs: readInt64(view, batchFields.baseTimestamp),
    appendTimestampMs: attributes & logAppendTimeFlag ? readInt64(view, batchFields.maxTimestamp) : null,
  };
}

function decompressOf(
  codec: number,
  bytes: Uint8Array,
  refuse: (code: 'CORRUPT_LOG' | 'UNSUPPORTED', problem: string) => never,
): Uint8Array {
  if (codec === 0) return bytes;
  const result = decompress(codec, bytes);
  return 'problem' in result ? refuse(result.code, result.problem) : result.bytes;
}

const badBatch = (
  code: 'CORRUPT_LOG' | 'UNSUPPORTED',
  partition: number,
  offset: number,
  problem: string,
): FaultError =>
  fault(code, `partition ${partition} has a batch at offset ${offset} that ${problem}`, {
    hint:
      code === 'CORRUPT_LOG'
        ? 'look at the broker’s disk and log; to go on behind the batch, move the position of the partition'
        : 'move the position of the partition behind the batch',
    details: { partition, offset },
  });

/** The key of a marker: version (int16), then 0 for abort and 1 for commit (int16). */
function isAbortMarker(records: Uint8Array): boolean {
  const columns = new RecordColumns(1, records.length + 1);
  const base = { baseOffset: 0, lastOffsetDelta: 0x7fff_ffff, baseTimestampMs: 0, appendTimestampMs: null };
  if (!columns.append(records, 1, base, 0)) return false;
  const { bytes, keyStarts, keyEnds } = columns;
  const start = keyStarts[0]!;
  return start >= 0 && keyEnds[0]! - start >= 4 && bytes[start + 2] === 0 && bytes[start + 3] === 0;
}

/** Which producers are inside an aborted transaction, as a walk through the log finds them. */
class Transactions {
  /** Latest first. */
  readonly #coming: AbortedTransaction[];
  readonly #producers = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[] | null) {
    this.#coming = [...(aborted ?? [])].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  follow(producerId: number, lastOffset: number, attributes: number): Batch['kind'] {
    while (this.#coming.length > 0 && this.#coming.at(-1)!.firstOffset <= lastOffset)
      this.#producers.add(this.#coming.pop()!.producerId);
    if (attributes & controlFlag) return 'control';
    return attributes & transactionalFlag && this.#producers.has(producerId) ? 'aborted' : 'messages';
  }

  end(producerId: number): void {
    this.#producers.delete(producerId);
  }
}

/** Sizes first, so that the columns are made once. Ends before a batch whose records are not of the format: `problem`. */
function buildMessageBatch(
  partition: number,
  startOffset: number,
  batches: readonly Batch[],
): { batch: MessageBatch; problem: FaultError | null } {
  let sizeBytes = 1;
  let recordCount = 0;
  for (const batch of batches)
    if (batch.kind !== 'control') {
      sizeBytes += batch.records.length;
      recordCount += batch.records.length > 0 ? batch.recordCount : 0;
    }
  const columns = new RecordColumns(recordCount, sizeBytes);
  const counts = { controlCount: 0, abortedCount: 0 };
  let endOffset = startOffset;
  let problem: FaultError | null = null;
  for (const batch of batches) {
    if (!addBatch(batch, endOffset, columns, counts)) {
      problem = badBatch('CORRUPT_LOG', partition, batch.baseOffset, 'has a record that is not of the format');
      break;
    }
    endOffset = batch.endOffset;
  }
  const accounted = columns.count + counts.controlCount + counts.abortedCount;
  const gapCount = endOffset - startOffset - accounted;
  return { batch: { partition, startOffset, endOffset, ...counts, gapCount, ...columns.finish() }, problem };
}

/** False where its records are not of the format; then nothing of it was added. */
function addBatch(
  batch: Batch,
  position: number,
  columns: RecordColumns,
  counts: { controlCount: number; abortedCount: number },
): boolean {
  const { kind, recordCount, records, endOffset } = batch;
  if (kind === 'control') {
    counts.controlCount += Math.min(recordCount, endOffset - position);
    return true;
  }
  if (records.length === 0) {
    if (kind === 'aborted') counts.abortedCount += Math.min(recordCount, endOffset - position);
    return true;
  }
  const countBefore = columns.count;
  if (!columns.append(records, recordCount, batch, position)) return false;
  if (kind === 'aborted') {
    counts.abortedCount += columns.count - countBefore;
    columns.count = countBefore;
  }
  return true;
}
