import type { IngestionPartition, TableInfo } from '../../api/client.ts';
import { hrefOf } from '../../app/route.ts';
import { Sparkline } from '../../components/chart/sparkline.tsx';
import { formatCount, formatDuration } from '../../components/format.ts';
import { lateMs } from '../../components/freshness.ts';
import { type TableColumn, VirtualTable } from '../../components/grid/virtual-table.tsx';
import styles from './ingestion-page.module.css';
import { StateLabel } from './state-label.tsx';
import { sourceText, summaryOf } from './summary.ts';
import { rateOf, ratesOf, sampleCountMax, type Throughput } from './throughput.ts';

const columns: readonly TableColumn[] = [
  { key: 'table', name: 'Table', widthPx: 180 },
  { key: 'source', name: 'Source', widthPx: 210 },
  { key: 'state', name: 'State', widthPx: 160 },
  { key: 'lag', name: 'Lag', widthPx: 90, align: 'right' },
  { key: 'behind', name: 'Behind', widthPx: 80, align: 'right' },
  { key: 'rate', name: 'Rows/s', widthPx: 90, align: 'right' },
  { key: 'line', name: 'Last minute', widthPx: 120 },
  { key: 'rejected', name: 'Rejected', widthPx: 90, align: 'right' },
];

/** Tables in view at once; more are scrolled to. */
const tablesInViewMax = 6;
const rowHeightPx = 28;
/** Header and borders of the table. */
const frameHeightPx = 36;

const formatRate = (rate: number | null): string =>
  rate === null ? '–' : rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));

interface Props {
  readonly tables: readonly TableInfo[];
  readonly partitions: ReadonlyMap<string, readonly IngestionPartition[]>;
  readonly throughput: Throughput;
  readonly selected: TableInfo | undefined;
}

/** Every table in one line: where its rows come from, how it goes, how fast. */
export function TablesSummary({ tables, partitions, throughput, selected }: Props) {
  const inView = Math.min(tables.length, tablesInViewMax + 0.5);
  return (
    <div style={{ flex: 'none', height: frameHeightPx + inView * rowHeightPx }}>
      <VirtualTable
        label="Ingestion of all tables"
        columns={columns}
        stretch
        rowCount={tables.length}
        cell={(row, column) => {
          const table = tables[row]!;
          const summary = summaryOf(partitions.get(table.id) ?? []);
          const samples = throughput.get(table.id);
          const rate = rateOf(samples);
          switch (columns[column]!.key) {
            case 'table':
              return (
                <a
                  className={styles.table}
                  href={hrefOf('ingestion', table.name)}
                  title={table.name}
                  aria-current={table === selected ? 'true' : undefined}
                >
                  {table.name}
                </a>
              );
            case 'source':
              return <span title={sourceText(table)}>{sourceText(table)}</span>;
            case 'state':
              return <StateLabel level={summary.level} text={summary.stateText} />;
            case 'lag':
              return formatCount(summary.lagMessages);
            case 'behind':
              return (
                <span className={summary.lagMs > lateMs ? styles.late : undefined}>
                  {formatDuration(summary.lagMs)}
                </span>
              );
            case 'rate':
              return formatRate(rate);
            case 'line':
              return (
                <Sparkline
                  label={`Rows per second of ${table.name}, now ${formatRate(rate)}`}
                  values={ratesOf(samples)}
                  capacity={sampleCountMax - 1}
                />
              );
            default:
              return (
                <span className={summary.rowsRejected > 0 ? styles.late : undefined}>
                  {formatCount(summary.rowsRejected)}
                </span>
              );
          }
        }}
      />
    </div>
  );
}
