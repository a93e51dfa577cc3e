/** A query in the page's address, so that it can be shared: statement, view and chart. */
import { hrefOf } from '../../app/route.ts';
import type { ChartChoice } from '../../components/chart/chart-model.ts';

export type View = 'table' | 'chart';

export interface SharedQuery {
  readonly sql: string | null;
  readonly view: View;
  readonly choice: ChartChoice | null;
}

const index = (text: string | null): number | null => (text !== null && /^\d{1,4}$/.test(text) ? Number(text) : null);

export function readShared(parameters: URLSearchParams): SharedQuery {
  const x = index(parameters.get('x'));
  const ys = (parameters.get('y') ?? '').split(',').map(index);
  const kind = parameters.get('kind');
  const known = kind === 'line' || kind === 'bar';
  return {
    sql: parameters.get('sql'),
    view: parameters.get('view') === 'chart' ? 'chart' : 'table',
    choice:
      known && x !== null && ys.every(y => y !== null) ? { kind, x, ys, split: index(parameters.get('split')) } : null,
  };
}

export const sharedHref = ({ sql, view, choice }: SharedQuery): string =>
  hrefOf('query', null, {
    sql,
    view: view === 'chart' ? 'chart' : null,
    kind: choice?.kind ?? null,
    x: choice ? String(choice.x) : null,
    y: choice ? choice.ys.join(',') : null,
    split: choice && choice.split !== null ? String(choice.split) : null,
  });

/**
 * Whether a statement that came by link may run at once: one that only reads. Anything else waits for its reader, who did
 * not write it.
 */
export const onlyReads = (sql: string): boolean =>
  /^\s*(?:select|with|show|describe)\b/i.test(sql) && !/;\s*\S/.test(sql);
