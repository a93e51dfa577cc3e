import { useMemo } from 'react';
import type { Answer, Value } from '../../api/client.ts';
import { formatValue, isNumeric } from '../format.ts';
import styles from './result-grid.module.css';
import { type TableColumn, VirtualTable } from './virtual-table.tsx';

/** Rows whose width decides a column's: enough to be right for nearly all, cheap for any answer. */
const measuredRows = 200;
/** Characters of a text that are measured: more than the widest column shows. */
const measuredLength = 200;
const widthMinPx = 72;
const widthMaxPx = 420;
const paddingPx = 26;
const fontSizePx = 12.5;

/** Text this long may be cut in its cell, which then ends in an ellipsis; its tooltip holds it up to the second length. */
const tooltipLengthMin = 40;
const tooltipLengthMax = 4000;

/** The width of a text in the table's font, every digit as wide as a zero. */
function createRuler(): (text: string, bold?: boolean) => number {
  const context = document.createElement('canvas').getContext('2d')!;
  const { fontFamily } = getComputedStyle(document.body);
  return (text, bold = false) => {
    context.font = `${bold ? '600 ' : ''}${fontSizePx}px ${fontFamily}`;
    return context.measureText(text.replace(/\d/g, '0')).width;
  };
}

function columnsOf(answer: Answer): TableColumn[] {
  const width = createRuler();
  return answer.columns.map((column, index) => {
    // Not the text of most characters: the widest, in a font whose letters differ.
    const widths = answer.rows
      .slice(0, measuredRows)
      .map(row => width(formatValue(row[index] ?? null, column.type).slice(0, measuredLength)));
    const textWidthPx = Math.max(width(column.name, true), width(column.type), ...widths);
    return {
      key: `${index} ${column.name}`,
      name: column.name,
      detail: column.type,
      widthPx: Math.ceil(Math.min(Math.max(textWidthPx, widthMinPx), widthMaxPx)) + paddingPx,
      align: isNumeric(column.type) ? 'right' : 'left',
    };
  });
}

function Cell({ value, type }: { value: Value; type: string }) {
  if (value === null) return <span className={styles.null}>null</span>;
  const text = formatValue(value, type);
  if (text === '') return <span className={styles.null}>empty</span>;
  return <span title={text.length >= tooltipLengthMin ? text.slice(0, tooltipLengthMax) : undefined}>{text}</span>;
}

/** An answer's rows. */
export function ResultGrid({ answer }: { answer: Answer }) {
  const columns = useMemo(() => columnsOf(answer), [answer]);
  return (
    <VirtualTable
      label="Result"
      columns={columns}
      rowCount={answer.rows.length}
      rowNumbers
      cell={(row, column) => (
        <Cell value={answer.rows[row]![column] ?? null} type={answer.columns[column]?.type ?? 'STRING'} />
      )}
    />
  );
}
