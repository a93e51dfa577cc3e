/** What is asked of the task role: a low-priority thread, started when there is something to do. */
import type { LoadEntry, LoadInput } from '../catalog/load.ts';
import type { Replacement, SegmentEntry, TableDefinition } from '../catalog/table.ts';
import type { InferredFiles, LoadCounts } from './load-calls.ts';

/**
 * Long work over segments' bytes. Nothing is published here: the controller, who asks, makes it the truth. A call's signal
 * ends its work; files already written are then orphans.
 */
export type TaskCalls = {
  /** Neighbours, in order, to one segment of that id; rows that replacements hide are left out. */
  merge: {
    in: {
      definition: TableDefinition;
      segments: readonly SegmentEntry[];
      replacements: readonly Replacement[];
      segmentId: string;
    };
    out: { segment: SegmentEntry };
  };
  /**
   * Reads the load's files from where it stopped, and stages segments of their rows. Resolves when all are staged.
   * @throws FaultError INVALID_ROWS, LIMIT_EXCEEDED, CONSTRAINT (a file has changed), … of files that cannot be read on
   */
  load: { in: { definition: TableDefinition; load: LoadEntry }; out: LoadCounts };
  /** What a sample of the files holds, and how they are to be read. `options`: `FileOptions` of `format/file`. */
  inferFiles: {
    in: { inputs: readonly LoadInput[]; options: Readonly<Record<string, unknown>> };
    out: InferredFiles;
  };
  /**
   * Writes what is missing of the definition's indexes, and a later generation's manifest, without those that the
   * definition does not have. `obsolete`: files of the segment's folder that that generation does not name.
   */
  index: {
    in: { definition: TableDefinition; segment: SegmentEntry };
    out: { segment: SegmentEntry; obsolete: readonly string[] };
  };
  /** Reads all of its files; `problems` is empty where every byte of its manifest and columns is as it was written. */
  verify: { in: { segment: SegmentEntry }; out: { problems: readonly string[] } };
};
