/** From an answer to what a chart draws: pure. Whatever a chart leaves out, its notes say. */
import type { Cell, ColumnInfo, Row } from '../../api/client.ts';
import { formatValue, isNumeric, isTemporal, plural, toNumber } from '../format.ts';

/** More lines than the eye tells apart. */
export const seriesCountMax = 12;
/** More bars than a page holds; the table has the rest. */
export const barCountMax = 60;

/** Columns by their position in the answer. */
export interface ChartChoice {
  readonly kind: 'line' | 'bar';
  readonly x: number;
  readonly ys: readonly number[];
  /** Each of its values becomes a series of the first of `ys`; null for a series per y. */
  readonly split: number | null;
}

export interface Series {
  readonly name: string;
  /** As many as there are positions on x; null for a gap. */
  readonly values: readonly (number | null)[];
}

export interface ChartData {
  /** Seconds since 1970 on a time axis, else numbers; bars have labels instead. */
  readonly xs: readonly number[];
  readonly labels: readonly string[];
  readonly isTime: boolean;
  readonly series: readonly Series[];
  readonly notes: readonly string[];
}

interface Data {
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly Row[];
}

const repeats = ({ rows }: Data, column: number): boolean => new Set(rows.map(row => row[column])).size < rows.length;

/**
 * What fits the columns: a line over the first time, else bars of the first number by the first category; split by the
 * next category where a position on x comes more than once.
 */
export function defaultChoice(data: Data): ChartChoice | null {
  const typed = data.columns.map(({ type }, index) => ({ type, index }));
  const times = typed.filter(({ type }) => isTemporal(type)).map(({ index }) => index);
  const numbers = typed.filter(({ type }) => isNumeric(type)).map(({ index }) => index);
  const categories = typed.filter(({ type }) => !isNumeric(type) && !isTemporal(type)).map(({ index }) => index);
  const x = times[0] ?? categories[0] ?? numbers[0];
  const y = numbers.find(number => number !== x);
  if (x === undefined || y === undefined) return null;
  const next = categories.find(category => category !== x);
  const split = next !== undefined && repeats(data, x) ? next : null;
  return { kind: times.length > 0 ? 'line' : 'bar', x, ys: [y], split };
}

/** The choice if the columns allow it, else the default one. */
export function fitChoice(choice: ChartChoice | null, data: Data): ChartChoice | null {
  if (!choice) return defaultChoice(data);
  const { columns } = data;
  const isNumber = (index: number): boolean => isNumeric(columns[index]?.type ?? '');
  const fits =
    columns[choice.x] !== undefined &&
    choice.ys.length > 0 &&
    choice.ys.every(isNumber) &&
    (choice.split === null || columns[choice.split] !== undefined) &&
    (choice.kind === 'bar' || isTemporal(columns[choice.x]!.type) || isNumber(choice.x));
  return fits ? choice : defaultChoice(data);
}

/** Seconds of a time, or a plain number; null where there is none. */
function position(cell: Cell, type: string): number | null {
  if (!isTemporal(type)) return toNumber(cell);
  const ms = typeof cell === 'string' ? Date.parse(cell) : Number.NaN;
  return Number.isNaN(ms) ? null : ms / 1000;
}

const label = (cell: Cell, type: string): string => (cell === null ? 'null' : formatValue(cell, type));

/** Names of the split's values: the series with the largest sums, and how many there are in all. */
function splitNames(data: Data, split: number, y: number): { names: string[]; total: number } {
  const type = data.columns[split]!.type;
  const sums = new Map<string, number>();
  for (const row of data.rows) {
    const name = label(row[split] ?? null, type);
    sums.set(name, (sums.get(name) ?? 0) + Math.abs(toNumber(row[y] ?? null) ?? 0));
  }
  const names = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return { names: names.slice(0, seriesCountMax), total: names.length };
}

/** Where each row stands on x, and the positions in order. */
function arrange(data: Data, choice: ChartChoice) {
  const type = data.columns[choice.x]!.type;
  const keys = data.rows.map(row => {
    const cell = row[choice.x] ?? null;
    return choice.kind === 'line' ? position(cell, type) : label(cell, type);
  });
  const distinct = [...new Set(keys.filter(key => key !== null))];
  if (choice.kind === 'line') distinct.sort((a, b) => Number(a) - Number(b));
  const kept = choice.kind === 'line' ? distinct : distinct.slice(0, barCountMax);
  return { keys, kept, omitted: distinct.length - kept.length, without: keys.filter(key => key === null).length };
}

export function chartData(data: Data, choice: ChartChoice): ChartData {
  const { keys, kept, omitted, without } = arrange(data, choice);
  const slots = new Map(kept.map((key, index) => [key, index]));
  const notes: string[] = [];
  if (omitted > 0) notes.push(`the first ${barCountMax} of ${plural(kept.length + omitted, 'bar')}`);
  if (without > 0) notes.push(`${plural(without, 'row')} without ${data.columns[choice.x]!.name} left out`);

  const firstY = choice.ys[0]!;
  const split = choice.split === null ? null : splitNames(data, choice.split, firstY);
  if (split && split.total > split.names.length)
    notes.push(`the ${split.names.length} largest of ${plural(split.total, 'series')}`);
  const names = split ? split.names : choice.ys.map(y => data.columns[y]!.name);
  const seriesOf = split ? new Map(split.names.map((name, index) => [name, index])) : null;
  const values = names.map(() => new Array<number | null>(kept.length).fill(null));
  const taken = names.map(() => new Uint8Array(kept.length));

  let collisions = 0;
  const put = (series: number, slot: number, cell: Cell): void => {
    collisions += taken[series]![slot]!;
    taken[series]![slot] = 1;
    values[series]![slot] = toNumber(cell);
  };
  for (const [index, row] of data.rows.entries()) {
    const slot = keys[index] === null ? undefined : slots.get(keys[index]!);
    if (slot === undefined) continue;
    if (!seriesOf) for (const [series, y] of choice.ys.entries()) put(series, slot, row[y] ?? null);
    else {
      const series = seriesOf.get(label(row[choice.split!] ?? null, data.columns[choice.split!]!.type));
      if (series !== undefined) put(series, slot, row[firstY] ?? null);
    }
  }
  if (collisions > 0)
    notes.push(`${plural(collisions, 'value')} hidden by later ones of the same x: split or group them`);
  return {
    xs: choice.kind === 'line' ? kept.map(Number) : [],
    labels: choice.kind === 'bar' ? kept.map(String) : [],
    isTime: choice.kind === 'line' && isTemporal(data.columns[choice.x]!.type),
    series: names.map((name, index) => ({ name, values: values[index]! })),
    notes,
  };
}
