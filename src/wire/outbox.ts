import type { Socket } from 'node:net';

/**
 * Given to the socket at once. Below it a peer that reads at all is seen to read within any limit of silence (1 MiB in 3 s is
 * a third of a megabyte a second); above it a fast one would wait for us.
 */
const windowSizeBytes = 1 << 20;

/**
 * What waits to be written. Node itself would take everything at once, and then not say how much of it has left.
 * Pieces posted in one turn leave together.
 */
export class Outbox {
  readonly #socket: Socket;
  #waiting: Uint8Array[] = [];
  /** Of `#waiting`: those before it are with the socket. */
  #next = 0;
  #sizeBytes = 0;
  #withSocketBytes = 0;
  #writtenCount = 0;
  #isScheduled = false;
  #isEnding = false;
  #onRoom: (() => void)[] = [];
  readonly #roomSizeBytes: number;

  /** @param roomSizeBytes Below it there is room. */
  constructor(socket: Socket, roomSizeBytes: number) {
    this.#socket = socket;
    this.#roomSizeBytes = roomSizeBytes;
  }

  /** Not written yet, by us or by Node. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Changes when something leaves. */
  get writtenCount(): number {
    return this.#writtenCount;
  }

  push(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#sizeBytes += piece.length;
      this.#waiting.push(piece);
    }
    this.#schedule();
  }

  /** The last was pushed: ends the socket's own side when it has left. */
  end(): void {
    this.#isEnding = true;
    this.#wake();
    this.#schedule();
  }

  /** Null: there is room. */
  room(): Promise<void> | null {
    if (this.#sizeBytes < this.#roomSizeBytes) return null;
    return new Promise(resolve => this.#onRoom.push(resolve));
  }

  /** Forgets what waits; nobody waits for room any more. */
  clear(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#sizeBytes = 0;
    this.#wake();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    while (this.#next < this.#waiting.length && this.#withSocketBytes < windowSizeBytes) {
      const piece = this.#waiting[this.#next]!;
      const size = Math.min(piece.length, windowSizeBytes - this.#withSocketBytes);
      if (size === piece.length) this.#next++;
      else this.#waiting[this.#next] = piece.subarray(size);
      this.#withSocketBytes += size;
      this.#socket.write(piece.subarray(0, size), error => this.#written(size, error));
    }
    this.#socket.uncork();
    if (this.#next < this.#waiting.length) return;
    this.#waiting = [];
    this.#next = 0;
    if (this.#isEnding) this.#socket.end();
  }

  #written(sizeBytes: number, error: Error | null | undefined): void {
    if (error) return;
    this.#writtenCount++;
    this.#withSocketBytes -= sizeBytes;
    this.#sizeBytes = Math.max(0, this.#sizeBytes - sizeBytes);
    if (this.#sizeBytes < this.#roomSizeBytes) this.#wake();
    this.#flush();
  }

  #wake(): void {
    for (const resolve of this.#onRoom.splice(0)) resolve();
  }
}
