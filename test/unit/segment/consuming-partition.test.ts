import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { virtualColumns } from '../../../src/catalog/table.ts';
import { columnOf } from '../../../src/column/builder.ts';
import { INT, LONG, STRING, type Value } from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { ConsumingPartition, type OffsetRange } from '../../../src/segment/consuming-partition.ts';
import { copyBlockColumn, originAt, tableOf, valuesOf } from './consuming-fixtures.ts';

const definition = tableOf([STRING]);
const startOffset = 10;

const nameOf = (offset: number): string => `row ${offset}`;

function appendRows(partition: ConsumingPartition, count: number): void {
  const names = Array.from({ length: count }, (_, row) => nameOf(partition.endOffset + row));
  const end = partition.endOffset + count;
  expect(
    partition.append(
      [1],
      { rowCount: count, columns: [columnOf(STRING, names)] },
      originAt(partition.endOffset, count),
    ),
  ).toBe(end);
}

/** The rows of a range, and their offsets, as a scan finds them. */
function readRange(arena: Arena, partition: ConsumingPartition, range: OffsetRange): [Value, Value][] {
  return partition.rangesFor(range.startOffset, range.endOffset).flatMap(({ block, startRow, endRow }) => {
    const names = valuesOf(copyBlockColumn(arena, block, 1)!).slice(startRow, endRow);
    const offsets = valuesOf(copyBlockColumn(arena, block, virtualColumns.offset)!).slice(startRow, endRow);
    return names.map((name, row): [Value, Value] => [name, offsets[row]!]);
  });
}

const rowsBetween = (start: number, end: number): [Value, Value][] =>
  Array.from({ length: Math.max(0, end - start) }, (_, row) => [nameOf(start + row), BigInt(start + row)]);

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'no fault';
  } catch (error) {
    return error instanceof FaultError ? error.fault.code : String(error);
  }
};

test('in any interleaving a lease reads its rows, each once, until it is released; then all memory comes back', () => {
  const lease = fc.nat(4).map(String);
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('append'), rows: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('roll') }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('publish') }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('retire') }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pin'), lease }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('snapshot'), lease }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release'), lease }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const arena = new Arena(1 << 23);
      const partition = new ConsumingPartition(arena, definition, 0, startOffset);
      const rolled: OffsetRange[] = [];
      const published: Value[] = [];
      let committedEnd = startOffset;
      /** First a query pins, some time later it sees the metadata's snapshot; from then on its answer is fixed. */
      const queries = new Map<
        string,
        { pinned: OffsetRange; snapshot: { committedEnd: number; rows: Value[] } | null }
      >();
      const check = (): void => {
        for (const { pinned, snapshot } of queries.values()) {
          expect(readRange(arena, partition, pinned)).toEqual(rowsBetween(pinned.startOffset, pinned.endOffset));
          if (!snapshot) continue;
          const range = { startOffset: snapshot.committedEnd, endOffset: pinned.endOffset };
          const rows = [...snapshot.rows, ...readRange(arena, partition, range).map(([name]) => name)];
          const end = Math.max(pinned.endOffset, snapshot.committedEnd);
          expect(rows).toEqual(rowsBetween(startOffset, end).map(([name]) => name));
        }
      };
      for (const step of steps) {
        const leaseId = 'lease' in step ? step.lease : '';
        if ('rows' in step) appendRows(partition, step.rows);
        else if (step.do === 'roll') {
          const range = partition.roll();
          if (range.startOffset < range.endOffset) rolled.push(range);
        } else if (step.do === 'publish') {
          const next = rolled.find(({ startOffset }) => startOffset === committedEnd);
          if (!next) continue;
          published.push(...valuesOf(partition.exportColumn(next.startOffset, 1)));
          committedEnd = next.endOffset;
        } else if (step.do === 'retire') partition.retire(committedEnd);
        else if (step.do === 'snapshot') {
          const query = queries.get(leaseId);
          if (query) query.snapshot ??= { committedEnd, rows: published.slice() };
        } else if (step.do === 'release') {
          partition.release(leaseId);
          queries.delete(leaseId);
        } else {
          const pinned = partition.pin(leaseId);
          expect(partition.pin(leaseId), 'fixed once').toEqual(pinned);
          if (!queries.has(leaseId)) queries.set(leaseId, { pinned, snapshot: null });
        }
        check();
      }
      partition.close();
      check();
      for (const leaseId of queries.keys()) partition.release(leaseId);
      expect(partition.isEmpty).toBe(true);
      expect(arena.usedBytes).toBe(0);
    }),
    { numRuns: 150 },
  );
}, 30_000);

