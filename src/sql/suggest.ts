import { closestNames } from '../function/suggest.ts';

/** `did you mean merchant?`, `did you mean a, b or c?`; undefined where no name is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  return suggestionText(closestNames(name, candidates));
}

export function suggestionText(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `did you mean ${joinWords(names)}?`;
}

/** `a`, `a or b`, `a, b or c`. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export const nearestName = (name: string, candidates: Iterable<string>): string | null =>
  closestNames(name, candidates)[0] ?? null;
