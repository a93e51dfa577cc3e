import { useMemo } from 'react';
import { toWeirError } from '../../api/client.ts';
import { FaultNotice } from '../../components/fault-notice.tsx';
import { formatValue, isNumeric } from '../../components/format.ts';
import { type TableColumn, VirtualTable } from '../../components/grid/virtual-table.tsx';
import { Notice } from '../../components/notice.tsx';
import { useRejects } from './use-rejects.ts';

/** In this order, those that the answer has. */
const known: readonly TableColumn[] = [
  { key: 'at', name: 'Time', widthPx: 196 },
  { key: 'partition', name: 'Partition', widthPx: 92, align: 'right' },
  { key: 'offset', name: 'Offset', widthPx: 96, align: 'right' },
  { key: 'line', name: 'Line', widthPx: 70, align: 'right' },
  { key: 'column', name: 'Column', widthPx: 110 },
  { key: 'reason', name: 'Reason', widthPx: 330 },
  { key: 'text', name: 'Row as it came', widthPx: 420 },
  { key: 'idempotency_key', name: 'Idempotency key', widthPx: 160 },
];

/** The latest rows that the table did not take, and why. */
export function RejectsTable({ name }: { name: string }) {
  const rejects = useRejects(name);
  const answer = rejects.data ?? null;
  const names = answer?.columns.map(column => column.name).join(' ') ?? '';
  const columns = useMemo(() => known.filter(({ key }) => names.split(' ').includes(key)), [names]);
  if (rejects.isError && !answer) return <FaultNotice fault={toWeirError(rejects.error)} />;
  if (answer === null) return null;
  if (answer.rows.length === 0) return <Notice>No rejected row is kept.</Notice>;
  return (
    <VirtualTable
      label={`Rejected rows of ${name}`}
      columns={columns}
      stretch
      rowCount={answer.rows.length}
      cell={(row, column) => {
        const index = answer.columns.findIndex(({ name: known }) => known === columns[column]!.key);
        const { type } = answer.columns[index]!;
        const value = answer.rows[row]![index] ?? null;
        if (value === null) return <span style={{ color: 'var(--text-dim)' }}>–</span>;
        const text = formatValue(value, type);
        return <span title={isNumeric(type) ? undefined : text}>{text}</span>;
      }}
    />
  );
}
