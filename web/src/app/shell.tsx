import { lazy, Suspense } from 'react';
import { LivePage } from '../pages/live/live-page.tsx';
import { QueryPage } from '../pages/query/query-page.tsx';
import { TablesPage } from '../pages/tables/tables-page.tsx';
import { Navigation } from './navigation.tsx';
import { PageBoundary } from './page-boundary.tsx';
import { parseRoute, type Route, useHash } from './route.ts';
import styles from './shell.module.css';

/** Fetched when it is first opened, with the dialog and the fields that it alone has. */
const IngestionPage = lazy(() =>
  import('../pages/ingestion/ingestion-page.tsx').then(module => ({ default: module.IngestionPage })),
);

function pageOf(route: Route) {
  switch (route.page) {
    case 'query':
      return <QueryPage />;
    case 'tables':
      return <TablesPage selected={route.name} />;
    case 'ingestion':
      return <IngestionPage selected={route.name} />;
    case 'live':
      return <LivePage selected={route.name} />;
  }
}

export function Shell() {
  const route = parseRoute(useHash());
  return (
    <div className={styles.shell}>
      <Navigation page={route.page} />
      <main className={styles.main}>
        <PageBoundary key={route.page}>
          <Suspense fallback={null}>{pageOf(route)}</Suspense>
        </PageBoundary>
      </main>
    </div>
  );
}
