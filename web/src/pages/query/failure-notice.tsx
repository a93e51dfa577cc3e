import type { Failure } from '../../api/use-statement.ts';
import { FaultNotice } from '../../components/fault-notice.tsx';
import { faultOffset, placeOf } from './fault-offset.ts';

/** Why a statement was not answered, where, and what to do. */
export function FailureNotice({ failure, draft }: { failure: Failure; draft: string }) {
  const offset = faultOffset(failure, draft);
  const place = offset === null ? null : placeOf(draft, offset);
  return <FaultNotice fault={failure.error} place={place ? `line ${place.line}, column ${place.column}` : undefined} />;
}
