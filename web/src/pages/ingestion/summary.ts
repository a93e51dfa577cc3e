/** Partitions of a table in one line, and how the page speaks of them. */
import type { IngestionPartition, KafkaSource, PartitionFreshness, TableInfo } from '../../api/client.ts';

export type State = PartitionFreshness['state'];
export type Level = 'good' | 'warn' | 'bad' | 'quiet';

/** Stands for the topic itself, where something is wrong before any partition is known. */
const topicPartition = -1;

export const isTopic = ({ partition }: Pick<IngestionPartition, 'partition'>): boolean => partition === topicPartition;

export const levels: Readonly<Record<State, Level>> = {
  failed: 'bad',
  paused: 'warn',
  consuming: 'good',
  idle: 'quiet',
};

const worstFirst: readonly State[] = ['failed', 'paused', 'consuming', 'idle'];

export interface TableSummary {
  readonly level: Level;
  /** The worst state, and of how many partitions where not of all. */
  readonly stateText: string;
  readonly lagMessages: number;
  readonly lagMs: number;
  readonly rowsRejected: number;
}

export const lagMessagesOf = ({ freshness }: IngestionPartition): number =>
  Math.max(0, freshness.endOffset - freshness.ingestedOffset);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function summaryOf(partitions: readonly IngestionPartition[]): TableSummary {
  const states = partitions.map(({ freshness }) => freshness.state);
  const worst = worstFirst.find(state => states.includes(state));
  const count = states.filter(state => state === worst).length;
  return {
    level: worst ? levels[worst] : 'quiet',
    stateText:
      worst === undefined ? 'starting' : count === states.length ? worst : `${worst} (${count} of ${states.length})`,
    lagMessages: sum(partitions.map(lagMessagesOf)),
    lagMs: Math.max(0, ...partitions.map(({ freshness }) => freshness.lagMs)),
    rowsRejected: sum(partitions.map(({ rowsRejected }) => rowsRejected)),
  };
}

/** By table id; a table without any has no entry. */
export function byTable(partitions: readonly IngestionPartition[]): ReadonlyMap<string, IngestionPartition[]> {
  const groups = new Map<string, IngestionPartition[]>();
  for (const partition of partitions) {
    const group = groups.get(partition.tableId);
    if (group) group.push(partition);
    else groups.set(partition.tableId, [partition]);
  }
  for (const group of groups.values()) group.sort((a, b) => a.partition - b.partition);
  return groups;
}

export const sourceText = ({ source }: TableInfo): string =>
  source.kind === 'log' ? 'embedded log' : `Kafka ${source.topic} · ${source.format}`;

const startText = (startFrom: KafkaSource['startFrom']): string =>
  typeof startFrom === 'number' ? new Date(startFrom).toISOString() : startFrom;

/** Where a table's rows come from, in full. */
export function sourceFacts({ source }: TableInfo): [name: string, value: string][] {
  if (source.kind === 'log') return [['Source', 'embedded log: rows are pushed']];
  const { topic, brokers, format, tls, sasl, isolation, startFrom, schemaRegistry, deadLetterTopic } = source;
  const security = [...(tls ? ['TLS'] : []), ...(sasl ? [`SASL ${sasl.mechanism} as ${sasl.username}`] : [])];
  return [
    ['Topic', topic],
    ['Brokers', brokers.join(', ')],
    ['Format', format],
    ['Reads', isolation.replace('read_', '')],
    ['Begins', startText(startFrom)],
    ...(security.length > 0 ? [['Security', security.join(', ')] as [string, string]] : []),
    ...(schemaRegistry ? [['Schema registry', schemaRegistry.url] as [string, string]] : []),
    ...(deadLetterTopic === null ? [] : [['Dead letters', deadLetterTopic] as [string, string]]),
  ];
}

/** `0–2, 5`; `topic`. @param partitions Ascending. */
export function partitionsText(partitions: readonly number[]): string {
  const spans: [first: number, last: number][] = [];
  for (const partition of partitions) {
    const span = spans.at(-1);
    if (span && span[1] + 1 === partition && span[0] !== topicPartition) span[1] = partition;
    else spans.push([partition, partition]);
  }
  return spans
    .map(([first, last]) => (first === topicPartition ? 'topic' : first === last ? `${first}` : `${first}–${last}`))
    .join(', ');
}
