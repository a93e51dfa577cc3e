/** Arrow IPC files and streams of any size → batches, a message in memory at a time. */
import { type Data, DataType, type Field, makeData, RecordBatch, RecordBatchReader } from 'apache-arrow';
import { columnOfArrow, type TextBudget } from './arrow-columns.ts';
import { allowDecompressed } from './arrow-compression.ts';
import { nameOf } from './arrow-stream.ts';
import {
  ArrowVerifier,
  arrowFileEndSize,
  arrowFileStart,
  arrowFooterStart,
  isArrowFile,
  verifyFooter,
} from './arrow-verify.ts';
import type { Column } from './column.ts';

export interface ArrowFileColumn {
  /** One name; of a struct's member that is a column of its own the names on the way to it. */
  readonly path: readonly string[];
  readonly nullable: boolean;
  readonly column: Column;
}

export interface ArrowFileBatch {
  readonly rowCount: number;
  readonly columns: readonly ArrowFileColumn[];
}

export interface ArrowLimits {
  /** Of one batch; and sixteen times as many values. */
  readonly rowsMax: number;
  /** Of one message, its compressed buffers as what they become; as much again may be made of it as JSON. */
  readonly messageSizeMax: number;
}

type FileHandle = Extract<Parameters<typeof RecordBatchReader.from>[0], { fd: number }>;

/** Exactly the bytes asked for, or throws. */
type Read = (position: number, sizeBytes: number) => Promise<Uint8Array>;

/**
 * The batches of a stream or file, types as of `readArrowStream`. The first has no rows and shows the columns.
 * Dictionaries stay in memory.
 * @param flatten A struct's members are columns.
 * @throws Error that says what is wrong with the bytes, or what of them cannot be read
 */
export async function* readArrowBatches(
  read: Read,
  sizeBytes: number,
  limits: ArrowLimits,
  flatten: boolean,
): AsyncGenerator<ArrowFileBatch> {
  const isFile = isArrowFile(await read(0, Math.min(arrowFileStart.length, sizeBytes)));
  const reader = isFile
    ? await RecordBatchReader.from(await verifiedFile(read, sizeBytes, limits))
    : await RecordBatchReader.from(verifiedMessages(read, sizeBytes, limits));
  await reader.open();
  yield columnsOf(new RecordBatch(reader.schema, undefined), flatten, { left: 0 });
  for (;;) {
    const { done, value } = await reader.next();
    if (done) return;
    yield columnsOf(value, flatten, { left: limits.messageSizeMax });
  }
}

/** The message that begins at `at`, looked over; null where the stream ends there. */
async function readMessage(
  read: Read,
  at: number,
  sizeBytes: number,
  { rowsMax, messageSizeMax }: ArrowLimits,
  isFirst: boolean,
): Promise<Uint8Array | null> {
  const verifier = new ArrowVerifier(rowsMax, messageSizeMax);
  const metadataEnd = verifier.metadataEnd(await read(at, Math.min(8, sizeBytes - at)));
  if (metadataEnd === 0) return null;
  if (metadataEnd > Math.min(messageSizeMax, sizeBytes - at)) throw new Error('the Arrow stream ends too early');
  const end = metadataEnd + verifier.bodySize(await read(at, metadataEnd), isFirst);
  if (end > messageSizeMax) throw new Error(`a message of ${end} bytes, more than the limit of ${messageSizeMax}`);
  if (end > sizeBytes - at) throw new Error('the Arrow stream ends too early');
  const message = await read(at, end);
  verifier.verifyMessage(message, isFirst);
  allowDecompressed(messageSizeMax);
  return message;
}

async function* verifiedMessages(read: Read, sizeBytes: number, limits: ArrowLimits): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; ) {
    const message = await readMessage(read, at, sizeBytes, limits, at === 0);
    if (message === null) return;
    yield message;
    at += message.length;
  }
}

/** What the package takes for an open file: it is given nothing but what was looked over before. */
async function verifiedFile(read: Read, sizeBytes: number, limits: ArrowLimits) {
  const end = await read(Math.max(0, sizeBytes - arrowFileEndSize), Math.min(arrowFileEndSize, sizeBytes));
  const footerStart = arrowFooterStart(end, sizeBytes);
  if (sizeBytes - footerStart > limits.messageSizeMax) throw new Error('the footer is larger than any message may be');
  const tail = await read(footerStart, sizeBytes - footerStart);
  const positions = new Set(verifyFooter(tail.subarray(0, tail.length - arrowFileEndSize), footerStart));
  const start = await read(0, arrowFileStart.length);
  let messageAt = 0;
  let message = new Uint8Array(0);
  const bytesAt = async (position: number): Promise<Uint8Array> => {
    if (position >= footerStart) return tail.subarray(position - footerStart);
    if (position < arrowFileStart.length) return start.subarray(position);
    if (positions.has(position) && position !== messageAt) {
      message = new Uint8Array((await readMessage(read, position, footerStart, limits, false)) ?? []);
      messageAt = position;
    }
    return message.subarray(Math.max(0, position - messageAt));
  };
  return {
    // One that is never used: by it the package knows a file.
    fd: -1,
    stat: async () => ({ size: sizeBytes }),
    close: async () => {},
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      const bytes = (await bytesAt(position)).subarray(0, length);
      if (bytes.length < length) throw new Error('the Arrow file has a message outside');
      buffer.set(bytes, offset);
      return { bytesRead: length, buffer };
    },
  } as unknown as FileHandle;
}

function columnsOf(batch: RecordBatch, flatten: boolean, budget: TextBudget): ArrowFileBatch {
  const columns: ArrowFileColumn[] = [];
  const rowCount = batch.numRows;
  const add = (
    path: readonly string[],
    field: Field,
    data: Data,
    nullable: boolean,
    above: Uint8Array | null,
  ): void => {
    if (flatten && DataType.isStruct(field.type) && field.type.children.length > 0) {
      if (data.length !== rowCount || data.offset !== 0) throw new Error('columns of different lengths');
      const within = both(above, data.nullCount === 0 ? null : (data.nullBitmap ?? null), rowCount);
      field.type.children.forEach((child: Field, index: number) => {
        const part = rowCount === 0 ? makeData({ type: child.type, nullCount: 0 }) : data.children[index];
        if (part === undefined) throw new Error('a struct without its members');
        add([...path, nameOf(child)], child, part, nullable || child.nullable, within);
      });
      return;
    }
    const column = columnOfArrow(data, rowCount, budget);
    columns.push({ path, nullable, column: { ...column, validity: both(above, column.validity, rowCount) } });
  };
  batch.schema.fields.forEach((field, index) => {
    add([nameOf(field)], field, batch.data.children[index]!, field.nullable, null);
  });
  return { rowCount, columns };
}

/** Rows that are present in both. */
function both(above: Uint8Array | null, own: Uint8Array | null, rowCount: number): Uint8Array | null {
  if (own !== null && own.length > 0 && own.length < (rowCount + 7) >> 3)
    throw new Error('a buffer is shorter than its rows');
  if (above === null) return own === null || own.length === 0 ? null : own;
  if (own === null || own.length === 0) return above;
  return above.map((byte, index) => byte & own[index]!);
}
