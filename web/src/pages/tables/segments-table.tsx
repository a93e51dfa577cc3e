import { useSegments } from '../../api/catalog.ts';
import type { SegmentInfo, TableInfo } from '../../api/client.ts';
import { formatBytes, formatCount, formatInstant } from '../../components/format.ts';
import { type TableColumn, VirtualTable } from '../../components/grid/virtual-table.tsx';
import { Notice } from '../../components/notice.tsx';

interface SegmentColumn extends TableColumn {
  readonly show: (segment: SegmentInfo) => string;
}

const instant = (ms: number | null): string => (ms === null ? '–' : formatInstant(ms).slice(0, 19));

const columns: readonly SegmentColumn[] = [
  { key: 'rows', name: 'Rows', widthPx: 88, align: 'right', show: segment => formatCount(segment.rows) },
  { key: 'size', name: 'Size', widthPx: 80, align: 'right', show: segment => formatBytes(segment.sizeBytes) },
  { key: 'from', name: 'First event', widthPx: 158, show: segment => instant(segment.minTimeMs) },
  { key: 'to', name: 'Last event', widthPx: 158, show: segment => instant(segment.maxTimeMs) },
  {
    key: 'partition',
    name: 'Partition',
    widthPx: 92,
    align: 'right',
    show: segment => (segment.partition === null ? 'load' : String(segment.partition)),
  },
  {
    key: 'offsets',
    name: 'Offsets',
    widthPx: 164,
    align: 'right',
    show: segment => `${formatCount(segment.startOffset)} – ${formatCount(segment.endOffset)}`,
  },
  { key: 'id', name: 'Segment', widthPx: 250, show: segment => segment.id },
];

/** Committed segments; consuming rows are in the table's facts. */
export function SegmentsTable({ table }: { table: TableInfo }) {
  const segments = useSegments(table.name);
  if (segments.isError) return <Notice>{segments.error.message}</Notice>;
  if (segments.isPending) return null;
  if (segments.data.length === 0)
    return <Notice>No committed segment yet: every row is in a consuming one, and in every answer.</Notice>;
  return (
    <VirtualTable
      label={`Segments of ${table.name}`}
      columns={columns}
      stretch
      rowCount={segments.data.length}
      cell={(row, column) => columns[column]!.show(segments.data[row]!)}
    />
  );
}
