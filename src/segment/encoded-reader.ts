/** Columns out of a committed segment for those who write segments and indexes: no arena, no cache, one at a time. */
import type { ColumnDefinition } from '../catalog/table.ts';
import { blockRows } from './block.ts';
import { blockRowCount, type EncodedBlock, type EncodedColumn } from './encode.ts';
import type { OpenFiles } from './files.ts';
import { type BufferRef, columnsFile, type Manifest, type ManifestColumn } from './manifest.ts';
import { SegmentBuffers } from './source.ts';

/**
 * A column as it was encoded, every buffer read and checked. Memory: what the column takes on disk, and its codes twice.
 * @returns null: the segment does not have the column.
 * @throws FaultError CORRUPT_SEGMENT
 */
export function readEncodedColumn(manifest: Manifest, columnId: number, files: OpenFiles): EncodedColumn | null {
  const column = manifest.columns.find(({ id }) => id === columnId);
  if (!column) return null;
  const reader = new Reader(column, new SegmentBuffers(manifest, files));
  const blocks = column.blocks.map((_, index) => reader.block(index, blockRowCount(manifest.rowCount, index)));
  const { encoding, codeSizeBytes, zone } = column;
  return {
    definition: definitionOf(column),
    encoding,
    codeSizeBytes,
    dictionary: reader.dictionary(),
    codes: encoding === 'dictionary' ? codesOf(blocks, codeSizeBytes, manifest.rowCount) : null,
    validity: zone.nullCount === 0 ? null : validityOf(blocks, manifest.rowCount),
    zone,
    blocks,
  };
}

const definitionOf = ({ id, name, type, nullable }: ManifestColumn): ColumnDefinition => ({
  ...{ id, name, type, nullable },
  defaultValue: null,
});

class Reader {
  readonly #column: ManifestColumn;
  readonly #source: SegmentBuffers;

  constructor(column: ManifestColumn, source: SegmentBuffers) {
    this.#column = column;
    this.#source = source;
  }

  dictionary(): EncodedColumn['dictionary'] {
    const { dictionary } = this.#column;
    if (!dictionary) return null;
    const data = dictionary.buffers.map(ref => this.#read(ref, 'dictionary'));
    if (data.length === 2) this.#checkOffsets(data, dictionary.count, 'dictionary');
    return { count: dictionary.count, data };
  }

  block(index: number, rowCount: number): EncodedBlock {
    const { blocks, codeSizeBytes, dictionary, encoding } = this.#column;
    const { zone, buffers } = blocks[index]!;
    const what = `block ${index}`;
    const all = buffers.map(ref => this.#read(ref, what));
    const [validity, data] = zone.nullCount > 0 ? [all[0]!, all.slice(1)] : [null, all];
    if (encoding === 'raw' && data.length === 2) this.#checkOffsets(data, rowCount, what);
    if (dictionary) {
      const max = codeView(data[0]!, codeSizeBytes).reduce((most, code) => Math.max(most, code), 0);
      if (max >= Math.max(dictionary.count, 1)) throw this.#corrupt(what, `has code ${max} beyond its dictionary`);
    }
    return { zone, validity, data };
  }

  #checkOffsets([offsets, bytes]: readonly Uint8Array[], count: number, what: string): void {
    const at = new Uint32Array(offsets!.buffer);
    let ascending = at[0] === 0 && at[count] === bytes!.length;
    for (let entry = 0; entry < count; entry++) ascending &&= at[entry]! <= at[entry + 1]!;
    if (!ascending) throw this.#corrupt(what, 'has offsets outside its bytes');
  }

  #read(ref: BufferRef, what: string): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(ref.sizeBytes);
    this.#source.read(columnsFile, ref, bytes, false, `column ${this.#column.name}, ${what}`);
    return bytes;
  }

  #corrupt(what: string, why: string): Error {
    return this.#source.corrupt(`column ${this.#column.name}, ${what}`, why);
  }
}

const codeArrays = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

const codeView = (bytes: Uint8Array, codeSizeBytes: EncodedColumn['codeSizeBytes']): Uint32Array =>
  new codeArrays[codeSizeBytes as 4](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / codeSizeBytes);

function codesOf(
  blocks: readonly EncodedBlock[],
  codeSizeBytes: EncodedColumn['codeSizeBytes'],
  rowCount: number,
): NonNullable<EncodedColumn['codes']> {
  const codes = new codeArrays[codeSizeBytes as 4](rowCount);
  blocks.forEach(({ data }, index) => {
    codes.set(codeView(data[0]!, codeSizeBytes), index * blockRows);
  });
  return codes;
}

/** Bits past the last row stay 0, as the encoder leaves them. */
function validityOf(blocks: readonly EncodedBlock[], rowCount: number): Uint8Array {
  const validity = new Uint8Array((rowCount + 7) >> 3).fill(0xff);
  if (rowCount % 8 !== 0) validity[validity.length - 1] = 0xff >> (8 - (rowCount % 8));
  blocks.forEach((block, index) => {
    if (block.validity) validity.set(block.validity, (index * blockRows) / 8);
  });
  return validity;
}
