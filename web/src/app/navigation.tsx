import { useIngestion } from '../api/catalog.ts';
import { freshnessOf } from '../components/freshness.ts';
import { Icon } from '../components/icons.tsx';
import { StatusDot } from '../components/status-dot.tsx';
import { ColorScheme } from './color-scheme.tsx';
import { hrefOf, type Page, pages } from './route.ts';
import styles from './shell.module.css';
import logo from './weir.svg';

const names: Record<Page, string> = { query: 'Query', tables: 'Tables', ingestion: 'Ingestion', live: 'Live' };

export function Navigation({ page }: { page: Page }) {
  return (
    <nav className={styles.navigation} aria-label="Pages">
      <div className={styles.brand}>
        <img src={logo} width={28} height={28} alt="" />
        Weir
      </div>
      {pages.map(target => (
        <a
          key={target}
          className={styles.link}
          href={hrefOf(target)}
          aria-current={target === page ? 'page' : undefined}
        >
          <Icon name={target} />
          {names[target]}
        </a>
      ))}
      <span className={styles.spacer} />
      <Health />
      <ColorScheme />
    </nav>
  );
}

/** Whether the server answers and ingestion goes on: on every page, with the cause where it does not. */
function Health() {
  const ingestion = useIngestion();
  const freshness = ingestion.isError
    ? ({ level: 'bad', text: ingestion.error.message } as const)
    : freshnessOf((ingestion.data ?? []).map(partition => partition.freshness));
  return (
    <div className={styles.health} role="status">
      <StatusDot level={freshness?.level ?? 'good'} />
      <span>{ingestion.isPending ? 'Connecting' : freshness ? `Ingestion ${freshness.text}` : 'No tables yet'}</span>
    </div>
  );
}
