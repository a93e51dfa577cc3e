import { useMemo } from 'react';
import { useIngestion, useTables } from '../../api/catalog.ts';
import { Notice } from '../../components/notice.tsx';
import styles from './ingestion-page.module.css';
import { byTable } from './summary.ts';
import { TableIngestion } from './table-ingestion.tsx';
import { TablesSummary } from './tables-summary.tsx';
import { useThroughput } from './use-throughput.ts';

/** How old what is shown here becomes: as much as rows do, when all is well. */
const refreshMs = 1_000;

/** Every table in one line; below, the partitions of the chosen one. */
export function IngestionPage({ selected }: { selected: string | null }) {
  const tables = useTables();
  const ingestion = useIngestion(refreshMs);
  const throughput = useThroughput(ingestion.data, ingestion.dataUpdatedAt);
  const partitions = useMemo(() => byTable(ingestion.data ?? []), [ingestion.data]);
  const error = tables.error ?? ingestion.error;
  if (!tables.data || !ingestion.data) return error ? <Notice>{error.message}</Notice> : null;
  if (tables.data.length === 0)
    return <Notice>No tables yet. CREATE TABLE … FROM KAFKA reads a topic; weir load fills one from a file.</Notice>;
  const table = selected === null ? tables.data[0] : tables.data.find(known => known.name === selected);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1 className="page-title">Ingestion</h1>
        {error && <span role="alert">Not up to date: {error.message}</span>}
      </header>
      <TablesSummary tables={tables.data} partitions={partitions} throughput={throughput} selected={table} />
      {table ? (
        <TableIngestion
          key={table.id}
          table={table}
          partitions={partitions.get(table.id) ?? []}
          nowMs={ingestion.dataUpdatedAt}
        />
      ) : (
        <Notice>There is no table {selected}.</Notice>
      )}
    </div>
  );
}
