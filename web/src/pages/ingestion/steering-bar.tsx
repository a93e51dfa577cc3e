import { Button } from '@mantine/core';
import type { IngestionPartition, TableInfo } from '../../api/client.ts';
import { Icon, type IconName } from '../../components/icons.tsx';
import type { Steering } from './use-steering.ts';

interface Props {
  readonly table: TableInfo;
  readonly partitions: readonly IngestionPartition[];
  readonly steering: Steering;
  readonly onSeek: () => void;
}

interface StepProps {
  readonly icon: IconName;
  readonly name: string;
  /** Why there is nothing to do. It keeps the focus that it has: polling may change it at any moment. */
  readonly needless?: string | false;
  readonly onClick: () => void;
}

const Step = ({ icon, name, needless = false, onClick }: StepProps) => (
  <Button
    size="xs"
    variant="default"
    leftSection={<Icon name={icon} />}
    aria-disabled={needless !== false}
    data-disabled={needless !== false || undefined}
    title={needless === false ? undefined : needless}
    onClick={needless === false ? onClick : undefined}
  >
    {name}
  </Button>
);

/** What a table can be told. */
export function SteeringBar({ table, partitions, steering, onSeek }: Props) {
  const states = partitions.map(({ freshness }) => freshness.state);
  const order = (action: 'pause' | 'resume' | 'commit') => () => steering.order({ action, partition: null });
  return (
    <>
      {table.source.kind === 'kafka' && (
        <>
          <Step
            icon="pause"
            name="Pause"
            needless={
              states.length > 0 && states.every(state => state === 'paused') && 'every partition is paused already'
            }
            onClick={order('pause')}
          />
          <Step
            icon="run"
            name="Resume"
            needless={!states.some(state => state === 'paused' || state === 'failed') && 'no partition is paused'}
            onClick={order('resume')}
          />
        </>
      )}
      <Step icon="commit" name="Commit" onClick={order('commit')} />
      {table.source.kind === 'kafka' && <Step icon="seek" name="Seek…" onClick={onSeek} />}
    </>
  );
}
