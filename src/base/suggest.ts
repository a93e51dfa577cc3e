/** "Did you mean …?": the nearest names to one that does not exist. */

/** Longer names are not compared: the distance costs the product of both lengths, and names come from outside. */
const lengthMax = 128;

/**
 * Edits (insert, delete, replace a character, or swap two neighbours) that turn `a` into `b`: the optimal string
 * alignment distance. O(|a|·|b|) time, three rows of memory.
 */
export function editDistance(a: string, b: string): number {
  let twoBack = new Uint16Array(b.length + 1);
  let oneBack = Uint16Array.from({ length: b.length + 1 }, (_, index) => index);
  let row = new Uint16Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(oneBack[j]! + 1, row[j - 1]! + 1, oneBack[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, twoBack[j - 2]! + 1);
      row[j] = best;
    }
    [twoBack, oneBack, row] = [oneBack, row, twoBack];
  }
  return oneBack[b.length]!;
}

/** Up to three of `names`, nearest first, that differ from `name` by at most a third of its letters (at least one); case aside. */
export function closestNames(name: string, names: Iterable<string>): string[] {
  const lower = name.toLowerCase();
  if (lower.length > lengthMax) return [];
  const distanceMax = Math.max(1, Math.floor(lower.length / 3));
  return [...new Set(names)]
    .filter(other => Math.abs(other.length - lower.length) <= distanceMax)
    .map(other => ({ other, distance: editDistance(lower, other.toLowerCase()) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1))
    .slice(0, 3)
    .map(({ other }) => other);
}

/** The nearest of `names`; null where none is near. */
export const nearestName = (name: string, names: Iterable<string>): string | null =>
  closestNames(name, names)[0] ?? null;

/** `a`, `a or b`, `a, b or c`. */
export const joinWords = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** A fault's hint: `did you mean merchant?`, `did you mean a, b or c?`; undefined without names. */
export const suggestionText = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `did you mean ${joinWords(names)}?`;

/** The hint with the names nearest to `name`; undefined where none is near. */
export const didYouMean = (name: string, names: Iterable<string>): string | undefined =>
  suggestionText(closestNames(name, names));
