/** "Did you mean": the nearest name to one that does not exist. */

/** Longer names are compared by their first so many characters: the distance costs O(length²). */
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

/**
 * The candidate nearest to `name` without regard to case, if it is near enough to have been meant: at most a third of
 * the longer one's characters are edits. The first of equals. null where none is.
 */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase().slice(0, lengthMax);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const offered = candidate.toLowerCase().slice(0, lengthMax);
    const distanceMax = Math.max(1, Math.floor(Math.max(wanted.length, offered.length) / 3));
    if (Math.abs(wanted.length - offered.length) > distanceMax) continue;
    const distance = editDistance(wanted, offered);
    if (distance <= distanceMax && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** A fault's hint: `did you mean merchant?`; undefined where nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const best = suggest(name, candidates);
  return best === null ? undefined : `did you mean ${best}?`;
}
