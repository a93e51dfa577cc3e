import { useTables } from '../../api/catalog.ts';
import { hrefOf } from '../../app/route.ts';
import { formatBytes, formatCount, plural } from '../../components/format.ts';
import { Notice } from '../../components/notice.tsx';
import { TableDetails } from './table-details.tsx';
import styles from './tables-page.module.css';

/** Every table at the left, the chosen one at the right. */
export function TablesPage({ selected }: { selected: string | null }) {
  const tables = useTables();
  if (tables.isError) return <Notice>{tables.error.message}</Notice>;
  if (tables.isPending) return null;
  if (tables.data.length === 0)
    return <Notice>No tables yet. CREATE TABLE makes one; weir load fills it from a file.</Notice>;
  const table = selected === null ? tables.data[0] : tables.data.find(known => known.name === selected);

  return (
    <div className={styles.page}>
      <div className={styles.side}>
        <h1 className="page-title">Tables</h1>
        <ul className={styles.list} aria-label="Tables">
          {tables.data.map(known => (
            <li key={known.id}>
              <a href={hrefOf('tables', known.name)} aria-current={known === table ? 'true' : undefined}>
                <b>{known.name}</b>
                <span>{plural(known.rows, 'row')}</span>
                <span>
                  {formatCount(known.segments)} {known.segments === 1 ? 'segment' : 'segments'},{' '}
                  {formatBytes(known.sizeBytes)}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </div>
      {table ? <TableDetails key={table.id} table={table} /> : <Notice>There is no table {selected}.</Notice>}
    </div>
  );
}
