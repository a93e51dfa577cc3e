import { StatusDot } from '../../components/status-dot.tsx';
import styles from './ingestion-page.module.css';
import type { Level } from './summary.ts';

/** A state in colour and in words. */
export const StateLabel = ({ level, text }: { level: Level; text: string }) => (
  <span className={styles.state}>
    <StatusDot level={level} />
    <span style={{ color: level === 'quiet' ? 'var(--text-soft)' : `var(--${level})` }}>{text}</span>
  </span>
);
