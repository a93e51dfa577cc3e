import { assert } from '../base/assert.ts';
import { fault } from '../base/fault.ts';
import type { ArenaViews } from './arena.ts';

/** The part used here: the types of Node 20 leave WebAssembly to the browser's library. */
declare const WebAssembly: {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
  }) => {
    readonly buffer: ArrayBuffer;
  };
};

/** WebAssembly's page, and the unit of large allocations. */
export const pageSizeBytes = 65_536;

/** wasm32 addresses are u32: 4 GiB, minus one page so that the end of the last allocation is an address too. */
export const arenaPagesMax = 65_535;

/** A cache line; every typed view and SIMD load of an allocation is aligned. */
export const alignmentBytes = 64;

/** Slots that leave fewer than two to a page are not worth a size class: they take whole pages. */
const slotSizeBytesMax = pageSizeBytes / 2;

/** Slot sizes: multiples of 64 B, at most a quarter apart, so a small allocation wastes a fifth at worst (or 63 B). */
const slotSizesBytes = ((): readonly number[] => {
  const sizes: number[] = [];
  for (let size = alignmentBytes; size <= slotSizeBytesMax; ) {
    sizes.push(size);
    const step = 2 ** Math.floor(Math.log2(size)) / 4;
    size += Math.max(alignmentBytes, step);
  }
  return sizes;
})();

/** Position in `slotSizesBytes` by size in alignment units. */
const slotClasses = ((): Uint8Array => {
  const classes = new Uint8Array(slotSizeBytesMax / alignmentBytes + 1);
  for (let units = 0, position = 0; units < classes.length; units++) {
    while (slotSizesBytes[position]! < units * alignmentBytes) position++;
    classes[units] = position;
  }
  return classes;
})();

/** A page cut into equal slots. */
interface SlotPage {
  readonly slotSizeBytes: number;
  readonly slotCount: number;
  /** Pages of its class with room, ascending; this page is in it while a slot is free. */
  readonly roomy: number[];
  /** One bit a slot, 1 = taken; the bits past the last slot are taken for ever. */
  readonly taken: Uint32Array;
  takenCount: number;
}

