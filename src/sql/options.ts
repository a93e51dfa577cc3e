/** `(name = value, …)` of DDL: which names there are, and what their values mean. */
import { type FaultError, fault, type Position } from '../base/fault.ts';
import { didYouMean, joinWords } from '../base/suggest.ts';
import { dayMs } from '../column/text.ts';
import { INTERVAL, type Interval, type Value } from '../column/type.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { Name, Option } from './ast.ts';
import { coerce, openLiteral } from './operand.ts';

export const invalid = (message: string, position: Position, hint?: string): FaultError =>
  fault('INVALID_DEFINITION', message, { position, hint });

export const optionNamed = (options: readonly Option[], name: string): Name =>
  options.find(option => option.name.text.toLowerCase() === name)!.name;

/** Hands each option to `take` with its name in lower case. @throws {FaultError} INVALID_DEFINITION for an unknown one, or one given twice */
export function forEachOption<K extends string>(
  options: readonly Option[],
  known: readonly K[],
  take: (option: Option, key: K) => void,
) {
  const seen = new Set<K>();
  for (const option of options) {
    const written = option.name.text.toLowerCase();
    const key = known.find(name => name === written);
    if (key === undefined)
      throw invalid(
        `unknown option ${option.name.text}`,
        option.name.at,
        didYouMean(written, known) ?? `options: ${joinWords(known)}`,
      );
    if (seen.has(key)) throw invalid(`option ${key} is given twice`, option.name.at);
    seen.add(key);
    take(option, key);
  }
}

export function textOf({ name, value, at }: Option): string {
  if (typeof value === 'string') return value;
  throw invalid(`option ${name.text} must be a string`, at);
}

export function positiveInteger({ name, value, at }: Option): number {
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0;
  if (count >= 1 && Number.isSafeInteger(count)) return count;
  throw invalid(`option ${name.text} must be a positive whole number`, at);
}

/** Milliseconds of an INTERVAL's text (`1h`, `90 days`); a month counts 30 days, a year 365.25, as in PostgreSQL's EXTRACT(epoch …). */
export function duration(option: Option, context: FunctionContext): number {
  const operand = openLiteral(textOf(option), option.at);
  const interval = (coerce(operand, INTERVAL, 'implicit', context) as { value: Value }).value as Interval;
  const { months, days, ms } = interval;
  const total = (Math.trunc(months / 12) * 365.25 + (months % 12) * 30 + days) * dayMs + ms;
  if (total > 0) return total;
  throw invalid(`option ${option.name.text} must be longer than nothing`, option.at);
}

/** One of a few words. @throws {FaultError} INVALID_DEFINITION with the nearest */
export function wordOf<W extends string>(option: Option, words: readonly W[]): W {
  const written = textOf(option);
  const word = words.find(candidate => candidate === written.toLowerCase());
  if (word !== undefined) return word;
  throw invalid(
    `option ${option.name.text} has no value ${written.slice(0, quotedLengthMax)}`,
    option.at,
    didYouMean(written, words) ?? `values: ${joinWords(words)}`,
  );
}

/** Longest part of a value that a message repeats. */
const quotedLengthMax = 60;

export function flagOf({ name, value, at }: Option): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`option ${name.text} must be true or false`, at);
}
