/** What a suite measures, and how it is shown. */

export interface BenchRow {
  readonly suite: string;
  readonly query: string;
  /** Rows that the measurement was over. */
  readonly rows: number;
  readonly engine: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** Compared before anything was timed; true where there is nothing to compare with. */
  readonly answersEqual: boolean;
  /** To the other engine's median; only where the answers are equal. Below 1 is faster. */
  readonly ratio?: number;
  /** Other numbers by name: rows per second, bytes, percentiles. */
  readonly measures?: Readonly<Record<string, number>>;
  /** The target that the numbers are held to, and whether they meet it. */
  readonly target?: { readonly text: string; readonly met: boolean };
  readonly note?: string;
}

/** Cells in columns as wide as their widest; numbers to the right. */
export function alignTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  const isNumber = (text: string): boolean => /^[\d.,\s-]+$/.test(text);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column > 0 && (row === header || isNumber(cell) || cell === '')
          ? cell.padStart(widths[column]!)
          : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [line(header), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

export const formatMs = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0));

export const formatCount = (count: number): string => Math.round(count).toLocaleString('en-US');

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
