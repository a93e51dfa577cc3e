import { Button, Tabs } from '@mantine/core';
import { useState } from 'react';
import type { IngestionPartition, TableInfo } from '../../api/client.ts';
import { hrefOf } from '../../app/route.ts';
import { FaultNotice } from '../../components/fault-notice.tsx';
import { formatCount } from '../../components/format.ts';
import { Icon } from '../../components/icons.tsx';
import { Notice } from '../../components/notice.tsx';
import { IncidentList } from './incident-list.tsx';
import { incidentsOf } from './incidents.ts';
import styles from './ingestion-page.module.css';
import { PartitionsTable } from './partitions-table.tsx';
import { RejectsTable } from './rejects-table.tsx';
import { SeekDialog } from './seek-dialog.tsx';
import { SteeringBar } from './steering-bar.tsx';
import { isTopic, sourceFacts, summaryOf } from './summary.ts';
import { useSteering } from './use-steering.ts';

interface Props {
  readonly table: TableInfo;
  /** Ascending. */
  readonly partitions: readonly IngestionPartition[];
  /** When they were so, by the browser's clock. */
  readonly nowMs: number;
}

/**
 * One table: its source, its partitions, what is wrong, what it can be told. What comes and goes stands below the
 * partitions, so that no button moves under the pointer.
 */
export function TableIngestion({ table, partitions, nowMs }: Props) {
  const steering = useSteering(table.name);
  const [seeking, setSeeking] = useState<{ readonly partition: number | null } | null>(null);
  const real = partitions.filter(partition => !isTopic(partition));
  const incidents = incidentsOf(partitions);
  const seek = (partition: number | null): void => {
    steering.forget();
    setSeeking({ partition });
  };
  return (
    <section className={styles.details} aria-label={table.name}>
      <header className={styles.header}>
        <h2>{table.name}</h2>
        <output className={styles.done}>{steering.isPending ? 'Under way…' : steering.done}</output>
        <SteeringBar table={table} partitions={partitions} steering={steering} onSeek={() => seek(null)} />
        <Button
          component="a"
          href={hrefOf('tables', table.name)}
          size="xs"
          variant="default"
          leftSection={<Icon name="tables" />}
        >
          Table
        </Button>
      </header>
      <dl className={styles.source}>
        {sourceFacts(table).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Tabs defaultValue="partitions" className={styles.tabs} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="partitions">Partitions ({formatCount(real.length)})</Tabs.Tab>
          <Tabs.Tab value="rejects">Rejected rows ({formatCount(summaryOf(partitions).rowsRejected)})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="partitions" className={styles.panel}>
          {partitions.length === 0 ? (
            <Notice>No partition is known yet: the topic is being looked at.</Notice>
          ) : (
            <PartitionsTable
              name={table.name}
              partitions={partitions}
              nowMs={nowMs}
              steering={steering}
              onSeek={seek}
            />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="rejects" className={styles.panel}>
          <RejectsTable name={table.name} />
        </Tabs.Panel>
      </Tabs>
      {steering.failure && !seeking && <FaultNotice fault={steering.failure} />}
      {incidents.length > 0 && <IncidentList name={table.name} incidents={incidents} />}
      {seeking && (
        <SeekDialog
          name={table.name}
          partitions={real.map(({ partition }) => partition)}
          partition={seeking.partition}
          steering={steering}
          onClose={() => setSeeking(null)}
        />
      )}
    </section>
  );
}
