import { Button, Group, Modal, NumberInput, Radio, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { SeekTarget } from '../../api/client.ts';
import { FaultNotice } from '../../components/fault-notice.tsx';
import styles from './seek-dialog.module.css';
import type { Steering } from './use-steering.ts';

type Kind = 'beginning' | 'end' | 'offset' | 'time';

interface Props {
  readonly name: string;
  readonly partitions: readonly number[];
  /** Chosen at first; null: all. */
  readonly partition: number | null;
  readonly steering: Steering;
  readonly onClose: () => void;
}

const all = 'all';

function targetOf(kind: Kind, offset: string | number, time: string): SeekTarget | null {
  switch (kind) {
    case 'offset':
      return typeof offset === 'number' ? { offset } : null;
    case 'time':
      return time.trim() === '' ? null : { time: time.trim() };
    default:
      return kind;
  }
}

/** Asks where reading is to go on, and warns of what that costs. */
export function SeekDialog({ name, partitions, partition, steering, onClose }: Props) {
  const only = partitions.length === 1 ? partitions[0]! : null;
  const [chosen, setChosen] = useState(partition ?? only);
  const [kind, setKind] = useState<Kind>('beginning');
  const [offset, setOffset] = useState<string | number>('');
  const [time, setTime] = useState('');
  const target = kind === 'offset' && chosen === null ? null : targetOf(kind, offset, time);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (target !== null) steering.order({ action: 'seek', partition: chosen, to: target }, onClose);
  };

  return (
    <Modal opened onClose={onClose} title={`Seek ${name}`} size={480} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Select
            label="Partition"
            allowDeselect={false}
            data={[
              { value: all, label: 'All partitions' },
              ...partitions.map(number => ({ value: String(number), label: `Partition ${number}` })),
            ]}
            value={chosen === null ? all : String(chosen)}
            onChange={value => setChosen(value === all ? null : Number(value))}
          />
          <Radio.Group label="Go on reading at" value={kind} onChange={value => setKind(value as Kind)}>
            <Stack gap={6} mt={4}>
              <Radio value="beginning" label="Beginning of the topic" />
              <Radio value="end" label="End of the topic" />
              <Radio
                value="offset"
                label={chosen === null ? 'Offset (choose one partition)' : 'Offset'}
                disabled={chosen === null}
              />
              <Radio value="time" label="Time" />
            </Stack>
          </Radio.Group>
          {kind === 'offset' && (
            <NumberInput
              label="Offset"
              value={offset}
              onChange={setOffset}
              min={0}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=","
              hideControls
            />
          )}
          {kind === 'time' && (
            <TextInput
              label="Time"
              description="ISO 8601; the first message at or after it, by the time that Kafka has for it"
              placeholder="2026-03-01T00:00:00Z"
              value={time}
              onChange={event => setTime(event.currentTarget.value)}
            />
          )}
          <p className={styles.warning}>
            <strong>Rows are dropped.</strong> Going back, all rows from there on are dropped and read again, beginning
            at the segment that holds the offset; what the topic no longer has is not read again. Going forward, the
            messages between are never read.
          </p>
          {steering.failure && <FaultNotice fault={steering.failure} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" disabled={target === null} loading={steering.isPending}>
              Seek
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
