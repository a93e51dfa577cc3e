/** What a query is told of a segment that it needs and cannot have. */
import { type FaultError, fault } from '../base/fault.ts';
import { formatTimestampIso } from '../column/text.ts';
import { loadPartition, type SegmentEntry, type TableDefinition } from './table.ts';

type Segment = Pick<
  SegmentEntry,
  'id' | 'partition' | 'startOffset' | 'endOffset' | 'rowCount' | 'minTimeMs' | 'maxTimeMs'
>;

/** Names the rows that are missing, and the ways out. @param cause Which file and place. */
export function damagedSegment({ name, source }: TableDefinition, segment: Segment, cause: string): FaultError {
  const { id, partition, startOffset, endOffset, rowCount, minTimeMs, maxTimeMs } = segment;
  const times =
    minTimeMs === null || maxTimeMs === null
      ? ''
      : `, of ${formatTimestampIso(minTimeMs)} to ${formatTimestampIso(maxTimeMs)}`;
  const origin =
    partition === loadPartition ? 'of a load' : `offsets ${startOffset} to ${endOffset} of partition ${partition}`;
  const again =
    source.kind === 'kafka' && partition !== loadPartition
      ? `; or, where the topic still has them, read the rows again: SEEK INGESTION ${name} PARTITION ${partition} TO OFFSET ${startOffset}`
      : '';
  return fault(
    'CORRUPT_SEGMENT',
    `segment ${id} of table ${name} is damaged: ${cause}. It has ${rowCount} rows${times}, ${origin}`,
    {
      hint:
        'restore the file from a copy of the data folder, which is noticed by itself' +
        `${again}; or ask for a partial answer; or give the rows up: DELETE /v1/tables/${name}/segments/${id}`,
      details: { segment: id, table: name, partition, startOffset, endOffset, rowCount },
    },
  );
}
