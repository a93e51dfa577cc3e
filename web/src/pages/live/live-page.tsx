import { Select } from '@mantine/core';
import { useTables } from '../../api/catalog.ts';
import { hrefOf } from '../../app/route.ts';
import { Notice } from '../../components/notice.tsx';
import styles from './live-page.module.css';
import { LiveTable } from './live-table.tsx';

/** What happens in one table now. */
export function LivePage({ selected }: { selected: string | null }) {
  const tables = useTables();
  if (tables.isError) return <Notice>{tables.error.message}</Notice>;
  if (tables.isPending) return null;
  const timed = tables.data.filter(table => table.timeColumn !== null);
  const named = selected ?? (timed.some(table => table.name === 'payments') ? 'payments' : timed[0]?.name);
  const table = timed.find(known => known.name === named);
  if (timed.length === 0) return <Notice>No table with a time column yet.</Notice>;

  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1 className="page-title">Live</h1>
        <Select
          size="xs"
          w={200}
          aria-label="Table"
          allowDeselect={false}
          data={timed.map(known => known.name)}
          value={named ?? null}
          onChange={name => {
            if (name !== null) window.location.hash = hrefOf('live', name);
          }}
        />
      </header>
      {table ? (
        <LiveTable key={table.id} table={table} />
      ) : (
        <Notice>There is no table {named} with a time column.</Notice>
      )}
    </div>
  );
}
