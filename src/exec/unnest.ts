/** UNNEST: a row for each element of a JSON array. */
import type { StringPool, StringVector } from '../column/vector.ts';
import { forEachElement, rootOf } from '../function/json-scan.ts';
import { entryEnd, entryStart, PoolBuilder } from '../function/strings.ts';
import { stringVector } from '../function/vectors.ts';
import type { Node } from '../plan/node.ts';
import { typesOf } from '../plan/shape.ts';
import { addColumnsUsed } from '../plan/visit.ts';
import type { ExecContext } from './context.ts';
import { compileExpr } from './evaluate.ts';
import { type Input, morselRows, subset } from './input.ts';
import type { Sink } from './sink.ts';

/** Elements are passed on a morsel at a time, however many a row has. Linear in the arrays' text. */
export function unnestSink(
  { source, expr }: Extract<Node, { kind: 'unnest' }>,
  context: ExecContext,
  sink: Sink,
): Sink {
  const evaluate = compileExpr(expr, context);
  const element = typesOf(source).length;
  const columnsUsed = sink.columnsUsed && new Set(sink.columnsUsed);
  columnsUsed?.delete(element);
  if (columnsUsed) addColumnsUsed(expr, columnsUsed);

  return {
    columnsUsed,
    push(input) {
      const arrays = evaluate(input) as StringVector;
      let rows = new Uint32Array(morselRows);
      let pool = new PoolBuilder();
      let count = 0;
      const flush = (): boolean => {
        if (count === 0) return true;
        const wantsMore = sink.push(withElement(subset(input, rows, count), element, pool.finish()));
        rows = new Uint32Array(morselRows);
        pool = new PoolBuilder();
        count = 0;
        return wantsMore;
      };
      let wantsMore = true;
      for (let row = 0; row < input.length && wantsMore; row++) {
        if (arrays.nulls?.[row]) continue;
        const { bytes } = arrays.pool;
        const id = arrays.ids[row]!;
        const array = rootOf(bytes, entryStart(arrays.pool, id), entryEnd(arrays.pool, id));
        if (array === null) continue;
        forEachElement(bytes, array, (start, end) => {
          rows[count++] = row;
          pool.addBytes(bytes, start, end);
          if (count === morselRows) wantsMore = flush();
          return wantsMore;
        });
      }
      return wantsMore && flush();
    },
  };
}

/** The rows with their elements as one more column: entry i is of row i. */
function withElement(rows: Input, index: number, pool: StringPool): Input {
  const elements = stringVector(
    Uint32Array.from({ length: rows.length }, (_, row) => row),
    pool,
    rows.length,
    null,
  );
  return { length: rows.length, column: at => (at === index ? elements : rows.column(at)) };
}
