/** Functions over single values: constant folding, and INSERT's expressions. */
import type { Type, Value } from '../column/type.ts';
import { scalarFunction } from './catalogue.ts';
import type { FunctionContext } from './scalar.ts';
import { vectorOf, vectorValue } from './vectors.ts';

/** One row of the function `id`. @throws {FaultError} what the function raises for these arguments. */
export function evaluateCall(
  id: string,
  args: readonly Value[],
  types: { readonly args: readonly Type[]; readonly result: Type },
  context: FunctionContext,
): Value {
  const vectors = args.map((value, index) => vectorOf(types.args[index]!, [value]));
  return vectorValue(scalarFunction(id).evaluate(vectors, 1, context, types), types.result, 0);
}
