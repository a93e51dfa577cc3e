import type { IngestComponents } from '../../src/ingest/components.ts';

const none = async (): Promise<never> => {
  throw new Error('this world has no streams');
};

/** For ingestion of pushes alone. */
export const noStreams: Pick<IngestComponents, 'openKafka' | 'openSchemas'> = { openKafka: none, openSchemas: none };
