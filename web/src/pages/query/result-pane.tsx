import { Button, Tabs } from '@mantine/core';
import type { Answer } from '../../api/client.ts';
import { ResultChart } from '../../components/chart/result-chart.tsx';
import { ResultGrid } from '../../components/grid/result-grid.tsx';
import type { Example } from './examples.ts';
import { FailureNotice } from './failure-notice.tsx';
import type { View } from './link.ts';
import styles from './result-pane.module.css';
import { useQuerySession } from './session.tsx';
import { StatsLine } from './stats-line.tsx';

interface Props {
  readonly draft: string;
  readonly examples: readonly Example[];
  readonly onOpen: (sql: string) => void;
}

const isPlan = (answer: Answer): boolean => /^\s*explain\b/i.test(answer.sql) && answer.columns.length === 1;

/** The last answer as table, chart or plan; before the first, what to try. */
export function ResultPane({ draft, examples, onOpen }: Props) {
  const { view, setView, choice, setChoice, statement } = useQuerySession();
  const { answer, failure, running } = statement;
  if (!answer && !failure && !running) return <Welcome examples={examples} onOpen={onOpen} />;

  const plan = !failure && answer !== null && isPlan(answer);
  return (
    <section className={styles.pane} aria-label="Answer" aria-busy={running !== null}>
      <div className={styles.bar}>
        <Tabs value={plan ? 'table' : view} onChange={next => setView(next as View)} variant="pills">
          <Tabs.List className={styles.tabs}>
            <Tabs.Tab value="table">{plan ? 'Plan' : 'Table'}</Tabs.Tab>
            <Tabs.Tab value="chart" disabled={plan}>
              Chart
            </Tabs.Tab>
          </Tabs.List>
        </Tabs>
        <StatsLine answer={failure ? null : answer} running={running} />
      </div>
      <div className={styles.result} data-stale={running !== null}>
        {failure && <FailureNotice failure={failure} draft={draft} />}
        {!failure &&
          answer &&
          (plan ? (
            <pre className={styles.plan}>{answer.rows.map(row => String(row[0] ?? '')).join('\n')}</pre>
          ) : view === 'chart' ? (
            <ResultChart answer={answer} choice={choice} onChoose={setChoice} />
          ) : answer.columns.length === 0 ? (
            <p className={styles.done}>Done.</p>
          ) : (
            <ResultGrid answer={answer} />
          ))}
      </div>
    </section>
  );
}

const Welcome = ({ examples, onOpen }: Omit<Props, 'draft'>) => (
  <section className={styles.welcome} aria-label="Examples">
    <p>Run the statement to see its answer here, or begin with one of these.</p>
    <div>
      {examples.slice(0, 5).map(example => (
        <Button key={example.title} size="xs" variant="default" onClick={() => onOpen(example.sql)}>
          {example.title}
        </Button>
      ))}
    </div>
  </section>
);
