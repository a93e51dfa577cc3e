/** Messages of a stream → rows of the table: decoded, transformed, checked, and every offset accounted for. Pure but for schemas. */
import { noAccounts } from '../catalog/accounts.ts';
import { hasChangedDefault } from '../catalog/column.ts';
import { type OffsetAccounts, type TableDefinition, virtualColumns } from '../catalog/table.ts';
import type { Batch, Column } from '../column/column.ts';
import { integersOf } from '../column/integers.ts';
import { LONG, type Type } from '../column/type.ts';
import type { MessageDecoder, MessageReject } from '../format/messages.ts';
import { constantColumn } from '../segment/consuming-column.ts';
import type { MessageBatch } from '../stream/kafka/types.ts';
import { maxEventTimeMs } from './event-time.ts';
import type { Transformer } from './transformer.ts';

export interface PipelineRows {
  readonly columnIds: readonly number[];
  /** Column i is table column `columnIds[i]`; the last is `$offset`. */
  readonly batch: Batch;
  readonly accounts: OffsetAccounts;
  readonly maxTimeMs: number | null;
  /** By message, ascending; at most one each. */
  readonly rejects: readonly MessageReject[];
  /** Fields that the table does not have. */
  readonly unknownFields: ReadonlyMap<string, Type>;
}

export interface Pipeline {
  readonly definition: TableDefinition;
  /** @throws FaultError UNAVAILABLE where a schema registry cannot be asked */
  run(messages: MessageBatch): Promise<PipelineRows>;
}

/** @param transformer null: messages have the table's columns. */
export function createPipeline(
  definition: TableDefinition,
  decoder: MessageDecoder,
  transformer: Transformer | null,
): Pipeline {
  const columnIds = transformer?.columnIds ?? definition.columns.map(({ id }) => id);
  const defaulted = definition.columns.filter(column => !columnIds.includes(column.id) && hasChangedDefault(column));
  return {
    definition,
    async run(messages) {
      const decoded = await decoder.decode(messages);
      const transformed = transformer?.run(decoded, messages);
      const { batch, messageOf } = transformed ?? decoded;
      const rejects = transformed ? mergeRejects(decoded.rejects, transformed.rejects) : decoded.rejects;
      const takenOf = transformed?.takenOf ?? messageOf;
      const taken = countDistinct(takenOf);
      return {
        columnIds: [...columnIds, ...defaulted.map(({ id }) => id), virtualColumns.offset],
        batch: {
          rowCount: batch.rowCount,
          columns: [
            ...batch.columns,
            ...defaulted.map(({ type, defaultValue }) => constantColumn(type, defaultValue, batch.rowCount)),
            offsetsOf(messageOf, messages.offsets),
          ],
        },
        accounts: {
          ...noAccounts,
          taken,
          rejected: rejects.length,
          filtered: messages.count - taken - rejects.length,
          control: messages.controlCount,
          aborted: messages.abortedCount,
          gaps: messages.gapCount,
          rowsIn: takenOf.length,
          rowsOut: batch.rowCount,
        },
        maxTimeMs: maxEventTimeMs(definition, columnIds, batch),
        rejects,
        unknownFields: decoded.unknownFields,
      };
    },
  };
}

const mergeRejects = (a: readonly MessageReject[], b: readonly MessageReject[]): readonly MessageReject[] =>
  b.length === 0 ? a : [...a, ...b].sort((one, other) => one.message - other.message);

/** Of ascending numbers. */
function countDistinct(ascending: Uint32Array): number {
  let count = 0;
  for (let index = 0; index < ascending.length; index++)
    if (index === 0 || ascending[index] !== ascending[index - 1]) count++;
  return count;
}

const offsetsOf = (messageOf: Uint32Array, offsets: Float64Array): Column =>
  integersOf(LONG, messageOf.length, row => offsets[messageOf[row]!]!);
