import { formatPlotted } from '../format.ts';
import styles from './bar-chart.module.css';
import type { Series } from './chart-model.ts';
import { usePalette } from './palette.ts';

interface Props {
  readonly label: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
}

const shown = (value: number | null): string => (value === null ? 'null' : formatPlotted(value));

/** Horizontal bars, one group a label: a list that reads as text too. Negative values are drawn leftwards from zero. */
export function BarChart({ label, labels, series }: Props) {
  const palette = usePalette();
  const values = series.flatMap(one => one.values).filter(value => value !== null);
  const low = Math.min(0, ...values);
  const span = Math.max(0, ...values) - low || 1;
  const color = (index: number): string => palette.series[index % palette.series.length]!;

  return (
    <div className={styles.frame} data-testid="bar-chart">
      {series.length > 1 && (
        <ul className={styles.legend}>
          {series.map((one, index) => (
            <li key={one.name}>
              <i style={{ background: color(index) }} />
              {one.name}
            </li>
          ))}
        </ul>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard */}
      <ul className={styles.bars} aria-label={label} tabIndex={0}>
        {labels.map((name, row) => (
          <li key={name} className={styles.group}>
            <span className={styles.label} title={name}>
              {name === '' ? 'empty' : name}
            </span>
            <div className={styles.stack}>
              {series.map((one, index) => {
                const value = one.values[row] ?? null;
                const size = (Math.abs(value ?? 0) / span) * 100;
                const left = ((Math.min(0, value ?? 0) - low) / span) * 100;
                return (
                  <div key={one.name} className={styles.track}>
                    <div
                      className={styles.bar}
                      style={{ left: `${left}%`, width: `${size}%`, background: color(index) }}
                    />
                    <span className={styles.value} style={{ left: `${Math.max(left + size, 0)}%` }}>
                      {shown(value)}
                    </span>
                  </div>
                );
              })}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
