/** Does a value fit a type? The same question for defaults, literals and parameters. */
import { dayMs, timestampMsMax } from '../column/text.ts';
import type { Interval, Type, Value } from '../column/type.ts';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** No lone surrogate: it has no UTF-8. */
const isWellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);
const int32 = (value: unknown): boolean => Number.isInteger(value) && value === ((value as number) | 0);

/** True if `value` is one that a column of `type` can hold exactly as it is, in the form that `Type` documents. Not for null. */
export function fitsType(value: Value, type: Type): boolean {
  switch (type.name) {
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'INT':
      return int32(value);
    case 'LONG':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'FLOAT':
      return typeof value === 'number' && (Number.isFinite(Math.fround(value)) || !Number.isFinite(value));
    case 'DOUBLE':
      return typeof value === 'number';
    case 'DECIMAL':
      return typeof value === 'bigint' && (value < 0n ? -value : value) < 10n ** BigInt(type.precision!);
    case 'TIMESTAMP':
      return Number.isInteger(value) && Math.abs(value as number) <= timestampMsMax;
    case 'DATE':
      return Number.isInteger(value) && Math.abs(value as number) <= timestampMsMax / dayMs;
    case 'INTERVAL':
      return isInterval(value) && int32(value.months) && int32(value.days) && Number.isSafeInteger(value.ms);
    case 'STRING':
      return typeof value === 'string' && isWellFormed(value);
    case 'JSON':
      return typeof value === 'string' && isWellFormed(value) && isJson(value);
    case 'UUID':
      return typeof value === 'string' && uuidPattern.test(value);
    case 'BYTES':
      return value instanceof Uint8Array;
  }
}

const isInterval = (value: Value): value is Interval =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
