/** How far a load is: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress';
import { type CommandIo, count } from './io.ts';

/** Between two lines where there is no terminal. */
const lineGapMs = 5_000;

export interface Progress {
  /** @param rows null: not known. */
  update(bytesDone: number, rows: number | null): void;
  stop(): void;
}

/** @param what One word: `sending`, `loading`. */
export function createProgress(
  { stderr, clock }: Pick<CommandIo, 'stderr' | 'clock'>,
  what: string,
  sizeBytes: number,
): Progress {
  const startedMs = clock.monotonicMs();
  const describe = (bytesDone: number, rows: number | null): string => {
    const elapsedMs = Math.max(1, clock.monotonicMs() - startedMs);
    const left = bytesDone === 0 ? '' : `  ${timeLeft((elapsedMs * Math.max(0, sizeBytes - bytesDone)) / bytesDone)}`;
    const rate = count(Math.round(((rows ?? 0) * 1000) / elapsedMs));
    return `${rows === null ? '' : `  ${count(rows)} rows  ${rate} rows/s`}${left}`;
  };
  if (!stderr.isTTY) {
    let lastMs = startedMs;
    return {
      update(bytesDone, rows) {
        if (clock.monotonicMs() - lastMs < lineGapMs) return;
        lastMs = clock.monotonicMs();
        const percent = sizeBytes === 0 ? 100 : Math.floor((bytesDone * 100) / sizeBytes);
        stderr.write(`${what} ${percent}%${describe(bytesDone, rows)}\n`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar({
    format: `${what} [{bar}] {percentage}%{text}`,
    stream: stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(sizeBytes, 0, { text: '' });
  return {
    update: (bytesDone, rows) => bar.update(bytesDone, { text: describe(bytesDone, rows) }),
    stop: () => bar.stop(),
  };
}

/** `12 s left`, `3 min left`. */
function timeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 100 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`;
}
