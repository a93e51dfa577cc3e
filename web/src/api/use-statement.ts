import { useCallback, useEffect, useRef, useState } from 'react';
import { type Answer, readAnswer, toWeirError, WeirError } from './client.ts';

export interface Failure {
  readonly sql: string;
  readonly error: WeirError;
}

export interface Statement {
  /** The statement under way and what came of it so far; null when none is. */
  readonly running: { readonly startedAtMs: number; readonly rowCount: number } | null;
  /** Of the last statement that was answered; stays while the next runs. */
  readonly answer: Answer | null;
  /** Why the last statement was not answered. */
  readonly failure: Failure | null;
  /** Runs a statement in place of the one under way; resolves when it ends, with its answer if it has one. */
  run(sql: string): Promise<Answer | null>;
  /** Ends the statement under way, here and on the server. */
  cancel(): void;
}

const cancelled = new WeirError({ error: { code: 'CANCELLED', message: 'you cancelled the query' } });

/** One statement at a time. */
export function useStatement(): Statement {
  const [running, setRunning] = useState<Statement['running']>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const current = useRef<AbortController | null>(null);

  const run = useCallback(async (sql: string) => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    const startedAtMs = performance.now();
    setRunning({ startedAtMs, rowCount: 0 });
    setFailure(null);
    try {
      const next = await readAnswer(sql, controller.signal, rowCount => setRunning({ startedAtMs, rowCount }));
      if (current.current !== controller) return null;
      setAnswer(next);
      return next;
    } catch (error) {
      if (current.current === controller)
        setFailure({ sql, error: controller.signal.aborted ? cancelled : toWeirError(error) });
      return null;
    } finally {
      if (current.current === controller) {
        current.current = null;
        setRunning(null);
      }
    }
  }, []);

  const cancel = useCallback(() => current.current?.abort(), []);
  useEffect(() => cancel, [cancel]);
  return { running, answer, failure, run, cancel };
}