/** First position of an ascending list whose number is not below `number`. */
const lowerBound = (ascending: readonly number[], number: number): number => {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * A shard's memory: one WebAssembly.Memory, reserved whole, so its views never detach. Reserving costs address space;
 * a page costs memory from its first touch on, so allocations take the lowest address that fits.
 *
 * Up to 32 KiB an allocation is a slot of a page cut into slots of its size class; above, it is a run of whole pages,
 * found first-fit in a list of free runs that coalesce when freed.
 */
export class Arena implements ArenaViews {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly capacityBytes: number;

  /**
   * Asked when no free memory is left for `sizeBytes`: gives some back (evicts a cached column) and answers true, or
   * false when it has nothing to give. Set by the shard's column cache.
   */
  reclaim: (sizeBytes: number) => boolean = () => false;

  #usedBytes = 0;
  /** By a run's first page its page count; 0 elsewhere. */
  readonly #runPages: Uint32Array;
  /** Free runs: first pages, ascending, never adjacent, and beside each its page count. */
  readonly #freeStarts: number[];
  readonly #freePages: number[];
  readonly #slotPages = new Map<number, SlotPage>();
  readonly #roomyByClass: readonly number[][] = slotSizesBytes.map(() => []);

  /** @param capacityBytes Rounded up to whole pages; at most 4 GiB minus one page. The first page is never given out. */
  constructor(capacityBytes: number) {
    const pages = Math.ceil(capacityBytes / pageSizeBytes);
    assert(pages >= 2 && pages <= arenaPagesMax, `an arena has 2 to ${arenaPagesMax} pages, not ${pages}`);
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.capacityBytes = pages * pageSizeBytes;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.#runPages = new Uint32Array(pages);
    this.#freeStarts = [1];
    this.#freePages = [pages - 1];
  }

  /** Bytes of live allocations, each rounded up as `sizeOf` tells. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * @returns Byte address, a multiple of 64, never 0. Contents are unspecified.
   * @throws FaultError MEMORY_BUDGET when nothing fits and `reclaim` has nothing to give.
   */
  allocate(sizeBytes: number): number {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `${sizeBytes} is not a size`);
    for (;;) {
      const address = sizeBytes <= slotSizeBytesMax ? this.#takeSlot(sizeBytes) : this.#takeRun(sizeBytes);
      if (address !== 0) return address;
      if (!this.reclaim(sizeBytes)) throw this.#full(sizeBytes);
    }
  }

  /** @param address As `allocate` gave it, and not freed since. */
  free(address: number): void {
    const page = Math.floor(address / pageSizeBytes);
    const slots = this.#slotPages.get(page);
    if (slots) this.#freeSlot(address, page, slots);
    else this.#freeRun(address, page);
  }

  /** Bytes that the allocation at `address` may use: at least as many as were asked for. */
  sizeOf(address: number): number {
    const page = Math.floor(address / pageSizeBytes);
    return this.#slotPages.get(page)?.slotSizeBytes ?? this.#runPages[page]! * pageSizeBytes;
  }

  #takeRun(sizeBytes: number): number {
    const pages = Math.ceil(sizeBytes / pageSizeBytes);
    const address = this.#takePages(pages) * pageSizeBytes;
    if (address !== 0) this.#usedBytes += pages * pageSizeBytes;
    return address;
  }

  /** First page of a run of so many pages, 0 where there is none. */
  #takePages(pages: number): number {
    const position = this.#freePages.findIndex(free => free >= pages);
    if (position < 0) return 0;
    const start = this.#freeStarts[position]!;
    if (this.#freePages[position] === pages) {
      this.#freeStarts.splice(position, 1);
      this.#freePages.splice(position, 1);
    } else {
      this.#freeStarts[position]! += pages;
      this.#freePages[position]! -= pages;
    }
    this.#runPages[start] = pages;
    return start;
  }

  #freeRun(address: number, page: number): void {
    const pages = this.#runPages[page];
    assert(address % pageSizeBytes === 0 && pages !== undefined && pages > 0, `${address} is not allocated`);
    this.#usedBytes -= pages * pageSizeBytes;
    this.#givePages(page);
  }

  #givePages(start: number): void {
    const pages = this.#runPages[start]!;
    this.#runPages[start] = 0;
    const after = lowerBound(this.#freeStarts, start);
    const joinsAfter = this.#freeStarts[after] === start + pages;
    const joinsBefore = after > 0 && this.#freeStarts[after - 1]! + this.#freePages[after - 1]! === start;
    if (joinsBefore) {
      this.#freePages[after - 1]! += pages + (joinsAfter ? this.#freePages[after]! : 0);
      if (joinsAfter) {
        this.#freeStarts.splice(after, 1);
        this.#freePages.splice(after, 1);
      }
    } else if (joinsAfter) {
      this.#freeStarts[after] = start;
      this.#freePages[after]! += pages;
    } else {
      this.#freeStarts.splice(after, 0, start);
      this.#freePages.splice(after, 0, pages);
    }
  }

  #takeSlot(sizeBytes: number): number {
    const slotClass = slotClasses[Math.ceil(sizeBytes / alignmentBytes)]!;
    const roomy = this.#roomyByClass[slotClass]!;
    const page = roomy[0] ?? this.#cutPage(slotSizesBytes[slotClass]!, roomy);
    if (page === 0) return 0;
    const slots = this.#slotPages.get(page)!;
    let word = 0;
    while (slots.taken[word] === 0xffff_ffff) word++;
    const free = ~slots.taken[word]!;
    const bit = 31 - Math.clz32(free & -free);
    slots.taken[word]! |= 1 << bit;
    slots.takenCount++;
    if (slots.takenCount === slots.slotCount) roomy.shift();
    this.#usedBytes += slots.slotSizeBytes;
    return page * pageSizeBytes + (word * 32 + bit) * slots.slotSizeBytes;
  }

  #cutPage(slotSizeBytes: number, roomy: number[]): number {
    const page = this.#takePages(1);
    if (page === 0) return 0;
    const slotCount = Math.floor(pageSizeBytes / slotSizeBytes);
    const taken = new Uint32Array(Math.ceil(slotCount / 32));
    if (slotCount % 32 !== 0) taken[taken.length - 1] = -1 << (slotCount % 32);
    this.#slotPages.set(page, { slotSizeBytes, slotCount, roomy, taken, takenCount: 0 });
    roomy.splice(lowerBound(roomy, page), 0, page);
    return page;
  }

  #freeSlot(address: number, page: number, slots: SlotPage): void {
    const slot = (address % pageSizeBytes) / slots.slotSizeBytes;
    const mask = 1 << (slot & 31);
    assert(
      Number.isInteger(slot) && slot < slots.slotCount && (slots.taken[slot >> 5]! & mask) !== 0,
      `${address} is not allocated`,
    );
    if (slots.takenCount === slots.slotCount) slots.roomy.splice(lowerBound(slots.roomy, page), 0, page);
    slots.taken[slot >> 5]! &= ~mask;
    slots.takenCount--;
    this.#usedBytes -= slots.slotSizeBytes;
    if (slots.takenCount > 0) return;
    slots.roomy.splice(lowerBound(slots.roomy, page), 1);
    this.#slotPages.delete(page);
    this.#givePages(page);
  }

  #full(sizeBytes: number): Error {
    const freePagesMax = this.#freePages.reduce((most, pages) => Math.max(most, pages), 0);
    return fault(
      'MEMORY_BUDGET',
      `no room for ${sizeBytes} bytes: ${this.#usedBytes} of the shard's ${this.capacityBytes} bytes are used, ` +
        `and the longest free run has ${freePagesMax * pageSizeBytes}`,
      {
        hint: 'raise --memory, lower segment_rows or segment_age so that consuming segments seal sooner, or try again',
        details: { sizeBytes, usedBytes: this.#usedBytes, capacityBytes: this.capacityBytes },
      },
    );
  }
}
