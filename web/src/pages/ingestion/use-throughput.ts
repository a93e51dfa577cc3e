import { useEffect, useState } from 'react';
import type { IngestionPartition } from '../../api/client.ts';
import { noThroughput, type Throughput, withPoll } from './throughput.ts';

/** Rows per second since the page was opened. @param atMs When the partitions were so. */
export function useThroughput(partitions: readonly IngestionPartition[] | undefined, atMs: number): Throughput {
  const [throughput, setThroughput] = useState(noThroughput);
  useEffect(() => {
    if (partitions) setThroughput(before => withPoll(before, partitions, atMs));
  }, [partitions, atMs]);
  return throughput;
}
