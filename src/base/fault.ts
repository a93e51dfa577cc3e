/**
 * Errors as plain data. Few kinds, each telling the caller what to do:
 *
 * - `invalid`     the request is wrong: change it (SQL, JSON, a type, a name)
 * - `unavailable` the request is right, but not now: try again (starting, no replica, disk full)
 * - `exhausted`   a limit was hit: the message names it and its number
 * - `cancelled`   the caller or its deadline ended it
 * - `corrupt`     stored bytes failed their checksum or specification
 * - `internal`    a bug
 */
export type FaultKind = 'invalid' | 'unavailable' | 'exhausted' | 'cancelled' | 'corrupt' | 'internal';

/** Where in the SQL text: line and column from 1, offset (UTF-16 units) from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export const faultKinds = {
  SYNTAX_ERROR: 'invalid',
  UNKNOWN_TABLE: 'invalid',
  UNKNOWN_COLUMN: 'invalid',
  UNKNOWN_FUNCTION: 'invalid',
  UNKNOWN_QUERY: 'invalid',
  AMBIGUOUS_NAME: 'invalid',
  TABLE_EXISTS: 'invalid',
  TYPE_MISMATCH: 'invalid',
  NOT_GROUPED: 'invalid',
  INVALID_LITERAL: 'invalid',
  INVALID_PARAMETER: 'invalid',
  INVALID_REQUEST: 'invalid',
  INVALID_DEFINITION: 'invalid',
  INVALID_ROWS: 'invalid',
  CONSTRAINT: 'invalid',
  DIVISION_BY_ZERO: 'invalid',
  NUMERIC_OVERFLOW: 'invalid',
  UNSUPPORTED: 'invalid',
  NOT_FOUND: 'invalid',
  FORBIDDEN: 'invalid',
  BODY_TOO_LARGE: 'exhausted',
  TOO_MANY_QUERIES: 'exhausted',
  MEMORY_BUDGET: 'exhausted',
  LIMIT_EXCEEDED: 'exhausted',
  TIMEOUT: 'cancelled',
  CANCELLED: 'cancelled',
  DISK_FULL: 'unavailable',
  UNAVAILABLE: 'unavailable',
  SHUTTING_DOWN: 'unavailable',
  INCOMPLETE: 'unavailable',
  PAUSED: 'unavailable',
  OFFSETS_LOST: 'unavailable',
  TOPIC_RECREATED: 'unavailable',
  PORT_IN_USE: 'unavailable',
  DATA_FOLDER_IN_USE: 'unavailable',
  CORRUPT_SEGMENT: 'corrupt',
  CORRUPT_LOG: 'corrupt',
  CORRUPT_METADATA: 'corrupt',
  CORRUPT_FRAME: 'corrupt',
  INTERNAL: 'internal',
} as const satisfies Record<string, FaultKind>;

export type FaultCode = keyof typeof faultKinds;

/** What travels across threads, machines and doors. `details` holds numbers and names, never secrets. */
export interface Fault {
  readonly kind: FaultKind;
  readonly code: FaultCode;
  readonly message: string;
  readonly position?: Position;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, string | number | readonly string[]>>;
}

/** Carries a Fault inside one thread (an Error's own fields vanish when it crosses a thread). */
export class FaultError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.name = 'FaultError';
    this.fault = fault;
  }
}

type FaultExtras = Omit<Fault, 'kind' | 'code' | 'message'>;

/** `throw fault('UNKNOWN_COLUMN', 'unknown column mercant', {position, hint})`. */
export function fault(code: FaultCode, message: string, extras: FaultExtras = {}, options?: ErrorOptions): FaultError {
  return new FaultError({ kind: faultKinds[code], code, message, ...extras }, options);
}

/** The Fault of anything thrown; what is not a FaultError is `INTERNAL` (or `DISK_FULL` for ENOSPC). */
export function toFault(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault;
  if (error instanceof Error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      return {
        kind: 'unavailable',
        code: 'DISK_FULL',
        message: 'the disk is full',
        hint: 'free space in the data folder; queries go on, and pushes are taken again once there is space',
      };
    return { kind: 'internal', code: 'INTERNAL', message: error.message };
  }
  return { kind: 'internal', code: 'INTERNAL', message: String(error) };
}
