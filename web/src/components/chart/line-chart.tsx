import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatCompact, formatPlotted } from '../format.ts';
import type { Series } from './chart-model.ts';
import styles from './line-chart.module.css';
import { type Palette, usePalette } from './palette.ts';

interface Props {
  readonly label: string;
  /** Ascending; seconds since 1970 on a time axis. */
  readonly xs: readonly number[];
  readonly series: readonly Series[];
  readonly isTime: boolean;
  /** Fixed ends of x; without, those of the data. */
  readonly range?: readonly [number, number];
}

/** Room for the legend, which stands under the plot: one line, or two where there are many series. */
const legendHeightPx = (seriesCount: number): number => (seriesCount > 6 ? 54 : 30);
/** Room beside the plot, so that half of a tick's label fits at its right end: top, right, bottom, left. */
const paddingPx: uPlot.Padding = [12, 36, 0, 0];
/** Few enough points to draw each. */
const dotsCountMax = 40;

/** Ticks on a time axis by their distance in seconds: ISO 8601, 24 hours; the day and the year where they change. */
const timeTicks = (() => {
  const row = (
    seconds: number,
    tick: string,
    onYear: string | null,
    onDay: string | null,
  ): (string | number | null)[] => [seconds, tick, onYear, null, onDay, null, null, null, 1];
  const year = '\n{YYYY}-{MM}-{DD}';
  const day = '\n{MM}-{DD}';
  return [
    row(365 * 86_400, '{YYYY}', null, null),
    row(28 * 86_400, '{MMM}', '\n{YYYY}', null),
    row(86_400, '{MM}-{DD}', '\n{YYYY}', null),
    row(60, '{HH}:{mm}', year, day),
    row(1, '{HH}:{mm}:{ss}', year, day),
    row(0.001, '{HH}:{mm}:{ss}.{fff}', year, day),
  ];
})();

const seriesOptions = (series: readonly Series[], palette: Palette, pointCount: number): uPlot.Series[] =>
  series.map((one, index) => {
    const stroke = palette.series[index % palette.series.length]!;
    return {
      label: one.name,
      stroke,
      width: 1.75,
      fill: series.length === 1 ? `${stroke}22` : undefined,
      dash: index >= palette.series.length ? [6, 4] : undefined,
      points: { show: pointCount <= dotsCountMax, size: 5 },
      value: (_, value) => (value === null || value === undefined ? '–' : formatPlotted(value)),
    };
  });

function optionsOf(props: Props, palette: Palette, width: number, height: number): uPlot.Options {
  const axis = {
    stroke: palette.text,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1 },
  };
  const { range } = props;
  return {
    width,
    height,
    padding: paddingPx,
    tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: true, live: true },
    cursor: { points: { size: 7 } },
    scales: {
      x: { time: props.isTime, range: range ? () => [range[0], range[1]] : undefined },
      y: { range: (_, min, max) => uPlot.rangeNum(Math.min(0, min ?? 0), Math.max(max ?? 1, 0) || 1, 0.1, true) },
    },
    axes: [
      { ...axis, space: 84, values: props.isTime ? (timeTicks as uPlot.Axis.Values) : undefined },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(formatCompact) },
    ],
    series: [
      { label: props.isTime ? 'UTC' : 'x', value: props.isTime ? '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' : undefined },
      ...seriesOptions(props.series, palette, props.xs.length),
    ],
  };
}

const dataOf = ({ xs, series }: Props): uPlot.AlignedData => [[...xs], ...series.map(one => [...one.values])];

/** Lines over time (UTC) or a number. Fills its parent. New data of the same series move the lines; the chart stays. */
export function LineChart(props: Props) {
  const palette = usePalette();
  const { ref, width, height } = useElementSize();
  const parent = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const plotHeight = Math.max(60, Math.floor(height) - legendHeightPx(props.series.length));
  const plotWidth = Math.floor(width);
  const shape = useMemo(
    () => JSON.stringify([props.series.map(one => one.name), props.isTime, props.xs.length <= dotsCountMax]),
    [props.series, props.isTime, props.xs.length],
  );
  const latest = useRef(props);
  latest.current = props;
  const ready = plotWidth > 0;

  // Not every dependency is named: made anew for another shape; data, range and size follow below
  useEffect(() => {
    if (!ready) return;
    const options = optionsOf(latest.current, palette, plotWidth, plotHeight);
    // The range is read at each redraw, so that a moving window needs no new chart.
    options.scales!.x!.range = (_, min, max) => {
      const fixed = latest.current.range;
      return fixed ? [fixed[0], fixed[1]] : [min, max === min ? min + 1 : max];
    };
    const created = new uPlot(options, dataOf(latest.current), parent.current!);
    plot.current = created;
    return () => {
      created.destroy();
      plot.current = null;
    };
  }, [ready, shape, palette.grid]);

  // Not every dependency is named: a moved range redraws too
  useEffect(() => {
    plot.current?.setData(dataOf(latest.current));
  }, [props.xs, props.series, props.range?.[0], props.range?.[1]]);

  useEffect(() => {
    if (ready) plot.current?.setSize({ width: plotWidth, height: plotHeight });
  }, [ready, plotWidth, plotHeight]);

  return (
    <div ref={ref} className={styles.frame} role="img" aria-label={props.label} data-testid="line-chart">
      <div ref={parent} />
    </div>
  );
}
