/** Times, taken in turns: whatever else the machine does then falls on all alike. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that a share of `fraction` of all values does not exceed (nearest rank). */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!;
}

/** Milliseconds of each of `runs` rounds, by contestant: a, b, a, b, … */
export async function timeInTurns(contestants: readonly (() => Promise<unknown>)[], runs: number): Promise<number[][]> {
  const times: number[][] = contestants.map(() => []);
  for (let run = 0; run < runs; run++)
    for (const [index, contestant] of contestants.entries()) {
      const startedMs = performance.now();
      await contestant();
      times[index]!.push(performance.now() - startedMs);
    }
  return times;
}
