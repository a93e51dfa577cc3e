/** Sums over `OffsetAccounts`: where a range's offsets went. */
import type { OffsetAccounts } from './table.ts';

export const noAccounts: OffsetAccounts = {
  taken: 0,
  filtered: 0,
  rejected: 0,
  control: 0,
  aborted: 0,
  gaps: 0,
  lost: 0,
  skipped: 0,
  rowsIn: 0,
  rowsOut: 0,
};

/** Every offset is a message of one row, as in the embedded log. */
export const denseAccounts = ({
  startOffset,
  endOffset,
}: {
  startOffset: number;
  endOffset: number;
}): OffsetAccounts => {
  const rows = endOffset - startOffset;
  return { ...noAccounts, taken: rows, rowsIn: rows, rowsOut: rows };
};

export const addAccounts = (a: OffsetAccounts, b: OffsetAccounts): OffsetAccounts => ({
  taken: a.taken + b.taken,
  filtered: a.filtered + b.filtered,
  rejected: a.rejected + b.rejected,
  control: a.control + b.control,
  aborted: a.aborted + b.aborted,
  gaps: a.gaps + b.gaps,
  lost: a.lost + b.lost,
  skipped: a.skipped + b.skipped,
  rowsIn: a.rowsIn + b.rowsIn,
  rowsOut: a.rowsOut + b.rowsOut,
});

/** Offsets that the accounts explain: the range's span, if they are right. */
export const offsetsOf = ({
  taken,
  filtered,
  rejected,
  control,
  aborted,
  gaps,
  lost,
  skipped,
}: OffsetAccounts): number => taken + filtered + rejected + control + aborted + gaps + lost + skipped;
