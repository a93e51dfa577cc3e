/** Rows as an aligned table, in bounded memory: the first rows settle the widths, the rest follow at once. */
import type { Cell, ColumnInfo, Row } from '../client/types.ts';
import { displayWidth, padTo, showControls } from './text.ts';

/** Rows looked at before the first is printed. */
const sampleRowsMax = 1_000;

const numericTypes = /^(INT|LONG|FLOAT|DOUBLE|DECIMAL)\b/;

export class TableText {
  readonly #columns: readonly ColumnInfo[];
  readonly #rightAligned: readonly boolean[];
  #waiting: string[][] = [];
  #widths: number[] | null = null;

  constructor(columns: readonly ColumnInfo[]) {
    this.#columns = columns;
    this.#rightAligned = columns.map(({ type }) => numericTypes.test(type));
  }

  /** Text to print now; often nothing until enough rows are known. */
  add(rows: readonly Row[]): string {
    const cells = rows.map(row => row.map(cellText));
    if (this.#widths !== null) return this.#lines(cells);
    this.#waiting.push(...cells);
    return this.#waiting.length < sampleRowsMax ? '' : this.#start();
  }

  /** What is left to print. */
  end(): string {
    return this.#widths === null && this.#columns.length > 0 ? this.#start() : '';
  }

  #start(): string {
    const names = this.#columns.map(({ name }) => showControls(name));
    const widths = names.map((name, index) =>
      this.#waiting.reduce((width, row) => Math.max(width, displayWidth(row[index]!)), displayWidth(name)),
    );
    this.#widths = widths;
    const rule = widths.map(width => '-'.repeat(width + 2)).join('+');
    const text = `${this.#line(names)}\n${rule}\n${this.#lines(this.#waiting)}`;
    this.#waiting = [];
    return text;
  }

  #lines(rows: readonly (readonly string[])[]): string {
    return rows.map(row => `${this.#line(row)}\n`).join('');
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => padTo(cell, this.#widths![index]!, this.#rightAligned[index]!));
    return ` ${padded.join(' | ')}`.trimEnd();
  }
}

const cellText = (cell: Cell): string => (cell === null ? 'NULL' : showControls(String(cell)));
