import type { ReactNode } from 'react';
import styles from './fault-notice.module.css';

interface Props {
  readonly fault: { readonly code: string; readonly message: string; readonly hint: string | null };
  /** Beside the message, such as where in a statement. */
  readonly place?: ReactNode;
}

/** Why something was refused, and what to do. */
export const FaultNotice = ({ fault, place }: Props) => (
  <div className={styles.notice} role="alert">
    <div>
      <strong>{fault.message}</strong>
      {place !== undefined && <span className={styles.place}>{place}</span>}
      <code className={styles.code}>{fault.code}</code>
    </div>
    {fault.hint !== null && <div className={styles.hint}>{fault.hint}</div>}
  </div>
);
