/** The contract of a scalar function: signature for the binder, meaning for execution, words for the docs. */
import type { Type } from '../column/type.ts';
import type { Vector } from '../column/vector.ts';

export interface FunctionContext {
  /** `NOW()` of the query, milliseconds since 1970 UTC. */
  readonly nowMs: number;
  /** IANA name; 'UTC' unless the caller asked otherwise. */
  readonly timeZone: string;
}

export interface ScalarFunction {
  /** Unique, and stable across versions: `name(ARG,ARG)`. What plans carry. */
  readonly id: string;
  /** SQL name in lower case; several overloads share it. */
  readonly name: string;
  readonly summary: string;
  /** Computes `length` rows. NULL handling is the function's own (most: any NULL argument gives NULL). */
  readonly evaluate: (
    args: readonly Vector[],
    length: number,
    context: FunctionContext,
    types: { readonly args: readonly Type[]; readonly result: Type },
  ) => Vector;
}

/** What the binder learns of a call. */
export interface ResolvedCall {
  readonly id: string;
  /** The types that the arguments must be cast to. */
  readonly argTypes: readonly Type[];
  readonly returns: Type;
}
