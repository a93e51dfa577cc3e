import fc from 'fast-check';
import { expect, test } from 'vitest';
import { virtualColumns } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import { INT, LONG } from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { ConsumingPartition } from '../../../src/segment/consuming-partition.ts';
import { copyBlockColumn, tableOf, valuesOf } from './consuming-fixtures.ts';

/** An append of a stream: its offsets, and which of them have how many rows. */
interface Append {
  readonly span: number;
  readonly rowsAt: readonly number[];
  readonly roll: boolean;
}

const appends: fc.Arbitrary<Append[]> = fc.array(
  fc.record({
    span: fc.integer({ min: 0, max: 12 }),
    rowsAt: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
    roll: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
);

test('rows of a stream with gaps, filtered and unnested messages are found by their offsets', () => {
  fc.assert(
    fc.property(appends, fc.integer({ min: 0, max: 2 ** 40 }), (batches, start) => {
      const arena = new Arena(1 << 23);
      const partition = new ConsumingPartition(arena, tableOf([INT]), 0, start);
      /** By row: its offset. */
      const offsets: number[] = [];
      const ends = [start];
      for (const { span, rowsAt, roll } of batches) {
        const startOffset = partition.endOffset;
        const own = rowsAt
          .slice(0, span)
          .flatMap((count, index) => Array.from({ length: count }, () => startOffset + index));
        const columns = [
          columnOf(
            INT,
            own.map((_, row) => offsets.length + row),
          ),
          columnOf(LONG, own.map(BigInt)),
        ];
        const origin = { startOffset, endOffset: startOffset + span, ingestedAtMs: 7 };
        partition.append([1, virtualColumns.offset], { rowCount: own.length, columns }, origin);
        offsets.push(...own);
        ends.push(partition.endOffset);
        if (roll) {
          const rolled = partition.roll();
          const inside = offsets.filter(offset => offset >= rolled.startOffset && offset < rolled.endOffset);
          expect(rolled.rowCount).toBe(inside.length);
        }
      }
      expect(partition.endOffset).toBe(ends.at(-1));
      for (const from of ends)
        for (const to of ends) {
          if (to < from) continue;
          const found = partition.rangesFor(from, to).flatMap(({ block, startRow, endRow }) => {
            const of = (id: number) => valuesOf(copyBlockColumn(arena, block, id)!).slice(startRow, endRow);
            return of(1).map((row, index) => [
              row,
              of(virtualColumns.offset)[index],
              of(virtualColumns.ingestedAt)[index],
            ]);
          });
          const want = offsets.flatMap((offset, row) =>
            offset >= from && offset < to ? [[row, BigInt(offset), 7]] : [],
          );
          expect(found).toEqual(want);
        }
    }),
    { numRuns: 200 },
  );
});

test('offsets without a row still move the end, roll, and can be pinned', () => {
  const partition = new ConsumingPartition(new Arena(1 << 22), tableOf([INT]), 0, 100);
  partition.append([], { rowCount: 0, columns: [] }, { startOffset: 100, endOffset: 250, ingestedAtMs: 0 });
  expect(partition.pin('lease')).toEqual({ startOffset: 100, endOffset: 250 });
  expect(partition.rangesFor(100, 250)).toEqual([]);
  expect(partition.roll()).toEqual({ startOffset: 100, endOffset: 250, rowCount: 0 });
});

test('rows whose offsets are not one each must bring them', () => {
  const partition = new ConsumingPartition(new Arena(1 << 22), tableOf([INT]), 0, 0);
  const batch = { rowCount: 1, columns: [columnOf(INT, [1])] };
  expect(() => partition.append([1], batch, { startOffset: 0, endOffset: 3, ingestedAtMs: 0 })).toThrow(
    'come without their offsets',
  );
  expect(partition.endOffset).toBe(0);
});
