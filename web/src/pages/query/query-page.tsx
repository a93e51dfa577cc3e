import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { useTables } from '../../api/catalog.ts';
import { examplesFor } from './examples.ts';
import { explainPrefix, faultOffset } from './fault-offset.ts';
import styles from './query-page.module.css';
import { ResultPane } from './result-pane.tsx';
import { useQuerySession } from './session.tsx';
import { Toolbar } from './toolbar.tsx';
import { useSharedLink } from './use-shared-link.ts';

/** The editor is half of the page's code: the rest is there before it. */
const SqlEditor = lazy(() =>
  import('../../components/editor/sql-editor.tsx').then(module => ({ default: module.SqlEditor })),
);

const systemTables = ['system.queries', 'system.segments'].map(name => ({ name, columns: [] }));

export function QueryPage() {
  const session = useQuerySession();
  useSharedLink(session);
  const tables = useTables();
  const examples = examplesFor(tables.data ?? []);
  const draft = session.draft ?? examples[0]?.sql ?? '';
  const { statement } = session;

  const run = (): void => void session.run(draft);
  const explain = (): void => void session.run(/^\s*explain\b/i.test(draft) ? draft : explainPrefix + draft);
  const open = (sql: string): void => {
    session.setChoice(null);
    session.setDraft(sql);
    void session.run(sql);
  };

  return (
    <div className={styles.page}>
      <h1 className="visually-hidden">Query</h1>
      <Toolbar draft={draft} examples={examples} onRun={run} onExplain={explain} onOpen={open} />
      <div className={styles.editor}>
        <Suspense fallback={<Skeleton height="100%" radius={0} animate={false} />}>
          {(session.draft !== null || !tables.isPending) && (
            <SqlEditor
              value={draft}
              onChange={session.setDraft}
              onRun={run}
              catalog={[...(tables.data ?? []), ...systemTables]}
              faultOffset={statement.failure ? faultOffset(statement.failure, draft) : null}
            />
          )}
        </Suspense>
      </div>
      <ResultPane draft={draft} examples={examples} onOpen={open} />
    </div>
  );
}
