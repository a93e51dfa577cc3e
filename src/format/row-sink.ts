/** All sinks of a table, a row at a time: what is missing, what may not be NULL, why a row cannot stand. */
import { isUtf8 } from 'node:buffer';
import type { ColumnDefinition } from '../catalog/table.ts';
import type { Batch } from '../column/column.ts';
import { FieldNames } from './field-names.ts';
import { rowSizeBytesMax } from './limits.ts';
import type { Reason, Sink } from './sink.ts';
import { createSink } from './sinks.ts';
import type { DecodeTarget, FieldReading } from './target.ts';

/** A column of the target and where its values go. */
export interface Field {
  readonly column: ColumnDefinition;
  readonly sink: Sink;
  /** null: found by its name, and written as any. */
  readonly reading: FieldReading | null;
  /** `RowSink.attempt` of the last row that gave a value. */
  attempt: number;
}

export const notNull = 'is NULL, but the column is NOT NULL';

export class RowSink {
  readonly fields: readonly Field[];
  /** Counts the rows begun, rejected ones too: tells a second value of one row from the first of the next. */
  attempt = 0;
  /** Rows that stand; the index of the row being read. */
  row = 0;
  ignoredValues = 0;
  /** Why the row being read cannot stand, and the column at fault; the first reason counts. */
  reason: Reason = null;
  column: string | null = null;
  #fieldsSeen = 0;
  #capacity: number;
  readonly bytes: Uint8Array;
  readonly #isUtf8: boolean;
  readonly names: FieldNames;

  /** @param isUtf8 All of `bytes` is, or whoever reads them sees to it; else each row is checked. */
  constructor(target: DecodeTarget, bytes: Uint8Array, capacity: number, isUtf8: boolean) {
    this.bytes = bytes;
    this.#capacity = capacity;
    this.#isUtf8 = isUtf8;
    this.names = new FieldNames(target);
    this.fields = target.columns.map((column, index) => {
      const reading = this.names.readings[index]!;
      return { column, sink: createSink(column.type, capacity, reading?.times ?? null), reading, attempt: 0 };
    });
  }

  /** The column of that very name, else the only one that has it without regard to case. */
  find(name: string): Field | null {
    return this.fields[this.names.find(name)] ?? null;
  }

  begin(): void {
    this.attempt++;
    this.reason = null;
    this.column = null;
    this.#fieldsSeen = 0;
    if (this.row === this.#capacity) {
      this.#capacity *= 2;
      for (const field of this.fields) field.sink.reserve(this.#capacity);
    }
  }

  /** Before a value of `field`. False: leave it, the row has a better one. */
  claim(field: Field, exactName: boolean): boolean {
    if (field.attempt !== this.attempt) {
      field.attempt = this.attempt;
      this.#fieldsSeen++;
      return true;
    }
    if (!exactName) return false;
    field.sink.rewind(this.row);
    return true;
  }

  null(field: Field): void {
    if (field.column.nullable) field.sink.null(this.row);
    else this.fail(field, notNull);
  }

  /** Keeps the first reason of a row. `field` null: the row as a whole. */
  fail(field: Field | null, reason: string): void {
    if (this.reason !== null) return;
    this.reason = reason;
    this.column = field === null ? null : field.column.name;
  }

  /** Ends the row bytes[from..to); false where it cannot stand (see `reason`), and is to be taken back. */
  settle(from: number, to: number): boolean {
    if (this.#fieldsSeen < this.fields.length && this.reason === null) this.#fillMissing();
    if (to - from > rowSizeBytesMax)
      this.fail(null, `the row has ${to - from} bytes, more than the limit of ${rowSizeBytesMax}`);
    if (!this.#isUtf8 && this.reason === null && !isUtf8(this.bytes.subarray(from, to)))
      this.fail(null, 'the row is not valid UTF-8');
    if (this.reason !== null) return false;
    this.row++;
    return true;
  }

  #fillMissing(): void {
    for (const field of this.fields) {
      if (field.attempt === this.attempt) continue;
      const { defaultValue, nullable } = field.column;
      if (defaultValue === null && !nullable)
        this.fail(field, 'is missing, and the column is NOT NULL without a default');
      else field.sink.value(defaultValue, this.row);
    }
  }

  /** Takes back the row being read and all from `row` on. */
  rewind(row: number): void {
    this.row = row;
    for (const field of this.fields) field.sink.rewind(row);
  }

  /** As if the row being read had not begun; nothing is read into these rows after it. */
  takeBack(): void {
    this.rewind(this.row);
    this.attempt--;
  }

  /** The rows that stand. Shares memory with the sinks, which must not be used again. */
  build(): Batch {
    return { rowCount: this.row, columns: this.fields.map(field => field.sink.build(this.row)) };
  }
}
