/** A response body written piece by piece, no faster than its reader takes it. */
import type { ServerResponse } from 'node:http';
import { fault } from '../base/fault.ts';
import type { Clock } from '../base/seams.ts';

export class ResponseBody {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #slowReaderTimeoutMs: number;
  readonly #endsAtMs: number;

  /** @param timeoutMs From now on, for all of the answer: a reader that takes a little now and then ends with it, too. */
  constructor(response: ServerResponse, clock: Clock, slowReaderTimeoutMs: number, timeoutMs: number) {
    this.#response = response;
    this.#clock = clock;
    this.#slowReaderTimeoutMs = slowReaderTimeoutMs;
    this.#endsAtMs = clock.monotonicMs() + timeoutMs;
  }

  get started(): boolean {
    return this.#response.headersSent;
  }

  start(headers: Readonly<Record<string, string | number | string[] | undefined>>): void {
    const present = Object.entries(headers).filter(([, value]) => value !== undefined);
    this.#response.writeHead(200, Object.fromEntries(present) as Record<string, string>);
  }

  /**
   * Resolves when there is room for more.
   * @throws FaultError CANCELLED when the reader is gone, TIMEOUT when it takes nothing for too long, or its time is over
   */
  async write(bytes: Uint8Array): Promise<void> {
    const response = this.#response;
    if (response.destroyed) throw gone();
    if (response.write(bytes)) return;
    const waiting = new AbortController();
    const patienceMs = Math.max(0, Math.min(this.#slowReaderTimeoutMs, this.#endsAtMs - this.#clock.monotonicMs()));
    const drained = new Promise<void>((resolve, reject) => {
      const settle = (end: () => void) => () => {
        response.off('drain', onDrain).off('close', onClose);
        end();
      };
      const onDrain = settle(resolve);
      const onClose = settle(() => reject(gone()));
      response.once('drain', onDrain).once('close', onClose);
      this.#clock.sleep(patienceMs, waiting.signal).then(
        settle(() =>
          reject(
            fault('TIMEOUT', `the reader took nothing of the answer for ${Math.round(patienceMs)} ms`, {
              hint: 'read the answer as it comes, or ask for less',
            }),
          ),
        ),
        () => {},
      );
    });
    await drained.finally(() => waiting.abort());
  }

  end(bytes: Uint8Array): void {
    this.#response.end(bytes);
  }

  /** Sends what was written, if the reader takes it, and breaks the connection before the body's end. */
  break(bytes: Uint8Array): void {
    const response = this.#response;
    if (response.writableNeedDrain) response.destroy();
    if (response.destroyed) return;
    const socket = response.socket;
    response.write(bytes, () => (socket ? socket.destroySoon() : response.destroy()));
  }
}

const gone = () => fault('CANCELLED', 'the client closed the connection');
