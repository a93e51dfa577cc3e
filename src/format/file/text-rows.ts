/** What files of text have in common: rows out of a window, batch after batch. */

import { capacityFor } from '../json.ts';
import { batchRowsMax, rowSizeBytesMax } from '../limits.ts';
import { LineRows } from '../line-rows.ts';
import type { DecodeTarget } from '../target.ts';
import type { TextWindow } from './text-window.ts';
import type { FileBatch } from './types.ts';

const newline = 10;

/** Numbers the batches of one file. */
export class BatchCounter {
  #rows = 0;

  /** @param readBytes Of the file so far. */
  next(rows: LineRows, readBytes: number): FileBatch {
    const { batch, accepted, rejected, rejects, ignoredValues } = rows.finish();
    const firstRow = this.#rows;
    this.#rows += accepted + rejected;
    return { batch, rowCount: accepted, firstRow, rejected, rejects, ignoredValues, readBytes };
  }
}

/** @param bytes From the window's start to the end of what may be read. */
export function windowRows(target: DecodeTarget, window: TextWindow, bytes: Uint8Array): LineRows {
  const { from, line } = window;
  const rowSizeBytes = bytes.indexOf(newline, from) + 1 - from;
  const capacity = Math.min(batchRowsMax, capacityFor(bytes.length - from, rowSizeBytes));
  return new LineRows(target, bytes, capacity, { at: from, line });
}

/** A row of one line that no window holds. */
export function rejectLongLine(target: DecodeTarget, window: TextWindow): LineRows {
  const rows = windowRows(target, window, window.bytes.subarray(0, window.to));
  rows.begin();
  const reason = `the row has more than ${window.to - window.from} bytes, and the limit is ${rowSizeBytesMax}`;
  rows.rejectAt(window.from, null, reason, window.from, window.to);
  return rows;
}
