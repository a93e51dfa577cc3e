import { useDebouncedCallback } from '@mantine/hooks';
import { createContext, type ReactNode, use, useCallback, useMemo, useState } from 'react';
import { type Statement, useStatement } from '../../api/use-statement.ts';
import { parseRoute } from '../../app/route.ts';
import type { ChartChoice } from '../../components/chart/chart-model.ts';
import { type HistoryEntry, loadDraft, loadHistory, saveDraft, saveHistory, withEntry } from './history.ts';
import { readShared, type View } from './link.ts';

/** The statement being written and the one last run. Lives above the pages: both outlast a look at another page. */
export interface QuerySession {
  /** null until something was written. */
  readonly draft: string | null;
  readonly view: View;
  readonly choice: ChartChoice | null;
  readonly history: readonly HistoryEntry[];
  readonly statement: Statement;
  setDraft(sql: string): void;
  setView(view: View): void;
  setChoice(choice: ChartChoice | null): void;
  /** Runs, and remembers that it did. */
  run(sql: string): Promise<void>;
}

const Context = createContext<QuerySession | null>(null);

const saveDelayMs = 300;

export function QuerySessionProvider({ children }: { children: ReactNode }) {
  const [shared] = useState(() => readShared(parseRoute(window.location.hash).parameters));
  const [draft, setDraftNow] = useState<string | null>(() => shared.sql ?? loadDraft());
  const [view, setView] = useState<View>(shared.view);
  const [choice, setChoice] = useState<ChartChoice | null>(shared.choice);
  const [history, setHistory] = useState(loadHistory);
  const statement = useStatement();
  const saveSoon = useDebouncedCallback(saveDraft, saveDelayMs);

  const setDraft = useCallback(
    (sql: string) => {
      setDraftNow(sql);
      saveSoon(sql);
    },
    [saveSoon],
  );

  const { run: runStatement } = statement;
  const run = useCallback(
    async (sql: string) => {
      if (sql.trim() === '') return;
      const startedAtMs = performance.now();
      const answer = await runStatement(sql);
      const elapsedMs = answer?.elapsedMs ?? performance.now() - startedAtMs;
      const entry = { sql, atMs: Date.now(), rowCount: answer?.rows.length ?? null, elapsedMs };
      setHistory(old => {
        const next = withEntry(old, entry);
        saveHistory(next);
        return next;
      });
    },
    [runStatement],
  );

  const session = useMemo(
    () => ({ draft, view, choice, history, statement, setDraft, setView, setChoice, run }),
    [draft, view, choice, history, statement, setDraft, run],
  );
  return <Context value={session}>{children}</Context>;
}

export function useQuerySession(): QuerySession {
  const session = use(Context);
  if (!session) throw new Error('useQuerySession outside of QuerySessionProvider');
  return session;
}
