/** "Did you mean …?" */

/** Names longer than this are not compared: cost is the product of both lengths, and names come from outside. */
const comparedLengthMax = 64;

/** Levenshtein's distance with a swap of neighbours counting one (optimal string alignment); O(a × b). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** Up to three of `names`, nearest first, that differ from `name` by at most a third of its letters; case aside. */
export function closestNames(name: string, names: Iterable<string>): string[] {
  const lower = name.toLowerCase();
  if (lower.length > comparedLengthMax) return [];
  const distanceMax = Math.max(1, Math.floor(lower.length / 3));
  return [...new Set(names)]
    .filter(other => Math.abs(other.length - lower.length) <= distanceMax)
    .map(other => ({ other, distance: editDistance(lower, other.toLowerCase()) }))
    .filter(({ distance }) => distance <= distanceMax)
    .sort((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1))
    .slice(0, 3)
    .map(({ other }) => other);
}
