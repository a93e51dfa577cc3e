import type { ReactNode } from 'react';
import type { IngestionPartition } from '../../api/client.ts';
import { formatCount, formatDuration, formatInstant } from '../../components/format.ts';
import { lateMs } from '../../components/freshness.ts';
import { type TableColumn, VirtualTable } from '../../components/grid/virtual-table.tsx';
import styles from './ingestion-page.module.css';
import { PartitionActions } from './partition-actions.tsx';
import { StateLabel } from './state-label.tsx';
import { isTopic, lagMessagesOf, levels } from './summary.ts';
import type { Steering } from './use-steering.ts';

interface Seen {
  readonly partition: IngestionPartition;
  readonly nowMs: number;
}

interface PartitionColumn extends TableColumn {
  readonly show: (seen: Seen) => ReactNode;
}

const count = (
  key: string,
  name: string,
  widthPx: number,
  value: (partition: IngestionPartition) => number,
): PartitionColumn => ({
  ...{ key, name, widthPx, align: 'right' },
  // Of the topic itself nothing is counted.
  show: ({ partition }) => (isTopic(partition) ? '–' : formatCount(value(partition))),
});

const unwanted = (
  key: string,
  name: string,
  widthPx: number,
  value: (partition: IngestionPartition) => number,
): PartitionColumn => ({
  ...count(key, name, widthPx, value),
  show: ({ partition }) => (
    <span className={value(partition) > 0 ? styles.late : undefined}>
      {isTopic(partition) ? '–' : formatCount(value(partition))}
    </span>
  ),
});

const noWatermark = <span className={styles.dim}>–</span>;

/** What tells trouble comes first: narrow windows scroll to the rest. */
const columns: readonly PartitionColumn[] = [
  {
    ...{ key: 'partition', name: 'Partition', widthPx: 90 },
    show: ({ partition }) => <b>{isTopic(partition) ? 'topic' : partition.partition}</b>,
  },
  {
    ...{ key: 'state', name: 'State', widthPx: 110 },
    show: ({ partition: { freshness } }) => <StateLabel level={levels[freshness.state]} text={freshness.state} />,
  },
  { key: 'actions', name: 'Actions', widthPx: 106, show: () => null },
  count('ingested', 'Ingested', 98, ({ freshness }) => freshness.ingestedOffset),
  count('end', 'End', 98, ({ freshness }) => freshness.endOffset),
  count('lag', 'Lag', 74, lagMessagesOf),
  {
    ...{ key: 'behind', name: 'Behind', widthPx: 78, align: 'right' },
    show: ({ partition }) => (
      <span className={partition.freshness.lagMs > lateMs ? styles.late : undefined}>
        {isTopic(partition) ? '–' : formatDuration(partition.freshness.lagMs)}
      </span>
    ),
  },
  {
    ...{ key: 'age', name: 'Age', widthPx: 76, align: 'right' },
    show: ({ partition: { freshness }, nowMs }) =>
      freshness.watermarkMs === null ? noWatermark : formatDuration(Math.max(0, nowMs - freshness.watermarkMs)),
  },
  {
    ...{ key: 'watermark', name: 'Watermark', widthPx: 172 },
    show: ({ partition: { freshness } }) =>
      freshness.watermarkMs === null ? noWatermark : formatInstant(freshness.watermarkMs).slice(0, 19),
  },
  unwanted('rejected', 'Rejected', 88, ({ rowsRejected }) => rowsRejected),
  count('committed', 'Committed', 110, ({ committedEnd }) => committedEnd),
  count('rows', 'Rows', 98, ({ rowsIngested }) => rowsIngested),
  count('filtered', 'Filtered', 84, ({ rowsFiltered }) => rowsFiltered),
  unwanted('lost', 'Lost', 74, ({ offsetsLost }) => offsetsLost),
];

interface Props {
  readonly name: string;
  /** Ascending. */
  readonly partitions: readonly IngestionPartition[];
  /** When they were so, by the browser's clock. */
  readonly nowMs: number;
  readonly steering: Steering;
  readonly onSeek: (partition: number) => void;
}

/** Where each partition is, and what may be done with it. */
export const PartitionsTable = ({ name, partitions, nowMs, steering, onSeek }: Props) => (
  <VirtualTable
    label={`Partitions of ${name}`}
    columns={columns}
    stretch
    rowCount={partitions.length}
    cell={(row, column) => {
      const partition = partitions[row]!;
      const { key, show } = columns[column]!;
      if (key !== 'actions') return show({ partition, nowMs });
      return isTopic(partition) ? null : <PartitionActions partition={partition} steering={steering} onSeek={onSeek} />;
    }}
  />
);
