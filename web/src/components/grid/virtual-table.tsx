import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import styles from './virtual-table.module.css';

export interface TableColumn {
  readonly key: string;
  readonly name: string;
  /** Second line of the header, such as the type. */
  readonly detail?: string;
  readonly widthPx: number;
  readonly align?: 'left' | 'right';
}

const rowHeightPx = 28;
/** Rows drawn beyond each edge, so that fast scrolling shows no blanks. */
const overscanRows = 12;

interface Props {
  readonly label: string;
  readonly columns: readonly TableColumn[];
  readonly rowCount: number;
  readonly cell: (row: number, column: number) => ReactNode;
  readonly rowNumbers?: boolean;
  /** Columns share what room is left. */
  readonly stretch?: boolean;
}

/** A table of any length: a real `<table>`, of which only the rows in view exist. Fills its parent and scrolls in it. */
export function VirtualTable({ label, columns, rowCount, cell, rowNumbers = false, stretch = false }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: rowCount,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeightPx,
    overscan: overscanRows,
  });
  // Other columns are another table, which begins at its top.
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [columns]);
  const items = rows.getVirtualItems();
  const beforePx = items[0]?.start ?? 0;
  const afterPx = rows.getTotalSize() - (items.at(-1)?.end ?? 0);
  const columnCount = columns.length + (rowNumbers ? 1 : 0);
  const numberWidthPx = 24 + 8 * String(rowCount).length;
  const widthPx = columns.reduce((sum, column) => sum + column.widthPx, rowNumbers ? numberWidthPx : 0);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className={styles.scroller} ref={scroller} tabIndex={0} aria-label={label}>
      <table
        className={styles.table}
        style={{ width: widthPx, minWidth: stretch ? '100%' : undefined }}
        aria-rowcount={rowCount + 1}
        aria-label={label}
      >
        <colgroup>
          {rowNumbers && <col style={{ width: numberWidthPx }} />}
          {columns.map(column => (
            <col key={column.key} style={{ width: column.widthPx }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {rowNumbers && (
              <th className={styles.number} scope="col" aria-label="Row">
                #
              </th>
            )}
            {columns.map(column => (
              <th key={column.key} scope="col" className={column.align === 'right' ? styles.right : undefined}>
                <span className={styles.name} title={column.name}>
                  {column.name}
                </span>
                {column.detail !== undefined && <span className={styles.detail}>{column.detail}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {beforePx > 0 && (
            <tr>
              <td className={styles.spacer} colSpan={columnCount} style={{ height: beforePx }} />
            </tr>
          )}
          {items.map(item => (
            <tr key={item.key} aria-rowindex={item.index + 2}>
              {rowNumbers && <td className={styles.number}>{item.index + 1}</td>}
              {columns.map((column, index) => (
                <td key={column.key} className={column.align === 'right' ? styles.right : undefined}>
                  {cell(item.index, index)}
                </td>
              ))}
            </tr>
          ))}
          {afterPx > 0 && (
            <tr>
              <td className={styles.spacer} colSpan={columnCount} style={{ height: afterPx }} />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}
