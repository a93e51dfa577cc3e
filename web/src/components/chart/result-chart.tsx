import { MultiSelect, SegmentedControl, Select } from '@mantine/core';
import { useMemo } from 'react';
import type { Answer } from '../../api/client.ts';
import { isNumeric, isTemporal } from '../format.ts';
import { BarChart } from './bar-chart.tsx';
import { type ChartChoice, chartData, fitChoice } from './chart-model.ts';
import { LineChart } from './line-chart.tsx';
import styles from './result-chart.module.css';

interface Props {
  readonly answer: Answer;
  /** What the reader chose; null for what fits. */
  readonly choice: ChartChoice | null;
  readonly onChoose: (choice: ChartChoice) => void;
}

const common = { size: 'xs', variant: 'filled', comboboxProps: { withinPortal: true } } as const;

/** An answer as a line or bar chart, with a choice of its columns. */
export function ResultChart({ answer, choice, onChoose }: Props) {
  const { columns } = answer;
  const fitting = useMemo(() => fitChoice(choice, answer), [choice, answer]);
  const data = useMemo(() => fitting && chartData(answer, fitting), [answer, fitting]);
  if (!fitting || !data)
    return (
      <p className={styles.none}>
        A chart needs a number, and a time or a category to draw it by. This answer has none.
      </p>
    );

  const options = columns.map((column, index) => ({ value: String(index), label: column.name }));
  const numbers = options.filter((_, index) => isNumeric(columns[index]!.type));
  const categories = options.filter((_, index) => !isNumeric(columns[index]!.type) && index !== fitting.x);
  const lineAllowed = isTemporal(columns[fitting.x]!.type) || isNumeric(columns[fitting.x]!.type);
  const chooseX = (x: number): void => {
    const ordered = isTemporal(columns[x]!.type) || (fitting.kind === 'line' && isNumeric(columns[x]!.type));
    onChoose({ ...fitting, x, kind: ordered ? 'line' : 'bar', split: fitting.split === x ? null : fitting.split });
  };
  const title = `${fitting.ys.map(y => columns[y]!.name).join(', ')} by ${columns[fitting.x]!.name}`;

  return (
    <div className={styles.frame}>
      <div className={styles.controls}>
        <SegmentedControl
          size="xs"
          aria-label="Kind of chart"
          value={fitting.kind}
          onChange={kind => onChoose({ ...fitting, kind: kind as ChartChoice['kind'] })}
          data={[
            { value: 'line', label: 'Line', disabled: !lineAllowed },
            { value: 'bar', label: 'Bar' },
          ]}
        />
        <Field name="X">
          <Select
            {...common}
            aria-label="X"
            w={150}
            data={options}
            allowDeselect={false}
            value={String(fitting.x)}
            onChange={value => value !== null && chooseX(Number(value))}
          />
        </Field>
        <Field name="Y">
          <MultiSelect
            {...common}
            aria-label="Y"
            miw={150}
            maw={320}
            data={numbers}
            maxValues={fitting.split === null ? 6 : 1}
            value={fitting.ys.map(String)}
            onChange={values => values.length > 0 && onChoose({ ...fitting, ys: values.map(Number) })}
          />
        </Field>
        <Field name="Split by">
          <Select
            {...common}
            aria-label="Split by"
            w={150}
            data={categories}
            placeholder="nothing"
            clearable
            value={fitting.split === null ? null : String(fitting.split)}
            onChange={value =>
              onChoose(
                value === null
                  ? { ...fitting, split: null }
                  : { ...fitting, split: Number(value), ys: fitting.ys.slice(0, 1) },
              )
            }
          />
        </Field>
        {data.notes.length > 0 && <span className={styles.notes}>{data.notes.join(' · ')}</span>}
      </div>
      <div className={styles.chart}>
        {fitting.kind === 'line' ? (
          <LineChart label={title} xs={data.xs} series={data.series} isTime={data.isTime} />
        ) : (
          <BarChart label={title} labels={data.labels} series={data.series} />
        )}
      </div>
    </div>
  );
}

const Field = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div className={styles.field}>
    <span aria-hidden="true">{name}</span>
    {children}
  </div>
);
