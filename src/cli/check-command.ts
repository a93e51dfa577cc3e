/** `weir check`: every byte of a data folder that no Weir runs on. */
import { SingleBar } from 'cli-progress';
import type { CheckProblem, CheckReport } from '../check/report.ts';
import { type CommandIo, count, plural, print } from './io.ts';
import { showControls } from './text.ts';

export interface CheckCommandOptions {
  readonly data: string;
  readonly deep: boolean;
  readonly json: boolean;
}

/**
 * One line a problem and a summary on standard output; the exit code is 1 where there are problems.
 * @throws FaultError DATA_FOLDER_IN_USE, NOT_FOUND
 */
export async function runCheck({ data, deep, json }: CheckCommandOptions, io: CommandIo): Promise<void> {
  const progress = createBar(io);
  let report: CheckReport;
  try {
    report = await io.checkFolder(data, { deep, onProgress: progress.update });
  } finally {
    progress.stop();
  }
  if (json) await print(io.stdout, `${JSON.stringify(report)}\n`);
  else {
    for (const problem of report.problems) await print(io.stdout, `${problemText(problem)}\n`);
    await print(io.stdout, summary(report));
  }
  if (report.problems.length > 0) io.setExitCode(1);
}

/** On a terminal alone; begins when the total is known. */
function createBar({ stderr }: CommandIo): { update(done: number, total: number): void; stop(): void } {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar({
    format: '[{bar}] {percentage}%  {value} of {total} segments and logs',
    stream: stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  return {
    update(done, total) {
      if (!started) bar.start(total, 0, {});
      started = true;
      bar.update(done, {});
    },
    stop: () => bar.stop(),
  };
}

const problemText = ({ file, place, what, consequence, action }: CheckProblem): string =>
  showControls(`${file}${place === '' ? '' : `, ${place}`}: ${what}. So ${consequence}. To do: ${action}`);

function summary({
  problems,
  tables,
  segments,
  rows,
  sizeBytes,
  logRecords,
  logRows,
  tornEnds,
  orphans,
}: CheckReport): string {
  const lines = [
    `${plural(tables, 'table')}, ${plural(segments, 'segment')} with ${plural(rows, 'row')}, ` +
      `${plural(logRecords, 'log record')} with ${plural(logRows, 'row')} that no segment has; ${count(sizeBytes)} bytes`,
  ];
  if (tornEnds.length > 0) lines.push(`cut short by a crash, and never acknowledged: ${tornEnds.join('; ')}`);
  if (orphans.length > 0)
    lines.push(
      `${plural(orphans.length, 'folder')} that no metadata names, which Weir removes by itself: ${orphans.join(', ')}`,
    );
  lines.push(problems.length === 0 ? 'no damage' : plural(problems.length, 'problem'));
  return `${lines.join('\n')}\n`;
}
