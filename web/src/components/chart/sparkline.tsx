interface Props {
  readonly label: string;
  /** Oldest first. */
  readonly values: readonly number[];
  /** Values in the whole width; fewer stand at its right end. */
  readonly capacity: number;
}

const widthPx = 96;
const heightPx = 20;

/** A line from zero, small enough for a row of a table. Its size does not depend on its values. */
export function Sparkline({ label, values, capacity }: Props) {
  const most = Math.max(1, ...values);
  const stepPx = widthPx / Math.max(1, capacity - 1);
  const startPx = widthPx - (values.length - 1) * stepPx;
  const points = values.map(
    (value, index) =>
      `${(startPx + index * stepPx).toFixed(1)},${(heightPx - 1 - (value / most) * (heightPx - 2)).toFixed(1)}`,
  );
  return (
    <svg
      role="img"
      aria-label={label}
      width={widthPx}
      height={heightPx}
      viewBox={`0 0 ${widthPx} ${heightPx}`}
      style={{ display: 'block' }}
    >
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke="var(--mantine-primary-color-filled)"
        strokeWidth="1.25"
        strokeLinejoin="round"
      />
    </svg>
  );
}
