/** Types as JSON spells them. */
import { fault } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { type Type, typeNames } from '../column/type.ts';

/**
 * `LONG`, `decimal(12, 2)`: the inverse of `typeText`, in any case.
 * @throws FaultError INVALID_DEFINITION
 */
export function parseType(text: string): Type {
  const match = /^([A-Z]+)(?:\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\))?$/.exec(text.trim().toUpperCase());
  const name = typeNames.find(known => known === match?.[1]);
  if (name === undefined)
    throw fault('INVALID_DEFINITION', `${JSON.stringify(text.slice(0, 100))} is no type`, {
      hint: didYouMean(text, typeNames) ?? `types: ${typeNames.join(', ')}`,
    });
  return match![2] === undefined ? { name } : { name, precision: Number(match![2]), scale: Number(match![3]) };
}
