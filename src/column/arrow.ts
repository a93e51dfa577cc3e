/**
 * The only place that touches the apache-arrow package. Arrow's metadata (flatbuffers) is the package's; where each
 * buffer of the file goes is decided here, so that a segment's manifest can name it.
 *
 * Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
 */
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int32,
  Int64,
  MetadataVersion,
  Schema,
  Struct,
  TimestampMillisecond,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
} from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { BufferRegion, DictionaryBatch, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { assert } from '../base/assert.ts';
import { type Type, typeText } from './type.ts';

/** Buffers begin at multiples of this from the start of the file: Arrow's recommendation, a cache line. */
const bufferAlignmentBytes = 64;

export interface ArrowColumn {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly nullable: boolean;
  /** Size of a dictionary code; 0 where the column is not dictionary-encoded. */
  readonly codeSizeBytes: 0 | 1 | 2 | 4;
}

/** Rows of one column in one record batch: null or the validity bitmap, then the data buffers of its type. */
export interface ArrowBuffers {
  readonly nullCount: number;
  readonly validity: Uint8Array | null;
  readonly data: readonly Uint8Array[];
}

/** Where a buffer lies: from the start of the file, without padding. */
export interface BufferPlace {
  readonly offset: number;
  readonly sizeBytes: number;
}

function arrowType(type: Type): DataType {
  switch (type.name) {
    case 'BOOLEAN':
      return new Bool();
    case 'INT':
      return new Int32();
    case 'LONG':
      return new Int64();
    case 'FLOAT':
      return new Float32();
    case 'DOUBLE':
      return new Float64();
    case 'DECIMAL':
      return new Decimal(type.scale!, type.precision!, 128);
    case 'TIMESTAMP':
      return new TimestampMillisecond('UTC');
    case 'DATE':
      return new DateDay();
    case 'INTERVAL':
      return new Struct([
        new Field('months', new Int32(), false),
        new Field('days', new Int32(), false),
        new Field('ms', new Int64(), false),
      ]);
    case 'STRING':
    case 'JSON':
      return new Utf8();
    case 'UUID':
      return new FixedSizeBinary(16);
    case 'BYTES':
      return new Binary();
  }
}

const codeTypes = { 1: Uint8, 2: Uint16, 4: Uint32 };

function arrowField(column: ArrowColumn): Field {
  const { id, name, type, nullable, codeSizeBytes } = column;
  const values = arrowType(type);
  const arrow = codeSizeBytes === 0 ? values : new Dictionary(values, new codeTypes[codeSizeBytes](), id);
  const metadata = new Map([
    ['weir.column_id', String(id)],
    ['weir.type', typeText(type)],
  ]);
  return new Field(name, arrow, nullable, metadata);
}

/**
 * An Arrow IPC file as a list of parts, in order: begin, then every dictionary, then every record batch, then `finish`.
 * Shares memory with the buffers it is given.
 */
export class ArrowFileWriter {
  /** One after another they are the file. */
  readonly parts: Uint8Array[] = [];
  sizeBytes = 0;
  readonly #columns: readonly ArrowColumn[];
  readonly #schema: Schema;
  readonly #dictionaryBlocks: FileBlock[] = [];
  readonly #batchBlocks: FileBlock[] = [];

  constructor(columns: readonly ArrowColumn[], metadata: Readonly<Record<string, string>>) {
    this.#columns = columns;
    const fields = columns.map(arrowField);
    this.#schema = new Schema(fields, new Map(Object.entries(metadata)), undefined, MetadataVersion.V5);
    this.#append(new TextEncoder().encode('ARROW1\0\0'));
    this.#appendMessage(Message.from(this.#schema));
  }

  /** @returns Where each of `data` went. */
  addDictionary(columnId: number, count: number, data: readonly Uint8Array[]): readonly BufferPlace[] {
    assert(this.#batchBlocks.length === 0, 'dictionaries come before record batches');
    const body = new Body();
    body.add({ nullCount: 0, validity: null, data }, count, false);
    const batch = new RecordBatch(count, body.nodes, body.regions, null);
    const start = this.#appendMessage(Message.from(new DictionaryBatch(batch, columnId), body.sizeBytes));
    this.#dictionaryBlocks.push(new FileBlock(this.sizeBytes - start, body.sizeBytes, start));
    return this.#appendBody(body).slice(1);
  }

  /** @returns Of each column, where its buffers went: the validity bitmap if there is one, then the data. */
  addBatch(rowCount: number, columns: readonly ArrowBuffers[]): readonly (readonly BufferPlace[])[] {
    assert(columns.length === this.#columns.length, 'a record batch has every column');
    const body = new Body();
    columns.forEach((column, index) => {
      body.add(column, rowCount, this.#columns[index]!.type.name === 'INTERVAL');
    });
    const batch = new RecordBatch(rowCount, body.nodes, body.regions, null);
    const start = this.#appendMessage(Message.from(batch, body.sizeBytes));
    this.#batchBlocks.push(new FileBlock(this.sizeBytes - start, body.sizeBytes, start));
    const places = this.#appendBody(body);
    let at = 0;
    return columns.map(column => {
      const own = places.slice(at, (at += 1 + column.data.length));
      return column.validity ? own : own.slice(1);
    });
  }

  finish(): void {
    const footer = Footer.encode(
      new Footer(this.#schema, MetadataVersion.V5, this.#batchBlocks, this.#dictionaryBlocks),
    );
    const tail = new Uint8Array(8 + footer.length + 4 + 6);
    const view = new DataView(tail.buffer);
    view.setInt32(0, -1, true);
    tail.set(footer, 8);
    view.setInt32(8 + footer.length, footer.length, true);
    tail.set(new TextEncoder().encode('ARROW1'), 12 + footer.length);
    this.#append(tail);
  }

  #append(part: Uint8Array): void {
    this.parts.push(part);
    this.sizeBytes += part.length;
  }

  /** Continuation marker, size, flatbuffer; padded so that the body begins aligned. Returns where the message begins. */
  #appendMessage(message: Message): number {
    const start = this.sizeBytes;
    const flatbuffer = Message.encode(message);
    const end = alignUp(start + 8 + flatbuffer.length);
    const part = new Uint8Array(end - start);
    const view = new DataView(part.buffer);
    view.setInt32(0, -1, true);
    view.setInt32(4, part.length - 8, true);
    part.set(flatbuffer, 8);
    this.#append(part);
    return start;
  }

  #appendBody(body: Body): readonly BufferPlace[] {
    const start = this.sizeBytes;
    for (const part of body.parts) this.#append(part);
    return body.places.map(({ offset, sizeBytes }) => ({ offset: start + offset, sizeBytes }));
  }
}

const alignUp = (size: number): number => Math.ceil(size / bufferAlignmentBytes) * bufferAlignmentBytes;

/** The buffers of one message. Every field has a region for its validity bitmap, of size 0 where there is none. */
class Body {
  readonly nodes: FieldNode[] = [];
  readonly regions: BufferRegion[] = [];
  readonly parts: Uint8Array[] = [];
  /** Of the buffers given, without those that a struct's children add. */
  readonly places: BufferPlace[] = [];
  sizeBytes = 0;

  add(column: ArrowBuffers, rowCount: number, isStruct: boolean): void {
    this.nodes.push(new FieldNode(rowCount, column.nullCount));
    this.places.push(this.#append(column.validity));
    for (const buffer of column.data) {
      if (isStruct) {
        this.nodes.push(new FieldNode(rowCount, 0));
        this.#append(null);
      }
      this.places.push(this.#append(buffer));
    }
  }

  #append(buffer: Uint8Array | null): BufferPlace {
    const place = { offset: this.sizeBytes, sizeBytes: buffer?.length ?? 0 };
    this.regions.push(new BufferRegion(place.offset, place.sizeBytes));
    if (buffer && buffer.length > 0) {
      this.parts.push(buffer);
      this.sizeBytes = alignUp(this.sizeBytes + buffer.length);
      const paddingBytes = this.sizeBytes - place.offset - buffer.length;
      if (paddingBytes > 0) this.parts.push(zeros.subarray(0, paddingBytes));
    }
    return place;
  }
}

const zeros = new Uint8Array(bufferAlignmentBytes);
