/** The demo: payments pushed at a steady rate, through the same door as anyone's. */
import type { Clock, Log, Random } from '../base/seams.ts';
import type { WeirClient } from '../client/client.ts';
import { WeirError } from '../client/error.ts';
import { createGenerator, eventSizeBytesMax, paymentsTable } from './generator.ts';
import { createPacer } from './pacer.ts';

export const ratePerSecondDefault = 2_000;
/** A batch goes out about this often: 20 acknowledgements a second, each a shared fsync. */
const tickMs = 50;
/** Rows of one push at most: at the highest rates batches grow no further, they come without pause. */
const batchRowsMax = 20_000;
const backoffMsMin = 100;
const backoffMsMax = 5_000;
const reportMs = 10_000;

export interface DemoOptions {
  readonly ratePerSecond?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Ends the demo; the batch under way is given up, and not counted. */
  readonly signal: AbortSignal;
}

/**
 * Creates the table `payments` where there is none and feeds it until the signal aborts, or until someone drops the table.
 * A refused batch is sent again with the same idempotency key, ever more slowly; what was missed meanwhile is caught up
 * at most a quarter faster than the rate.
 * @returns rows acknowledged
 */
export async function runDemo(client: Pick<WeirClient, 'query' | 'push'>, options: DemoOptions): Promise<number> {
  const { clock, random, log, signal } = options;
  const ratePerSecond = options.ratePerSecond ?? ratePerSecondDefault;
  const generator = createGenerator(random);
  const run = random.hex(12);
  const pacer = createPacer({ ratePerSecond, tickMs, startMs: clock.monotonicMs(), batchRowsMax });
  const buffer = new Uint8Array(pacer.rowsMax * eventSizeBytesMax);
  let total = 0;
  let reportedRows = 0;
  let reportedMs = clock.monotonicMs();

  const report = (): void => {
    const nowMs = clock.monotonicMs();
    if (nowMs - reportedMs < reportMs) return;
    const rowsPerSecond = Math.round(((total - reportedRows) * 1000) / (nowMs - reportedMs));
    log.info('demo', { rowsPerSecond, rows: total });
    reportedRows = total;
    reportedMs = nowMs;
  };

  try {
    await untilTaken(options, () => client.query(paymentsTable, { signal }));
    log.info('demo feeds the table payments', { ratePerSecond });
    for (let batch = 0; !signal.aborted; ) {
      const rows = pacer.due(clock.monotonicMs());
      if (rows > 0) {
        // What is caught up happened when it was due: the rate by event time is steady, also where the machine is busy.
        const eventMs = Math.floor(clock.nowMs() - pacer.behindMs());
        const body = buffer.slice(0, generator.write(buffer, 0, rows, eventMs));
        const idempotencyKey = `demo-${run}-${batch++}`;
        await untilTaken(options, () => client.push('payments', body, 'ndjson', { idempotencyKey, signal }));
        total += rows;
        report();
      }
      await clock.sleep(pacer.waitMs(clock.monotonicMs()), signal);
    }
  } catch (error) {
    if (signal.aborted) return total;
    if (!(error instanceof WeirError && error.code === 'UNKNOWN_TABLE')) throw error;
    log.warn('demo ends: the table payments was dropped', { rows: total });
  }
  return total;
}

/** Until it works, the signal aborts, or it cannot work (the request itself is refused). */
async function untilTaken<T>({ clock, random, log, signal }: DemoOptions, send: () => Promise<T>): Promise<T> {
  for (let backoffMs = backoffMsMin; ; backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
    try {
      return await send();
    } catch (error) {
      const refused = error instanceof WeirError && error.status >= 400 && error.status < 500 && !error.retryable;
      if (signal.aborted || refused) throw error;
      log.warn('demo waits', { backoffMs, error });
      await clock.sleep(backoffMs * (0.5 + random.next()), signal);
    }
  }
}
