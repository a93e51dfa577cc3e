import type { TableInfo } from '../../api/client.ts';
import { formatCount, formatValue, toNumber } from '../../components/format.ts';
import styles from './live-page.module.css';
import { breakdownRows } from './live-sql.ts';
import { useBreakdown } from './use-live.ts';

/** The most frequent values of one column over the last minutes. */
export function Breakdown({ table, column }: { table: TableInfo; column: string }) {
  const { data, error } = useBreakdown(table, column);
  const rows = (data?.rows ?? []).map(([value, count]) => ({
    name: value === null || value === undefined ? 'null' : formatValue(value, 'STRING'),
    count: toNumber(count ?? null) ?? 0,
  }));
  const most = Math.max(1, ...rows.map(row => row.count));
  return (
    <section className={styles.card} aria-labelledby={`by-${column}`}>
      <h2 id={`by-${column}`}>
        By {column} <small>the {breakdownRows} largest of the last 5 minutes</small>
        {error && <span role="alert">{error.message}</span>}
      </h2>
      <table className={styles.table}>
        <tbody>
          {rows.map(row => (
            <tr key={row.name}>
              <th scope="row" title={row.name}>
                {row.name}
              </th>
              <td className={styles.track}>
                <i style={{ width: `${(row.count / most) * 100}%` }} />
              </td>
              <td className={styles.count}>{formatCount(row.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
