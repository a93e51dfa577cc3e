/** Bytes on their way out: grows as needed, is taken whole, and starts anew. */
export class ByteSink {
  readonly #capacity: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since the last `take`. The caller owns it. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(this.#capacity);
    this.#length = 0;
    return taken;
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, needed));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Every character below U+0080. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.#length = at;
  }

  text(text: string): void {
    this.copy(encoder.encode(text), 0);
  }

  copy(source: Uint8Array, start: number, end = source.length): void {
    const size = end - start;
    this.#reserve(size);
    // A call into `set` costs more than a short loop.
    if (size > 48) this.#bytes.set(source.subarray(start, end), this.#length);
    else for (let index = 0; index < size; index++) this.#bytes[this.#length + index] = source[start + index]!;
    this.#length += size;
  }
}

const encoder = new TextEncoder();
