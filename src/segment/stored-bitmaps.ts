import { cardinality, selectContainer } from '../bitmap/roaring.ts';
import type { BitmapIndex } from './block.ts';
import type { StoredParts } from './stored-parts.ts';

/** An inverted or a null index: part b is the roaring bitmap b. */
export class StoredBitmaps implements BitmapIndex {
  readonly #parts: StoredParts;

  constructor(parts: StoredParts) {
    this.#parts = parts;
  }

  cardinality(number: number): number {
    const { bytes, at, sizeBytes } = this.#parts.part(number);
    return cardinality(bytes, at, sizeBytes);
  }

  select(number: number, blockIndex: number, words: Uint32Array): void {
    const { bytes, at, sizeBytes } = this.#parts.part(number);
    selectContainer(bytes, at, sizeBytes, blockIndex, words);
  }
}