test('retired rows stay while leased, and go with the last lease', () => {
  const arena = new Arena(1 << 23);
  const partition = new ConsumingPartition(arena, definition, 0, startOffset);
  appendRows(partition, 5);
  partition.pin('early');
  const { endOffset } = partition.roll();
  appendRows(partition, 3);
  partition.retire(endOffset);
  expect(partition.startOffset).toBe(15);
  expect(partition.pin('late')).toEqual({ startOffset: 15, endOffset: 18 });
  expect(readRange(arena, partition, { startOffset: 10, endOffset: 18 })).toEqual(rowsBetween(10, 18));
  const block = partition.rangesFor(10, 15)[0]!.block;
  partition.release('early');
  partition.release('early');
  expect(codeOf(() => partition.rangesFor(10, 18))).toBe('INCOMPLETE');
  expect(
    codeOf(() => block.column(1)),
    'no address of freed memory',
  ).toBe('INCOMPLETE');
  expect(readRange(arena, partition, { startOffset: 15, endOffset: 18 })).toEqual(rowsBetween(15, 18));
});

test('a scan keeps what it reads when the query lets go first', () => {
  const arena = new Arena(1 << 23);
  const partition = new ConsumingPartition(arena, definition, 0, 0);
  appendRows(partition, 4);
  partition.pin('query');
  const { endOffset } = partition.roll();
  partition.retain('scan', { startOffset: 0, endOffset: 4 });
  partition.retire(endOffset);
  partition.release('query');
  expect(readRange(arena, partition, { startOffset: 0, endOffset: 4 })).toEqual(rowsBetween(0, 4));
  partition.release('scan');
  expect(codeOf(() => partition.rangesFor(0, 4))).toBe('INCOMPLETE');
});

test('what is out of step is refused', () => {
  const partition = new ConsumingPartition(new Arena(1 << 23), definition, 0, startOffset);
  const batch = { rowCount: 1, columns: [columnOf(STRING, ['x'])] };
  for (const offset of [9, 11])
    expect(codeOf(() => partition.append([1], batch, originAt(offset, batch.rowCount)))).toBe('INVALID_REQUEST');
  appendRows(partition, 2);
  expect(
    codeOf(() => partition.retire(12)),
    'not rolled',
  ).toBe('INVALID_REQUEST');
  expect(
    codeOf(() => partition.exportColumn(10, 1)),
    'not rolled',
  ).toBe('NOT_FOUND');
  expect(partition.roll()).toEqual({ startOffset: 10, endOffset: 12, rowCount: 2 });
  expect(partition.roll(), 'nothing to roll').toEqual({ startOffset: 12, endOffset: 12, rowCount: 0 });
  expect(
    codeOf(() => partition.retire(11)),
    'amid a segment',
  ).toBe('INVALID_REQUEST');
  expect(codeOf(() => partition.exportColumn(10, 9))).toBe('UNKNOWN_COLUMN');
  for (const [start, end] of [
    [9, 12],
    [10, 13],
    [13, 14],
  ])
    expect(codeOf(() => partition.rangesFor(start!, end!))).toBe('INCOMPLETE');
  expect(partition.rangesFor(13, 13)).toEqual([]);
});

test('a new version of the table holds for segments opened after it', () => {
  const arena = new Arena(1 << 23);
  const partition = new ConsumingPartition(arena, definition, 0, 0);
  const wider = tableOf([STRING, INT], [null, 5], 2);
  partition.define(wider);
  appendRows(partition, 1);
  expect(
    valuesOf(partition.segments[0]!.blocks[0]!.segment.blocks.map(block => copyBlockColumn(arena, block, 2)!)[0]!),
  ).toEqual([5]);
  partition.define(tableOf([STRING, INT, LONG], [], 3));
  appendRows(partition, 1);
  expect(partition.segments[0]!.blocks[0]!.column(3)).toBeNull();
  partition.roll();
  appendRows(partition, 1);
  expect(partition.segments[1]!.blocks[0]!.column(3)).not.toBeNull();
});
