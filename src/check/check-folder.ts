/** All of a data folder that nobody uses, byte by byte. Only reads. */
import { toFault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import { damagedSegment } from '../catalog/damaged.ts';
import type { SegmentEntry, TableDefinition } from '../catalog/table.ts';
import type { MetaState } from '../meta/store.ts';
import { verifyMeta } from '../meta/verify.ts';
import { OpenFiles } from '../segment/files.ts';
import { type SegmentProblem, verifySegment } from '../segment/verify.ts';
import { DiskStore } from '../store/disk-store.ts';
import { closedFileName } from '../stream/closed.ts';
import { keysFileName } from '../stream/keys.ts';
import { verifyLog, verifyRejects } from '../stream/verify.ts';
import { crossCheck } from './cross-check.ts';
import type { CheckOptions, CheckProblem, CheckReport } from './report.ts';

export interface CheckedFolders {
  readonly store: string;
  readonly log: string;
  /** A file. */
  readonly meta: string;
}

export const checkFolder = (paths: CheckedFolders, disk: Disk, options: CheckOptions): Promise<CheckReport> =>
  new FolderCheck(paths, disk, options).run();

interface LogFolder {
  readonly path: string;
  readonly partition: number;
  readonly definition: TableDefinition;
  readonly committedEnd: number;
}

class FolderCheck {
  readonly #paths: CheckedFolders;
  readonly #disk: Disk;
  readonly #options: CheckOptions;
  readonly #problems: CheckProblem[] = [];
  readonly #tornEnds: string[] = [];
  #sizeBytes = 0;
  #logRecords = 0;
  #logRows = 0;

  constructor(paths: CheckedFolders, disk: Disk, options: CheckOptions) {
    this.#paths = paths;
    this.#disk = disk;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    const state = await this.#metadata();
    const definitions = new Map(state?.tables.map(({ definition }) => [definition.id, definition]));
    // Those of loads under way are looked at, too: what is built must not be built again.
    const segments = state ? [...state.segments, ...Object.values(state.staged).flat()] : [];
    const logs = state ? logFoldersOf(state, this.#paths.log) : [];
    const total = segments.length + logs.length + definitions.size;
    let done = 0;
    for (const segment of segments) {
      this.#segment(segment, definitions.get(segment.tableId));
      this.#options.onProgress(++done, total);
    }
    for (const log of logs) {
      await this.#log(log);
      this.#options.onProgress(++done, total);
    }
    for (const { id } of definitions.values()) {
      await this.#rejects(id);
      this.#options.onProgress(++done, total);
    }
    return {
      problems: this.#problems,
      tables: definitions.size,
      segments: segments.length,
      rows: segments.reduce((sum, { rowCount }) => sum + rowCount, 0),
      sizeBytes: this.#sizeBytes,
      logRecords: this.#logRecords,
      logRows: this.#logRows,
      tornEnds: this.#tornEnds,
      orphans: state ? await this.#orphans(new Set(segments.map(({ id }) => id))) : [],
    };
  }

  async #metadata(): Promise<MetaState | null> {
    const file = this.#paths.meta;
    const consequence = 'Weir does not start';
    const action = 'restore meta/ from a copy of the data folder';
    const add = (what: string): void => void this.#problems.push({ file, place: '', what, consequence, action });
    if (!(await this.#disk.exists(file))) {
      const tables = await this.#disk.list(this.#paths.store);
      if (tables.length > 0) add(`is not there, and the deep store has ${tables.length} folders`);
      return null;
    }
    const { problems, content } = await verifyMeta(file);
    for (const problem of problems) add(problem);
    if (!content) return null;
    if (content.state.version === 0 && (await this.#disk.list(this.#paths.store)).length > 0)
      add('is empty, and the deep store is not');
    for (const what of crossCheck(content.state, content.audit))
      this.#problems.push({ file, place: '', what, consequence: 'answers may be wrong', action });
    return content.state;
  }

  #segment(segment: SegmentEntry, definition: TableDefinition | undefined): void {
    const files = new OpenFiles(new DiskStore(this.#disk, this.#paths.store));
    this.#sizeBytes += segment.sizeBytes;
    for (const problem of verifySegment(segment, files, this.#options.deep))
      this.#problems.push(this.#segmentProblem(segment, definition, problem));
  }

  #segmentProblem(
    segment: SegmentEntry,
    definition: TableDefinition | undefined,
    { file: key, place, what, part }: SegmentProblem,
  ): CheckProblem {
    const file = `${this.#paths.store}/${key}`;
    if (part === 'index')
      return {
        ...{ file, place, what, consequence: 'queries scan the column instead' },
        action: 'restore the file from a copy; no row is lost',
      };
    const consequence = `queries of ${definition?.name ?? segment.tableId} that need its ${segment.rowCount} rows fail`;
    const hint = definition && damagedSegment(definition, segment, what).fault.hint;
    return { file, place, what, consequence, action: hint ?? 'restore the file from a copy' };
  }

  async #log({ path, definition, partition, committedEnd }: LogFolder): Promise<void> {
    const found = await verifyLog(this.#disk, path, committedEnd);
    this.#sizeBytes += found.sizeBytes;
    this.#logRecords += found.recordCount;
    this.#logRows += found.rowCount;
    if (found.tornBytes > 0) this.#tornEnds.push(`${path}, ${found.tornBytes} bytes`);
    const consequence = `partition ${partition} of ${definition.name} takes no rows, and queries of it fail`;
    for (const { file, place, what } of found.problems) {
      const name = file.slice(file.lastIndexOf('/') + 1);
      const action = logActions[name] ?? 'restore the file from a copy; its acknowledged rows are nowhere else';
      this.#problems.push({ file, place, what, consequence, action });
    }
  }

  async #rejects(tableId: string): Promise<void> {
    const consequence = 'system.rejects leaves the line out';
    const { problems, tornFiles } = await verifyRejects(this.#disk, `${this.#paths.log}/${tableId}`);
    this.#tornEnds.push(...tornFiles);
    for (const problem of problems)
      this.#problems.push({ ...problem, consequence, action: 'remove the file, or leave it: nothing depends on it' });
  }

  async #orphans(named: ReadonlySet<string>): Promise<string[]> {
    const { store } = this.#paths;
    const orphans: string[] = [];
    for (const table of await this.#disk.list(store))
      for (const segment of await this.#list(`${store}/${table}`))
        if (!named.has(segment)) orphans.push(`${table}/${segment}`);
    return orphans;
  }

  /** Not of a file, which has nothing in it. */
  async #list(path: string): Promise<readonly string[]> {
    try {
      return await this.#disk.list(path);
    } catch (error) {
      if (toFault(error).message.includes('ENOTDIR')) return [];
      throw error;
    }
  }
}

const logActions: Readonly<Record<string, string>> = {
  [keysFileName]:
    'restore the file from a copy; or remove it, after which a push that is sent again may be added twice',
  [closedFileName]: 'remove it: the rows are in the other files',
};

/** Of tables that rows are pushed into. */
const logFoldersOf = ({ tables }: MetaState, root: string): LogFolder[] =>
  tables.flatMap(({ definition, partitions }) =>
    definition.source.kind !== 'log'
      ? []
      : partitions.map(({ committedEnd }, partition) => ({
          ...{ path: `${root}/${definition.id}/${partition}`, partition, definition, committedEnd },
        })),
  );
