/** Decoded messages → rows of the table, by the table's SQL: what `exec/transform` does, in terms of messages. */
import type { Clock } from '../base/seams.ts';
import { columnOf } from '../column/builder.ts';
import type { Batch, Column } from '../column/column.ts';
import { valueAt } from '../column/value.ts';
import { createTransform, type Transformed } from '../exec/transform.ts';
import { excerptOf } from '../format/excerpt.ts';
import type { DecodedMessages, MessageReject } from '../format/messages.ts';
import { messageColumns, type TransformPlan } from '../plan/transform.ts';
import type { MessageBatch } from '../stream/kafka/types.ts';
import { messageColumn, rowNumbers } from './message-columns.ts';

export interface TransformedMessages {
  readonly batch: Batch;
  /** By row, ascending: the message that it came of; of a rolled-up one the first of them. */
  readonly messageOf: Uint32Array;
  /** By row before rollup, ascending: its message. */
  readonly takenOf: Uint32Array;
  /** By message, ascending; none of them gave a row. */
  readonly rejects: readonly MessageReject[];
}

export interface Transformer {
  /** Table columns that it gives. */
  readonly columnIds: readonly number[];
  run(decoded: DecodedMessages, messages: MessageBatch): TransformedMessages;
}

export function createTransformer(plan: TransformPlan, components: { readonly clock: Clock }): Transformer {
  const transform = createTransform(plan, components);

  /** The decoded rows as the plan reads them, `rows` of them where some are left out. */
  function inputOf({ batch, messageOf }: DecodedMessages, messages: MessageBatch): Batch {
    const columns = plan.message.map(({ name }, index): Column => {
      if (name === messageColumns.row) return rowNumbers(batch.rowCount);
      return batch.columns[index] ?? messageColumn(name, messages, messageOf);
    });
    return { rowCount: batch.rowCount, columns };
  }

  return {
    columnIds: plan.columns.map(({ id }) => id),
    run(decoded, messages) {
      const { messageOf } = decoded;
      const result = transform.run(inputOf(decoded, messages));
      const rejects = rejectsOf(result, messageOf, messages);
      const isWhole =
        rejects.length === 0 || messageOf.every((message, row) => row === 0 || message !== messageOf[row - 1]);
      if (isWhole) return { ...messagesOf(result, messageOf), rejects };
      // A message gives all of its rows or none: those beside a row at fault go with it.
      const bad = new Set(rejects.map(({ message }) => message));
      const good = withoutMessages(decoded, bad);
      return { ...messagesOf(transform.run(inputOf(good, messages)), good.messageOf), rejects };
    },
  };
}

const messagesOf = ({ batch, rowOf, takenOf }: Transformed, messageOf: Uint32Array) => ({
  batch,
  messageOf: rowOf.map(row => messageOf[row]!),
  takenOf: takenOf.map(row => messageOf[row]!),
});

/** Value by value: for the few batches that have a bad message. */
const gatherRows = (column: Column, rows: Uint32Array): Column =>
  columnOf(
    column.type,
    Array.from(rows, row => valueAt(column, row)),
  );

function withoutMessages({ batch, messageOf, ...rest }: DecodedMessages, bad: ReadonlySet<number>): DecodedMessages {
  const rows = Uint32Array.from(messageOf.keys()).filter(row => !bad.has(messageOf[row]!));
  return {
    ...rest,
    batch: { rowCount: rows.length, columns: batch.columns.map(column => gatherRows(column, rows)) },
    messageOf: rows.map(row => messageOf[row]!),
  };
}

/** A row at fault is its message at fault; the first reason of a message counts. */
function rejectsOf({ rejects }: Transformed, messageOf: Uint32Array, messages: MessageBatch): MessageReject[] {
  const byMessage = new Map<number, MessageReject>();
  for (const { row, reason, column } of rejects) {
    const message = messageOf[row]!;
    if (byMessage.has(message)) continue;
    const text = excerptOf(messages.bytes, messages.valueStarts[message]!, messages.valueEnds[message]!);
    byMessage.set(message, { message, column, reason, text });
  }
  return [...byMessage.values()];
}
