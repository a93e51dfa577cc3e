import type { ColumnDefinition } from '../../../src/catalog/table.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';
import { decodeRows } from '../../../src/format/decode.ts';
import type { RowFormat } from '../../../src/format/target.ts';

/** `{amount: LONG}`; a name that ends in `!` is NOT NULL. */
export const target = (types: Readonly<Record<string, Type>>, defaults: Readonly<Record<string, Value>> = {}) => ({
  columns: Object.entries(types).map(
    ([key, type], index): ColumnDefinition => ({
      id: index + 1,
      name: key.replace('!', ''),
      type,
      nullable: !key.endsWith('!'),
      defaultValue: defaults[key.replace('!', '')] ?? null,
    }),
  ),
});

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Accepted rows as values, and rejects as `line column: reason`. */
export function decode(format: RowFormat, text: string | Uint8Array, table: ReturnType<typeof target>) {
  const decoded = decodeRows(format, typeof text === 'string' ? bytesOf(text) : text, table);
  return {
    rows: rowsOf(decoded.batch),
    rejects: decoded.rejects.map(({ line, column, reason }) => `${line} ${column}: ${reason}`),
    decoded,
  };
}
