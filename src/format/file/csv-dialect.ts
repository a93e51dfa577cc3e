/** The dialect of a CSV file, guessed from its first records. */
import { CsvSample } from './csv-sample.ts';
import type { CsvDialect, FileOptions } from './types.ts';

const delimiters = [',', ';', '\t', '|'] as const;
const defaultNullTexts = ['NULL', '\\N'];

/** Records that a dialect is judged by. */
const judgedRecordsMax = 1000;

interface Guess {
  readonly delimiter: string;
  readonly quote: string | null;
  readonly records: readonly (readonly (string | null)[])[];
  readonly width: number;
  /** Of the records that can be read and are as wide as most. */
  readonly share: number;
  /** Some fields are in quotes. */
  readonly isQuoted: boolean;
}

/**
 * The delimiter under which most records have one width, and more than one field; of several the widest.
 * @param ended The text is the whole file.
 */
export function sniffDialect(text: Uint8Array, ended: boolean, name: string, options: FileOptions): CsvDialect {
  const quotes = options.quote === undefined ? ['"', "'"] : [options.quote === '' ? null : options.quote];
  const byName = /\.(tsv|tab)(\.\w+)?$/i.test(name) ? ['\t', ...delimiters] : delimiters;
  const candidates = options.delimiter === undefined ? byName : [options.delimiter];
  const all = candidates.flatMap(delimiter =>
    quotes.filter(quote => quote !== delimiter).map(quote => guessOf(text, ended, delimiter, quote)),
  );
  // Single quotes are a dialect only where they are quotes: an apostrophe must not help a file past its bad rows.
  const guesses = all.filter(({ quote, isQuoted }) => quotes.length === 1 || quote === '"' || isQuoted);
  const best = guesses.reduce((a, b) => (scoreOf(b) > scoreOf(a) ? b : a));
  const header = options.header ?? hasHeader(best.records.filter(record => record.length === best.width));
  const first = header ? (best.records[0] ?? []) : new Array(best.width).fill(null);
  return {
    ...{ delimiter: best.delimiter, quote: best.quote, header },
    names: distinctNames(first),
    nullTexts: options.nullTexts ?? defaultNullTexts,
  };
}

function guessOf(text: Uint8Array, ended: boolean, delimiter: string, quote: string | null): Guess {
  const sample = new CsvSample(text, ended, { delimiter, quote });
  const records = sample.records(judgedRecordsMax);
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [width, count] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [1, 0];
  const share = count / Math.max(1, records.length + sample.brokenCount);
  return { delimiter, quote, records, width, share, isQuoted: sample.quotedCount > 0 };
}

/** Consistency first; one field alone is what every wrong delimiter gives. The double quote is the usual one. */
const scoreOf = ({ width, share, quote }: Guess): number =>
  (width > 1 ? 10 * share + Math.min(width, 100) / 1000 : share) + (quote === "'" ? 0 : 1e-4);

const typed = (text: string): boolean => /^\s*[+-]?(\d|\.\d)/.test(text) || /^(true|false)$/i.test(text.trim());

/**
 * Names are no numbers, none is missing, and none is there twice. Where columns of numbers stand below, that is all; where
 * all is text, names must not come again as values.
 */
function hasHeader(records: readonly (readonly (string | null)[])[]): boolean {
  const [first, ...rest] = records;
  if (first === undefined || first.some(text => text === null || text.trim() === '' || typed(text))) return false;
  if (new Set(first).size < first.length) return false;
  if (rest.length === 0) return true;
  const isTyped = first.some((_, index) => {
    const values = rest.map(record => record[index]!).filter(text => text !== null);
    return values.length > 0 && values.filter(typed).length > values.length / 2;
  });
  return isTyped || first.every((text, index) => !rest.some(record => record[index] === text));
}

/** Without a header, and for a field without a name: `c1`, `c2` … Of two fields of one name the second has a suffix. */
function distinctNames(names: readonly (string | null)[]): string[] {
  const used = new Set<string>();
  return names.map((text, index) => {
    const name = text?.trim() || `c${index + 1}`;
    let own = name;
    for (let suffix = 2; used.has(own); suffix++) own = `${name}_${suffix}`;
    used.add(own);
    return own;
  });
}
