/** What went wrong with the partitions of a table, or healed: each thing once, with the partitions that it befell. */
import type { IngestionPartition } from '../../api/client.ts';
import type { Level } from './summary.ts';

export interface Incident {
  readonly level: Level;
  readonly title: string;
  /** Ascending. */
  readonly partitions: readonly number[];
  readonly text: string;
  readonly code: string | null;
  readonly hint: string | null;
}

type Single = Omit<Incident, 'partitions'>;

function* incidentsOfOne({ freshness, lastFault, notice, auditMismatches }: IngestionPartition): Generator<Single> {
  const failed = freshness.state === 'failed';
  const cause = failed ? (freshness.cause ?? lastFault?.message ?? 'no cause given') : null;
  const isCause = lastFault !== null && lastFault.message === cause;
  const fault = { code: lastFault?.code ?? null, hint: lastFault?.hint ?? null };
  if (cause !== null)
    yield { level: 'bad', title: 'Failed', text: cause, ...(isCause ? fault : { code: null, hint: null }) };
  if (auditMismatches > 0)
    yield {
      ...{ level: 'bad', title: 'Offsets do not add up', code: null },
      text: `${auditMismatches} spans of offsets had other counts of rows than of messages`,
      hint: 'rows may be missing or doubled: report this with the server’s log',
    };
  if (lastFault !== null && !isCause) yield { level: 'warn', title: 'Last fault', text: lastFault.message, ...fault };
  if (notice !== null) yield { level: 'quiet', title: 'Healed', text: notice, code: null, hint: null };
}

const severity: readonly Level[] = ['bad', 'warn', 'quiet', 'good'];

/** The worst first; partitions with the same trouble share one entry. @param partitions Ascending. */
export function incidentsOf(partitions: readonly IngestionPartition[]): Incident[] {
  const groups = new Map<string, Single & { readonly partitions: number[] }>();
  for (const partition of partitions)
    for (const single of incidentsOfOne(partition)) {
      const key = JSON.stringify([single.title, single.text, single.code]);
      const group = groups.get(key);
      if (group) group.partitions.push(partition.partition);
      else groups.set(key, { ...single, partitions: [partition.partition] });
    }
  return [...groups.values()].sort((a, b) => severity.indexOf(a.level) - severity.indexOf(b.level));
}
