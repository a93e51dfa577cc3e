import { Popover, UnstyledButton } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { useState } from 'react';
import type { Answer } from '../../api/client.ts';
import type { Statement } from '../../api/use-statement.ts';
import { formatCount, formatDuration, plural } from '../../components/format.ts';
import { freshnessOf } from '../../components/freshness.ts';
import { StatsDetails } from './stats-details.tsx';
import styles from './stats-line.module.css';

const tickMs = 100;

function Running({ running }: { running: NonNullable<Statement['running']> }) {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useInterval(() => setNowMs(performance.now()), tickMs, { autoInvoke: true });
  return (
    <span className={styles.line} role="status">
      running · {formatDuration(Math.max(0, nowMs - running.startedAtMs))}
      {running.rowCount > 0 && ` · ${plural(running.rowCount, 'row')} so far`}
    </span>
  );
}

/** What the answer cost and how far it can be trusted, in one line; the rest behind "Details". */
export function StatsLine({ answer, running }: { answer: Answer | null; running: Statement['running'] }) {
  if (running) return <Running running={running} />;
  if (!answer) return <span className={styles.line} />;
  const { trailer } = answer;
  if (!trailer)
    return (
      <span className={styles.line} role="status">
        <b className={styles.warn}>the first {plural(answer.rows.length, 'row')}: there are more; CSV saves all</b>
      </span>
    );
  const { stats } = trailer;
  const freshness = freshnessOf(Object.values(trailer.freshness).flatMap(table => table.partitions));
  return (
    <span className={styles.line} role="status">
      <b>{plural(answer.rows.length, 'row')}</b>
      <span>{formatDuration(stats.totalMs)}</span>
      <span>{formatCount(stats.rowsScanned)} scanned</span>
      <span>
        {plural(stats.segmentsScanned, 'segment')}
        {stats.segmentsPruned > 0 && `, ${formatCount(stats.segmentsPruned)} pruned`}
      </span>
      {trailer.complete ? (
        <span className={styles.good}>complete</span>
      ) : (
        <b className={styles.bad}>partial: {plural(trailer.missing?.length ?? 0, 'part')} missing</b>
      )}
      {freshness && <span className={styles[freshness.level]}>{freshness.text}</span>}
      <Popover position="bottom-end" shadow="md" width={340}>
        <Popover.Target>
          <UnstyledButton className={styles.more}>Details</UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <StatsDetails trailer={trailer} elapsedMs={answer.elapsedMs} />
        </Popover.Dropdown>
      </Popover>
    </span>
  );
}
