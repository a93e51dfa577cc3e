/** A record's fields as columns, those of records within it too where they are flattened. */
import type { AvroCursor } from '../../avro-cursor.ts';
import { branchOf, RecordReader, UnionReader } from '../../avro-parts.ts';
import { type AvroReader, NullReader } from '../../avro-readers.ts';
import type { JsonText } from '../../json-text.ts';
import type { Field, RowSink } from '../../row-sink.ts';
import type { NestedReading } from '../types.ts';

export interface AvroPart {
  readonly path: readonly string[];
  readonly reader: AvroReader;
  /** Of a record that is flattened, or of a union of one and null: its fields. */
  readonly parts: readonly AvroPart[] | null;
}

export function partsOf(record: RecordReader, nested: NestedReading): readonly AvroPart[] {
  const within = (of: RecordReader, above: readonly string[], around: readonly RecordReader[]): readonly AvroPart[] =>
    of.fields.map(({ name, reader }) => {
      const path = [...above, name];
      const inner = nested === 'flatten' ? recordIn(reader) : null;
      // A record inside itself would have no end.
      const parts = inner === null || around.includes(inner) ? null : within(inner, path, [...around, inner]);
      return { path, reader, parts };
    });
  return within(record, [], [record]);
}

export const leavesOf = (parts: readonly AvroPart[]): readonly AvroPart[] =>
  parts.flatMap(part => (part.parts === null ? [part] : leavesOf(part.parts)));

function recordIn(reader: AvroReader): RecordReader | null {
  if (reader instanceof RecordReader) return reader;
  if (!(reader instanceof UnionReader)) return null;
  const present = reader.branches.filter(branch => !(branch instanceof NullReader));
  return present.length === 1 && present[0] instanceof RecordReader ? present[0] : null;
}

interface Step {
  readonly reader: AvroReader;
  readonly field: Field | null;
  readonly exactName: boolean;
  readonly steps: readonly Step[] | null;
}

/** Reads records into the rows of one batch. */
export class RecordSteps {
  readonly #steps: readonly Step[];
  readonly #rows: RowSink;
  readonly #text: JsonText;

  constructor(parts: readonly AvroPart[], rows: RowSink, text: JsonText) {
    this.#rows = rows;
    this.#text = text;
    const stepsOf = (of: readonly AvroPart[]): readonly Step[] =>
      of.map(({ path, reader, parts: inner }) => {
        const field = rows.fields[rows.names.findWithin(path)] ?? null;
        const exactName = field?.column.name === path[0];
        return { reader, field, exactName, steps: inner === null ? null : stepsOf(inner) };
      });
    this.#steps = stepsOf(parts);
  }

  /** One record, into the row begun. @throws Malformed */
  read(cursor: AvroCursor): void {
    this.#read(cursor, this.#steps);
  }

  #read(cursor: AvroCursor, steps: readonly Step[]): void {
    const rows = this.#rows;
    for (const { reader, field, exactName, steps: inner } of steps)
      if (inner !== null) {
        const branch = reader instanceof UnionReader ? branchOf(cursor, reader.branches) : reader;
        if (branch instanceof RecordReader) this.#read(cursor, inner);
      } else if (field !== null && rows.claim(field, exactName)) reader.read(cursor, rows, field, this.#text);
      else {
        reader.skip(cursor);
        if (field === null) rows.ignoredValues++;
      }
  }
}
