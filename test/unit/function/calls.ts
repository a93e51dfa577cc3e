/** Calls as tests write them: arguments by literal or with a type, results as PostgreSQL's text. */
import { expect } from 'vitest';
import { type FaultCode, FaultError } from '../../../src/base/fault.ts';
import { BOOLEAN, DOUBLE, INT, LONG, STRING, type Type, type Value } from '../../../src/column/type.ts';
import { castValue } from '../../../src/function/cast.ts';
import { evaluateCall } from '../../../src/function/fold.ts';
import { isFailure, resolveScalar } from '../../../src/function/resolve.ts';
import type { FunctionContext } from '../../../src/function/scalar.ts';

export const context: FunctionContext = { nowMs: Date.UTC(2024, 4, 5, 6, 7, 8, 90), timeZone: 'UTC' };

export interface Typed {
  readonly type: Type;
  readonly value: Value;
}

/** `as(TIMESTAMP, '2024-01-02')`: cast from its text. */
export const as = (type: Type, text: string | null): Typed => ({ type, value: castValue(text, STRING, type, context) });

/** null is an untyped NULL. */
export type Argument = string | number | bigint | boolean | null | Typed;

function typed(argument: Exclude<Argument, null>): Typed {
  switch (typeof argument) {
    case 'string':
      return { type: STRING, value: argument };
    case 'number':
      return { type: argument === (argument | 0) ? INT : DOUBLE, value: argument };
    case 'bigint':
      return { type: LONG, value: argument };
    case 'boolean':
      return { type: BOOLEAN, value: argument };
    default:
      return argument;
  }
}

/** Resolves, casts the arguments and runs one row. */
export function call(name: string, ...given: Argument[]): Typed {
  const args = given.map(argument => (argument === null ? null : typed(argument)));
  const resolved = resolveScalar(
    name,
    args.map(arg => arg?.type ?? null),
  );
  if (isFailure(resolved)) throw new Error(`${name}: ${JSON.stringify(resolved)}`);
  const values = args.map((arg, index) => arg && castValue(arg.value, arg.type, resolved.argTypes[index]!, context));
  const types = { args: resolved.argTypes, result: resolved.returns };
  return { type: resolved.returns, value: evaluateCall(resolved.id, values, types, context) };
}

export const textOf = ({ type, value }: Typed): string | null =>
  castValue(value, type, STRING, context) as string | null;

export const check = (name: string, args: readonly Argument[], want: string | null): void =>
  expect(textOf(call(name, ...args)), `${name}(${args.map(String).join(', ')})`).toBe(want);

export function faultOf(run: () => unknown): { code: FaultCode; message: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { code: error.fault.code, message: error.fault.message };
  }
  throw new Error('did not fail');
}

export const checkFails = (name: string, args: readonly Argument[], code: FaultCode, message: string): void =>
  expect(
    faultOf(() => call(name, ...args)),
    name,
  ).toEqual({ code, message });
