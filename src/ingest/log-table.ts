/** A table of the embedded log: a push is decoded once, made durable, made visible, and only then acknowledged. */
import { crc32c } from '../base/checksum.ts';
import { type FaultError, fault } from '../base/fault.ts';
import { partitionShard } from '../catalog/placement.ts';
import type { TableDefinition } from '../catalog/table.ts';
import { encodeBatch } from '../column/frame.ts';
import { decodeRows } from '../format/decode.ts';
import type { Decoded } from '../format/target.ts';
import { checkKey } from '../stream/keys.ts';
import { RejectLog } from '../stream/rejects.ts';
import type { PartitionEntry } from '../wire/controller-calls.ts';
import type { IngestCalls, IngestState, PushAnswer } from '../wire/ingest-calls.ts';
import type { TableComponents } from './components.ts';
import { maxEventTimeMs } from './event-time.ts';
import { recordOfInsert } from './insert.ts';
import { LogPartition } from './log-partition.ts';
import { largestOf, type PartitionRows } from './rows.ts';
import { type IngestSettings, rejectsAnsweredMax } from './settings.ts';
import type { IngestTable } from './table.ts';

type Push = IngestCalls['push']['in'];

export class LogTable implements IngestTable {
  /** Of pushes from now on. */
  definition: TableDefinition;
  readonly rejects: RejectLog;
  readonly #settings: IngestSettings;
  readonly #components: TableComponents;
  readonly #partitions: LogPartition[] = [];
  /** Pushes under way by key: one that comes again meanwhile waits for the first. */
  readonly #pushes = new Map<string, Promise<PushAnswer>>();
  #nextPartition = 0;

  constructor(definition: TableDefinition, settings: IngestSettings, components: TableComponents) {
    this.definition = definition;
    this.rejects = new RejectLog(`${settings.logFolder}/${definition.id}`, components);
    this.#settings = settings;
    this.#components = components;
  }

  get largest(): PartitionRows | null {
    return largestOf(this.#partitions.map(({ rows }) => rows));
  }

  get states(): readonly IngestState[] {
    return this.#partitions.map(partition => partition.state);
  }

  async follow(definition: TableDefinition, entries: readonly PartitionEntry[]): Promise<void> {
    const { shards } = this.#components;
    const opened: Promise<void>[] = [];
    if (definition.version > this.definition.version) {
      this.definition = definition;
      opened.push(...this.#partitions.map(partition => partition.redefine(definition)));
    }
    for (const { tableId, partition: number } of entries) {
      if (this.#partitions.some(({ partition }) => partition === number)) continue;
      // Any pure function will do, as long as a partition has one owner.
      const shard = partitionShard(tableId, number, shards.length);
      const partition = new LogPartition(this.definition, number, shard, this.#settings, this.#components);
      this.#partitions.push(partition);
      opened.push(partition.start());
    }
    await Promise.all(opened);
  }

  /** @param admit Runs the work, or refuses it where too much waits already. */
  async push(input: Push, admit: <T>(work: () => Promise<T>) => Promise<T>): Promise<PushAnswer> {
    const { idempotencyKey: key } = input;
    if (key === null) return admit(() => this.#push(input));
    checkKey(key);
    for (;;) {
      const first = this.#pushes.get(key);
      if (!first) break;
      const answer = await first.catch(() => null);
      // Where the first failed, this one is it.
      if (answer) return { ...answer, rejects: [], duplicate: true };
    }
    const pushing = admit(() => this.#push(input));
    this.#pushes.set(key, pushing);
    try {
      return await pushing;
    } finally {
      this.#pushes.delete(key);
    }
  }

  async #push({ format, body, strict, idempotencyKey }: Push): Promise<PushAnswer> {
    const { definition } = this;
    const partition = this.#choose(idempotencyKey);
    const known = idempotencyKey === null ? null : partition.findKey(idempotencyKey);
    if (known) return { accepted: known.accepted, rejected: known.rejected, rejects: [], duplicate: true };
    const decoded = decodeRows(format, body, definition);
    if (strict && decoded.rejected > 0) throw invalidRows(decoded);
    const { accepted, rejected, batch } = decoded;
    const columnIds = definition.columns.map(column => column.id);
    // A push of no rows is remembered for its key only.
    if (accepted > 0 || idempotencyKey !== null)
      await partition.append({
        rowCount: accepted,
        rejectedCount: rejected,
        idempotencyKey,
        tableVersion: definition.version,
        maxTimeMs: maxEventTimeMs(definition, columnIds, batch),
        columnIds,
        frame: encodeBatch(batch),
      });
    else partition.countRejected(rejected);
    this.rejects.add(decoded.rejects.map(reject => ({ ...reject, partition: null, offset: null, idempotencyKey })));
    return { accepted, rejected, rejects: answerRejects(decoded), duplicate: false };
  }

  /** Rows that come as columns. @throws FaultError as `recordOfInsert` */
  async insert(columnIds: readonly number[], frame: Uint8Array): Promise<number> {
    const record = recordOfInsert(this.definition, columnIds, frame);
    if (record.rowCount > 0) await this.#choose(null).append(record);
    return record.rowCount;
  }

  /** A key's pushes go to one partition, which remembers it; others take turns. */
  #choose(idempotencyKey: string | null): LogPartition {
    const number = idempotencyKey === null ? this.#nextPartition++ : crc32c(Buffer.from(idempotencyKey));
    return this.#partitions[number % this.#partitions.length]!;
  }

  async tick(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.tick()));
  }

  async commit(number: number | null): Promise<number> {
    const chosen = this.#partitions.filter(({ partition }) => number === null || partition === number);
    const counts = await Promise.all(chosen.map(partition => partition.commit()));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#partitions.map(partition => partition.stop()));
    await this.rejects.close();
  }

  async drop(): Promise<void> {
    const { disk } = this.#components;
    const { logFolder } = this.#settings;
    await Promise.all(this.#partitions.map(partition => partition.drop()));
    await this.rejects.close();
    await disk.remove(`${logFolder}/${this.definition.id}`);
    await disk.syncFolder(logFolder);
  }
}

const answerRejects = ({ rejects }: Decoded): PushAnswer['rejects'] =>
  rejects.slice(0, rejectsAnsweredMax).map(({ line, column, reason }) => ({ line, column, reason }));

function invalidRows(decoded: Decoded): FaultError {
  const rejects = answerRejects(decoded).map(
    ({ line, column, reason }) => `line ${line}${column === null ? '' : `, column ${column}`}: ${reason}`,
  );
  const { rejected, accepted } = decoded;
  return fault(
    'INVALID_ROWS',
    `${rejected} of ${rejected + accepted} rows do not fit; nothing was added. ${rejects[0]}`,
    {
      hint: 'correct them, or send without strict=true to add the others',
      details: { rejected, rejects },
    },
  );
}
