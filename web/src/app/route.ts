/**
 * The page's address, kept in the fragment so that any folder of static files can serve it:
 * `#/query?sql=…&view=chart`, `#/tables/payments`, `#/live/payments`.
 */
import { useSyncExternalStore } from 'react';

export const pages = ['query', 'tables', 'ingestion', 'live'] as const;
export type Page = (typeof pages)[number];

export interface Route {
  readonly page: Page;
  /** What the page is about, such as a table; null for the page itself. */
  readonly name: string | null;
  readonly parameters: URLSearchParams;
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Never fails: an unknown page is the query page. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s, 2);
  const [page, ...rest] = path.split('/');
  return {
    page: pages.find(known => known === page) ?? 'query',
    name: rest.length > 0 && rest[0] !== '' ? decode(rest.join('/')) : null,
    parameters: new URLSearchParams(query),
  };
}

/** Parameters that are null or empty are left out. */
export function hrefOf(page: Page, name: string | null = null, parameters: Record<string, string | null> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value) search.set(key, value);
  const query = search.toString();
  return `#/${page}${name === null ? '' : `/${encodeURIComponent(name)}`}${query === '' ? '' : `?${query}`}`;
}

const changed = new EventTarget();

const subscribe = (listener: () => void): (() => void) => {
  window.addEventListener('hashchange', listener);
  changed.addEventListener('change', listener);
  return () => {
    window.removeEventListener('hashchange', listener);
    changed.removeEventListener('change', listener);
  };
};

/** Changes the address without a new step in the browser's history. */
export function replaceRoute(href: string): void {
  if (href === window.location.hash) return;
  window.history.replaceState(null, '', href);
  changed.dispatchEvent(new Event('change'));
}

export const useHash = (): string => useSyncExternalStore(subscribe, () => window.location.hash);
