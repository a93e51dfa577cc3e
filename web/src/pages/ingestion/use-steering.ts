import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client, type SeekTarget, toWeirError } from '../../api/client.ts';
import { formatCount, plural } from '../../components/format.ts';

/** What the operator wants; `partition` null: of the whole table. */
export type Order =
  | { readonly action: 'pause' | 'resume' | 'commit'; readonly partition: number | null }
  | { readonly action: 'seek'; readonly partition: number | null; readonly to: SeekTarget };

/** Partitions whose new place is told one by one. */
const placesToldMax = 4;

const whose = (partition: number | null): string => (partition === null ? 'All partitions' : `Partition ${partition}`);

/** @returns What was done. @throws WeirError */
async function carryOut(table: string, order: Order): Promise<string> {
  const partition = order.partition ?? undefined;
  switch (order.action) {
    case 'pause':
      await client.pause(table, partition);
      return `${whose(order.partition)} paused`;
    case 'resume':
      await client.resume(table, partition);
      return `${whose(order.partition)} resumed`;
    case 'commit': {
      const { segments } = await client.commit(table, partition);
      return segments === 0 ? 'Nothing to commit' : `${plural(segments, 'segment')} committed`;
    }
    case 'seek': {
      const { partitions } = await client.seek(table, order.to, partition);
      const places = partitions.map(place => `partition ${place.partition} at ${formatCount(place.offset)}`);
      return places.length > placesToldMax ? `${places.length} partitions moved` : `Moved: ${places.join(', ')}`;
    }
  }
}

/** One order at a time; what the page knows of ingestion is asked for again after it. */
export function useSteering(table: string) {
  const queries = useQueryClient();
  const { mutate, reset, isPending, data, error } = useMutation({
    mutationFn: (order: Order) => carryOut(table, order),
    onSettled: () =>
      Promise.all(['ingestion', 'tables', 'segments'].map(key => queries.invalidateQueries({ queryKey: [key] }))),
  });
  return {
    isPending,
    /** What the last order did. */
    done: data ?? null,
    failure: error === null ? null : toWeirError(error),
    forget: reset,
    order(order: Order, onDone: () => void = () => {}): void {
      if (!isPending) mutate(order, { onSuccess: onDone });
    },
  };
}

export type Steering = ReturnType<typeof useSteering>;
