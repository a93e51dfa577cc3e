/** Order of doubles as PostgreSQL has it: NaN equals itself and is greater than every number; -0 equals 0. -1, 0 or 1. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
