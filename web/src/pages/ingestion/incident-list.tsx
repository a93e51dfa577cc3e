import { plural } from '../../components/format.ts';
import styles from './incident-list.module.css';
import type { Incident } from './incidents.ts';
import { StateLabel } from './state-label.tsx';
import { partitionsText } from './summary.ts';

/** Incidents that are drawn, the worst ones: a list that somebody reads. Those of many partitions mostly share a cause. */
const incidentsShownMax = 40;

const whose = (partitions: readonly number[]): string => {
  const text = partitionsText(partitions);
  return text === 'topic' ? text : `${partitions.length === 1 ? 'partition' : 'partitions'} ${text}`;
};

/** Causes in full, with what to do. */
export const IncidentList = ({ name, incidents }: { name: string; incidents: readonly Incident[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
  <section className={styles.incidents} tabIndex={0} aria-label={`Problems of ${name}`}>
    <ul>
      {incidents.slice(0, incidentsShownMax).map(({ level, title, partitions, text, code, hint }) => (
        <li key={`${title} ${text} ${code}`}>
          <div className={styles.head}>
            <StateLabel level={level} text={title} />
            <span className={styles.whose}>{whose(partitions)}</span>
            {code !== null && <code>{code}</code>}
          </div>
          <div>{text}</div>
          {hint !== null && <div className={styles.hint}>{hint}</div>}
        </li>
      ))}
      {incidents.length > incidentsShownMax && <li>and {plural(incidents.length - incidentsShownMax, 'other')}</li>}
    </ul>
  </section>
);
