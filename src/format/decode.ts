import { unreachable } from '../base/assert.ts';
import { decodeArrow } from './arrow.ts';
import { decodeCsv } from './csv.ts';
import { decodeJsonArray, decodeNdjson } from './json.ts';
import type { Decoded, DecodeTarget, RowFormat } from './target.ts';

/**
 * Rows of `bytes` as a batch whose column i is `target.columns[i]`; about a microsecond a row.
 *
 * Never throws for what text says: a row that does not fit is in `rejects`, and the others stand. A key matches the
 * column of that very name, else the only one that has it without regard to case; unknown keys are counted and ignored;
 * of a key given twice the last value counts (each must fit); a missing key takes the column's default. Scalars are read as PostgreSQL
 * reads their text: `"12"` fits LONG, `1` fits STRING, `"2024-01-02 03:04:05"` fits TIMESTAMP (a number: milliseconds).
 * Of Arrow a value fits where its text would.
 * @throws FaultError INVALID_ROWS for bytes that are no Arrow stream
 */
export function decodeRows(format: RowFormat, bytes: Uint8Array, target: DecodeTarget): Decoded {
  switch (format) {
    case 'ndjson':
      return decodeNdjson(bytes, target);
    case 'json':
      return decodeJsonArray(bytes, target);
    case 'csv':
      return decodeCsv(bytes, target);
    case 'arrow':
      return decodeArrow(bytes, target);
    default:
      return unreachable(format);
  }
}
