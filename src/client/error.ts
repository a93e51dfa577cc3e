import type { ErrorBody, ErrorPosition } from './types.ts';

/**
 * What the server refused, or the way to it: `CONNECTION_FAILED` where no server answered, `CONNECTION_LOST` where an
 * answer broke off (it is never to be taken for complete), `BAD_ANSWER` where what answered is no Weir.
 */
export class WeirError extends Error {
  readonly code: string;
  /** HTTP status; 0 where there was none. */
  readonly status: number;
  readonly position: ErrorPosition | null;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly queryId: string | null;

  constructor(body: ErrorBody, status = 0, options?: ErrorOptions) {
    super(body.error.message, options);
    this.name = 'WeirError';
    this.code = body.error.code;
    this.status = status;
    this.position = body.error.position ?? null;
    this.hint = body.error.hint ?? null;
    this.details = body.error.details ?? {};
    this.queryId = body.queryId ?? null;
  }

  /** The same request may succeed later: the server is starting, busy, full or out of reach. */
  get retryable(): boolean {
    return this.status === 503 || this.status === 429 || this.status === 0;
  }
}

export const isErrorBody = (value: unknown): value is ErrorBody =>
  typeof value === 'object' &&
  value !== null &&
  'error' in value &&
  typeof value.error === 'object' &&
  value.error !== null &&
  'code' in value.error &&
  typeof value.error.code === 'string' &&
  'message' in value.error &&
  typeof value.error.message === 'string';
