import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Type, Value } from '../../../src/column/type.ts';
import type { ExecContext } from '../../../src/exec/context.ts';
import { vectorsInput } from '../../../src/exec/input.ts';
import { SortSink } from '../../../src/exec/sort.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';
import type { Node } from '../../../src/plan/node.ts';
import { seededRandom } from '../../support/random.ts';

const types: readonly Type[] = [{ name: 'LONG' }, { name: 'DOUBLE' }, { name: 'STRING' }, { name: 'INT' }];
/** As many as make a top-n throw rows away again and again. */
const pushCount = 30;
const pushRows = 2_000;

type Row = readonly [long: bigint | null, double: number | null, text: string | null, number: number];

const context = { memory: { hold() {}, release() {}, peakBytes: 0 } } as unknown as ExecContext;

/** Few different values, so that keys tie; LONGs beyond what doubles hold exactly now and then. */
function drawRows(seed: number, wide: boolean): Row[] {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random.next() * count);
  const doubles = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
  return Array.from({ length: pushCount * pushRows }, (_, number) => [
    below(50) === 0 ? null : BigInt(below(20_000)) + (wide && below(1_000) === 0 ? 2n ** 60n : 0n),
    below(50) === 0 ? null : below(500) === 0 ? doubles[below(doubles.length)]! : below(5_000) / 8,
    below(50) === 0 ? null : `text ${below(3_000)}`,
    number,
  ]);
}

function compareValues(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number' && (Number.isNaN(a) || Number.isNaN(b)))
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : a! < b! ? -1 : a! > b! ? 1 : 0;
}

const key = fc.record({ at: fc.constantFrom(0, 1, 2), descending: fc.boolean(), nullsFirst: fc.boolean() });

test('the first rows of many are those of a stable sort of all', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.boolean(),
      fc.array(key, { minLength: 1, maxLength: 2 }),
      fc.constantFrom(1, 10, 3_000),
      (seed, wide, keys, limit) => {
        const rows = drawRows(seed, wide);
        const node = {
          kind: 'sort',
          keys: keys.map(({ at, ...order }) => ({ expr: { kind: 'column', type: types[at]!, index: at }, ...order })),
          limit,
        } as unknown as Extract<Node, { kind: 'sort' }>;
        const sink = new SortSink(node, types, context);
        for (let from = 0; from < rows.length; from += pushRows) {
          const part = rows.slice(from, from + pushRows);
          const vectors = types.map((type, column) =>
            vectorOf(
              type,
              part.map(row => row[column]!),
            ),
          );
          sink.push(vectorsInput(part.length, vectors));
        }
        const found: Value[] = [];
        for (const input of sink.results())
          for (let row = 0; row < input.length; row++) found.push(vectorValue(input.column(3), types[3]!, row));
        const expected = rows.toSorted((a, b) => {
          for (const { at, descending, nullsFirst } of keys) {
            const [x, y] = [a[at], b[at]] as [Value, Value];
            if (x === null || y === null) {
              if (x === y) continue;
              return (x === null) === nullsFirst ? -1 : 1;
            }
            const difference = compareValues(x, y);
            if (difference !== 0) return descending ? -difference : difference;
          }
          return 0;
        });
        expect(found).toEqual(expected.slice(0, limit).map(row => row[3]));
      },
    ),
    { numRuns: 12 },
  );
});
