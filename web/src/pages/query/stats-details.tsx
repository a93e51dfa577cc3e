import type { Answer } from '../../api/client.ts';
import { formatBytes, formatCount, formatDuration, formatInstant } from '../../components/format.ts';
import styles from './stats-line.module.css';

interface Props {
  readonly trailer: NonNullable<Answer['trailer']>;
  readonly elapsedMs: number;
}

/** Every number that came with an answer. */
export function StatsDetails({ trailer, elapsedMs }: Props) {
  const { stats, freshness } = trailer;
  const facts: [string, string][] = [
    ['Parse', formatDuration(stats.parseMs)],
    ['Plan', formatDuration(stats.planMs)],
    ['Pin the snapshot', formatDuration(stats.pinMs)],
    ['Run', formatDuration(stats.runMs)],
    ['Seen from this page', formatDuration(elapsedMs)],
    ['Rows scanned', formatCount(stats.rowsScanned)],
    ['Rows matched', formatCount(stats.rowsMatched)],
    ['Blocks scanned, pruned', `${formatCount(stats.blocksScanned)}, ${formatCount(stats.blocksPruned)}`],
    [
      'Segments answered of expected',
      `${formatCount(stats.segmentsAnswered)} of ${formatCount(stats.segmentsExpected)}`,
    ],
    ['Memory at most', formatBytes(stats.memoryPeakBytes)],
    ...Object.entries(stats.filters).map(([method, blocks]): [string, string] => [
      `Blocks by ${method}`,
      formatCount(blocks),
    ]),
    ...Object.entries(freshness).map(([table, { watermarkMs }]): [string, string] => [
      `Watermark of ${table}`,
      watermarkMs === null ? 'none' : formatInstant(watermarkMs),
    ]),
    ...(trailer.missing ?? []).map((part): [string, string] => ['Missing', part]),
    ['Query id', trailer.queryId],
  ];
  return (
    <table className={styles.details}>
      <tbody>
        {facts.map(([name, value]) => (
          <tr key={`${name} ${value}`}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
