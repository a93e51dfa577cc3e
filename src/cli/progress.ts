/** How far a load is: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress';
import { type CommandIo, count } from './io.ts';

/** Between two lines where there is no terminal. */
const lineGapMs = 5_000;

export interface Progress {
  update(bytesRead: number, rows: number): void;
  stop(): void;
}

export function createProgress({ stderr, clock }: Pick<CommandIo, 'stderr' | 'clock'>, sizeBytes: number): Progress {
  const startedMs = clock.monotonicMs();
  const rate = (rows: number): string =>
    count(Math.round((rows * 1000) / Math.max(1, clock.monotonicMs() - startedMs)));
  if (!stderr.isTTY) {
    let lastMs = startedMs;
    return {
      update(bytesRead, rows) {
        if (clock.monotonicMs() - lastMs < lineGapMs) return;
        lastMs = clock.monotonicMs();
        const percent = sizeBytes === 0 ? 100 : Math.floor((bytesRead * 100) / sizeBytes);
        stderr.write(`${percent}%  ${count(rows)} rows  ${rate(rows)} rows/s\n`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar({
    format: '[{bar}] {percentage}%  {rows} rows  {rate} rows/s',
    stream: stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(sizeBytes, 0, { rows: '0', rate: '0' });
  return {
    update: (bytesRead, rows) => bar.update(bytesRead, { rows: count(rows), rate: rate(rows) }),
    stop: () => bar.stop(),
  };
}
