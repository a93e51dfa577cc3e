/**
 * Invariants. A failed assertion is a bug in Weir, never bad input: the write path lets it crash its
 * shard, the read path fails its query.
 */
export function assert(condition: boolean, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Error(`invariant violated: ${message}`);
}

/** Makes a `switch` over a union exhaustive at compile time. */
export function unreachable(value: never): never {
  throw new Error(`invariant violated: unexpected ${JSON.stringify(value)}`);
}
