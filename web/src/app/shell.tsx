import { LivePage } from '../pages/live/live-page.tsx';
import { QueryPage } from '../pages/query/query-page.tsx';
import { TablesPage } from '../pages/tables/tables-page.tsx';
import { Navigation } from './navigation.tsx';
import { PageBoundary } from './page-boundary.tsx';
import { parseRoute, type Route, useHash } from './route.ts';
import styles from './shell.module.css';

function pageOf(route: Route) {
  switch (route.page) {
    case 'query':
      return <QueryPage />;
    case 'tables':
      return <TablesPage selected={route.name} />;
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
        <PageBoundary key={route.page}>{pageOf(route)}</PageBoundary>
      </main>
    </div>
  );
}
