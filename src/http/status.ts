/** The one table from a fault's code to its HTTP status, and the body of an error. */
import { type Fault, type FaultCode, FaultError, type FaultKind, faultKinds, toFault } from '../base/fault.ts';

const statusOfKind: Record<FaultKind, number> = {
  invalid: 400,
  exhausted: 503,
  cancelled: 499,
  unavailable: 503,
  corrupt: 500,
  internal: 500,
};

const statusOfCode: Partial<Record<FaultCode, number>> = {
  FORBIDDEN: 403,
  UNKNOWN_TABLE: 404,
  UNKNOWN_QUERY: 404,
  NOT_FOUND: 404,
  TABLE_EXISTS: 409,
  BODY_TOO_LARGE: 413,
  LIMIT_EXCEEDED: 400,
  TOO_MANY_QUERIES: 429,
  // 408 would make browsers send the query again by themselves.
  TIMEOUT: 504,
};

export const statusOf = (code: FaultCode): number => statusOfCode[code] ?? statusOfKind[faultKinds[code]];

/** Seconds after which to try again; null where trying again is of no use. */
export const retryAfterSeconds = (status: number, kind: FaultKind): number | null =>
  status === 429 || kind === 'unavailable' ? 1 : null;

export interface ErrorAnswer {
  readonly error: Omit<Fault, 'kind'>;
  readonly queryId?: string;
}

export const errorAnswer = ({ kind: _, ...error }: Fault, queryId?: string): ErrorAnswer =>
  queryId === undefined ? { error } : { error, queryId };

/** The fault of anything thrown in a route, Fastify's own errors (with a `statusCode` below 500) included. */
export function faultOf(error: unknown): Fault {
  if (error instanceof FaultError) return error.fault;
  const status = (error as { statusCode?: unknown }).statusCode;
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500) {
    const code: FaultCode = status === 404 ? 'NOT_FOUND' : status === 413 ? 'BODY_TOO_LARGE' : 'INVALID_REQUEST';
    return { kind: faultKinds[code], code, message: error.message };
  }
  return toFault(error);
}
