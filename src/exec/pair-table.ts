/** Several keys as one: pairs of dense ids get dense ids of their own. */
import { hashPair } from '../kernel/hash.ts';
import { doubled } from './state-arrays.ts';

/** Slots of a dense table of pairs: 4 MiB. */
const denseSlotsMax = 1 << 20;

/** Pairs of ids → dense ids, in order of first appearance: several keys, folded from the left. */
export class PairTable {
  count = 0;
  #firsts = new Uint32Array(1024);
  #seconds = new Uint32Array(1024);
  /** Dense: `table[first * stride + second]`; hashed: linear probing. id + 1, 0 is free. */
  #table = new Uint32Array(0);
  #stride = 0;
  #dense = true;

  get sizeBytes(): number {
    return (this.#firsts.length * 2 + this.#table.length) * 4;
  }

  /**
   * Ids of rows `[0, length)` into `out`, which may be `firsts`. Amortised O(length).
   * @param firstCount All firsts so far, these too, are below it; likewise `secondCount`.
   */
  ids(
    firsts: Uint32Array,
    firstCount: number,
    seconds: Uint32Array,
    secondCount: number,
    length: number,
    out: Uint32Array,
  ): void {
    if (this.#dense && !this.#fitDense(firstCount, secondCount)) {
      this.#dense = false;
      this.#rehash(2048);
    }
    if (this.#dense) {
      const table = this.#table;
      const stride = this.#stride;
      for (let row = 0; row < length; row++) {
        const slot = firsts[row]! * stride + seconds[row]!;
        const id = table[slot]!;
        if (id !== 0) out[row] = id - 1;
        else table[slot] = (out[row] = this.#newId(firsts[row]!, seconds[row]!)) + 1;
      }
    } else for (let row = 0; row < length; row++) out[row] = this.#hashedId(firsts[row]!, seconds[row]!);
  }

  #fitDense(firstCount: number, secondCount: number): boolean {
    if (secondCount <= this.#stride && firstCount * this.#stride <= this.#table.length) return true;
    const stride = Math.max(this.#stride, nextPower(secondCount));
    const rows = nextPower(firstCount);
    if (stride * rows > denseSlotsMax) return false;
    this.#stride = stride;
    this.#table = new Uint32Array(Math.max(stride * rows, this.#table.length));
    for (let id = 0; id < this.count; id++) this.#table[this.#firsts[id]! * stride + this.#seconds[id]!] = id + 1;
    return true;
  }

  #rehash(sizeMin: number): void {
    let size = sizeMin;
    while (size < this.count * 2 + 2) size *= 2;
    const table = new Uint32Array(size);
    for (let id = 0; id < this.count; id++) {
      let slot = hashPair(this.#firsts[id]!, this.#seconds[id]!) & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = id + 1;
    }
    this.#table = table;
  }

  #hashedId(first: number, second: number): number {
    const mask = this.#table.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const id = this.#table[slot]! - 1;
      if (id < 0) break;
      if (this.#firsts[id] === first && this.#seconds[id] === second) return id;
      slot = (slot + 1) & mask;
    }
    const id = this.#newId(first, second);
    this.#table[slot] = id + 1;
    if (this.count * 2 > this.#table.length) this.#rehash(this.#table.length * 2);
    return id;
  }

  #newId(first: number, second: number): number {
    const id = this.count++;
    if (id >= this.#firsts.length) {
      this.#firsts = doubled(this.#firsts);
      this.#seconds = doubled(this.#seconds);
    }
    this.#firsts[id] = first;
    this.#seconds[id] = second;
    return id;
  }

  /** Of an id that was given out. */
  firstOf(id: number): number {
    return this.#firsts[id]!;
  }

  secondOf(id: number): number {
    return this.#seconds[id]!;
  }

  /** What each pair is made of. `firsts` may be `ids`. */
  unfold(ids: Uint32Array, firsts: Uint32Array, seconds: Uint32Array): void {
    for (let row = 0; row < ids.length; row++) {
      const id = ids[row]!;
      seconds[row] = this.#seconds[id]!;
      firsts[row] = this.#firsts[id]!;
    }
  }
}

function nextPower(count: number): number {
  let size = 16;
  while (size < count) size *= 2;
  return size;
}
