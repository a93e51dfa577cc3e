import type { Failure } from '../../api/use-statement.ts';
import styles from './failure-notice.module.css';
import { faultOffset, placeOf } from './fault-offset.ts';

/** Why a statement was not answered, where, and what to do. */
export function FailureNotice({ failure, draft }: { failure: Failure; draft: string }) {
  const { error } = failure;
  const offset = faultOffset(failure, draft);
  const place = offset === null ? null : placeOf(draft, offset);
  return (
    <div className={styles.notice} role="alert">
      <div>
        <strong>{error.message}</strong>
        {place && (
          <span className={styles.place}>
            line {place.line}, column {place.column}
          </span>
        )}
        <code className={styles.code}>{error.code}</code>
      </div>
      {error.hint !== null && <div className={styles.hint}>{error.hint}</div>}
    </div>
  );
}
