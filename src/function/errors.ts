/** The errors that many functions raise, worded once. */
import { type FaultError, fault } from '../base/fault.ts';

export const integerOverflow = (type: 'INT' | 'LONG'): FaultError =>
  type === 'INT'
    ? fault('NUMERIC_OVERFLOW', 'integer out of range', {
        hint: 'INT holds -2147483648 to 2147483647; CAST an operand to LONG',
      })
    : fault('NUMERIC_OVERFLOW', 'bigint out of range', {
        hint: 'LONG holds 64 bits; CAST an operand to DECIMAL(38,0) or DOUBLE',
      });

/** Of FLOAT and DOUBLE: a result that became infinite, or zero, from operands that were not. */
export const valueOverflow = (direction: 'overflow' | 'underflow'): FaultError =>
  fault('NUMERIC_OVERFLOW', `value out of range: ${direction}`);

export const divisionByZero = (): FaultError =>
  fault('DIVISION_BY_ZERO', 'division by zero', { hint: 'write x / NULLIF(y, 0) for NULL instead' });

export const invalidArgument = (message: string, hint?: string): FaultError =>
  fault('INVALID_PARAMETER', message, hint === undefined ? {} : { hint });
