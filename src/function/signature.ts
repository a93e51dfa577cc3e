/** How the catalogue's functions are written down: one `Definition` an overload. */
import { type Type, type TypeName, typeText } from '../column/type.ts';
import type { ScalarFunction } from './scalar.ts';

/**
 * What one parameter takes:
 * - a type name: that type, and what casts to it implicitly
 * - `ANY`: every type, as it is
 * - `TEXT`: every type, cast to STRING
 * - `SAME`: every type; all `SAME` arguments are cast to their common type
 */
export type Param = TypeName | 'ANY' | 'TEXT' | 'SAME';

export interface Definition extends ScalarFunction {
  readonly params: readonly Param[];
  /** The last parameter may repeat. */
  readonly variadic: boolean;
  /** The result's type from those that the arguments were cast to. */
  readonly returns: (args: readonly Type[]) => Type;
}

/** `id` also stands for the readable signature: `substr(STRING,INT)`, `concat(ANY...)`. */
export function define(
  name: string,
  params: readonly Param[],
  returns: Type | ((args: readonly Type[]) => Type),
  summary: string,
  evaluate: ScalarFunction['evaluate'],
  variadic = false,
): Definition {
  return {
    id: `${name}(${params.join(',')}${variadic ? '...' : ''})`,
    name,
    summary,
    evaluate,
    params,
    variadic,
    returns: typeof returns === 'function' ? returns : () => returns,
  };
}

/** `round(DECIMAL, INT)`; argument types as a caller gave them, `?` for an unknown one. */
export const callText = (name: string, argTypes: readonly (Type | null)[]): string =>
  `${name}(${argTypes.map(type => (type === null ? '?' : typeText(type))).join(', ')})`;
