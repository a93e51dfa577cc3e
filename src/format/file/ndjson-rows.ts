import { readNdjsonLines } from '../json.ts';
import { batchRowsMax } from '../limits.ts';
import type { DecodeTarget } from '../target.ts';
import { BatchCounter, rejectLongLine, windowRows } from './text-rows.ts';
import type { TextWindow } from './text-window.ts';
import type { FileBatch } from './types.ts';

export async function* readNdjsonFile(window: TextWindow, target: DecodeTarget): AsyncGenerator<FileBatch> {
  const counter = new BatchCounter();
  await window.fill();
  while (!window.isEmpty) {
    const lines = window.wholeLines();
    if (lines.length > window.from) {
      const rows = windowRows(target, window, lines);
      const at = readNdjsonLines(lines, window.from, rows, batchRowsMax);
      window.moveTo(Math.min(at, window.to));
      if (rows.attempt > 0) yield counter.next(rows, window.readBytes);
    } else if (window.isFull) {
      const rows = rejectLongLine(target, window);
      await window.skipLine();
      yield counter.next(rows, window.readBytes);
    } else await window.fill();
  }
}
