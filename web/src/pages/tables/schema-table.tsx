import type { TableInfo } from '../../api/client.ts';
import { type TableColumn, VirtualTable } from '../../components/grid/virtual-table.tsx';
import styles from './schema-table.module.css';

const columns: readonly TableColumn[] = [
  { key: 'name', name: 'Column', widthPx: 200 },
  { key: 'type', name: 'Type', widthPx: 140 },
  { key: 'nullable', name: 'Nulls', widthPx: 100 },
  { key: 'index', name: 'Indexes', widthPx: 160 },
  { key: 'default', name: 'Default', widthPx: 120 },
  { key: 'id', name: 'Id', widthPx: 64, align: 'right' },
];

export function SchemaTable({ table }: { table: TableInfo }) {
  return (
    <VirtualTable
      label={`Columns of ${table.name}`}
      columns={columns}
      stretch
      rowCount={table.columns.length}
      cell={(row, column) => {
        const described = table.columns[row]!;
        switch (columns[column]!.key) {
          case 'name':
            return (
              <>
                <b className={styles.name}>{described.name}</b>
                {described.name === table.timeColumn && <span className={styles.tag}>time</span>}
              </>
            );
          case 'type':
            return <code className={styles.type}>{described.type}</code>;
          case 'nullable':
            return described.nullable ? <span className={styles.dim}>allowed</span> : 'not null';
          case 'index':
            return table.indexes
              .filter(index => index.column === described.name)
              .map(index => (
                <span key={index.kind} className={styles.tag}>
                  {index.kind}
                </span>
              ));
          case 'default':
            return described.default === null ? <span className={styles.dim}>–</span> : String(described.default);
          default:
            return described.id;
        }
      }}
    />
  );
}
