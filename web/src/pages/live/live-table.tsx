import { useMemo } from 'react';
import type { TableInfo } from '../../api/client.ts';
import { LineChart } from '../../components/chart/line-chart.tsx';
import { formatCount, formatDuration, formatInstant } from '../../components/format.ts';
import { freshnessOf } from '../../components/freshness.ts';
import { Notice } from '../../components/notice.tsx';
import { Breakdown } from './breakdown.tsx';
import styles from './live-page.module.css';
import { breakdownColumns } from './live-sql.ts';
import { recentRate } from './per-second.ts';
import { usePerSecond } from './use-live.ts';

const Fact = ({ name, value, note, level }: { name: string; value: string; note: string; level?: string }) => (
  <div className={styles.fact}>
    <dt>{name}</dt>
    <dd style={level ? { color: `var(--${level})` } : undefined}>{value}</dd>
    <dd className={styles.note}>{note}</dd>
  </div>
);

export function LiveTable({ table }: { table: TableInfo }) {
  const live = usePerSecond(table);
  const data = live.data;
  const series = useMemo(() => [{ name: 'events per second', values: data?.counts ?? [] }], [data?.counts]);
  if (live.isError && !data) return <Notice>{live.error.message}</Notice>;

  const partitions = data?.freshness?.partitions ?? [];
  const freshness = freshnessOf(partitions);
  const ingested = partitions.reduce((sum, partition) => sum + partition.ingestedOffset, 0);
  const observedAtMs = Math.max(0, ...partitions.map(partition => partition.observedAtMs));
  const behindMs = data?.watermarkMs == null ? null : Math.max(0, observedAtMs - data.watermarkMs);
  return (
    <>
      <dl className={styles.facts}>
        <Fact
          name="Events per second"
          value={data ? formatCount(Math.round(recentRate(data))) : '–'}
          note="mean of the last 5 s"
        />
        <Fact name="Events taken in" value={data ? formatCount(ingested) : '–'} note="since the table began" />
        <Fact
          name="Ingestion"
          value={freshness?.text ?? '–'}
          level={freshness?.level}
          note={partitions.map(partition => `partition ${partition.partition} ${partition.state}`).join(', ') || '–'}
        />
        <Fact
          name="Newest event"
          value={behindMs === null ? '–' : `${formatDuration(behindMs)} ago`}
          note={data?.watermarkMs == null ? 'none yet' : formatInstant(data.watermarkMs)}
        />
      </dl>
      <section className={`${styles.card} ${styles.wide}`} aria-labelledby="per-second">
        <h2 id="per-second">
          Events per second <small>the last 5 minutes, by event time, UTC</small>
          {live.isError && <span role="alert">{live.error.message}</span>}
        </h2>
        <div className={styles.chart}>
          {data && (
            <LineChart
              label={`Events per second of ${table.name}, now ${Math.round(recentRate(data))}`}
              xs={data.seconds}
              series={series}
              isTime
            />
          )}
        </div>
      </section>
      <div className={styles.breakdowns}>
        {breakdownColumns(table).map(column => (
          <Breakdown key={column} table={table} column={column} />
        ))}
      </div>
    </>
  );
}
