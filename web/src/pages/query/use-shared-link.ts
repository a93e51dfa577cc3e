import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import { parseRoute, replaceRoute, useHash } from '../../app/route.ts';
import { onlyReads, readShared, sharedHref } from './link.ts';
import type { QuerySession } from './session.tsx';

/** Typing changes the address only when it rests: browsers allow few changes a second. */
const addressDelayMs = 400;

/** Keeps the address and the session alike, whichever changes. A statement that came by link runs at once if it only reads. */
export function useSharedLink(session: QuerySession): void {
  const { draft, view, choice, setDraft, setView, setChoice, run, statement } = session;
  const hash = useHash();
  const written = useRef<string | null>(null);
  const write = useDebouncedCallback((href: string) => {
    // Another page may have been opened in the meantime.
    if (parseRoute(window.location.hash).page !== 'query') return;
    written.current = href;
    replaceRoute(href);
  }, addressDelayMs);

  // Not every dependency is named: only a new address is taken up
  useEffect(() => {
    if (hash === written.current) return;
    written.current = hash;
    const shared = readShared(parseRoute(hash).parameters);
    if (shared.sql === null) return;
    const known = shared.sql === (statement.answer?.sql ?? statement.failure?.sql);
    setDraft(shared.sql);
    setView(shared.view);
    setChoice(shared.choice);
    if (!known && !statement.running && onlyReads(shared.sql)) void run(shared.sql);
  }, [hash]);

  useEffect(() => {
    if (draft !== null) write(sharedHref({ sql: draft, view, choice }));
  }, [draft, view, choice, write]);
}
