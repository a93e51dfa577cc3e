import { ActionIcon } from '@mantine/core';
import type { IngestionPartition } from '../../api/client.ts';
import { Icon, type IconName } from '../../components/icons.tsx';
import styles from './ingestion-page.module.css';
import type { Steering } from './use-steering.ts';

interface Props {
  readonly partition: IngestionPartition;
  readonly steering: Steering;
  readonly onSeek: (partition: number) => void;
}

const Action = ({ icon, name, onClick }: { icon: IconName; name: string; onClick: () => void }) => (
  <ActionIcon size={24} variant="subtle" color="gray" aria-label={name} title={name} onClick={onClick}>
    <Icon name={icon} />
  </ActionIcon>
);

/** What one partition can be told. A log is fed by pushes: there is no stream to pause or move in. */
export function PartitionActions({ partition: { partition, source, freshness }, steering, onSeek }: Props) {
  // A failed one may be one that stopped for good: resuming tries it again.
  const action = freshness.state === 'paused' || freshness.state === 'failed' ? 'resume' : 'pause';
  return (
    <span className={styles.actions}>
      {source === 'kafka' && (
        <Action
          icon={action === 'pause' ? 'pause' : 'run'}
          name={`${action === 'pause' ? 'Pause' : 'Resume'} partition ${partition}`}
          onClick={() => steering.order({ action, partition })}
        />
      )}
      <Action
        icon="commit"
        name={`Commit partition ${partition}`}
        onClick={() => steering.order({ action: 'commit', partition })}
      />
      {source === 'kafka' && (
        <Action icon="seek" name={`Seek partition ${partition}`} onClick={() => onSeek(partition)} />
      )}
    </span>
  );
}
