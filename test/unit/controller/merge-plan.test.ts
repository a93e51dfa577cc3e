import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadPartition, type Replacement, type SegmentEntry } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { INT, TIMESTAMP } from '../../../src/column/type.ts';
import { planMerge } from '../../../src/controller/merge-plan.ts';
import type { TableState } from '../../../src/controller/state.ts';

const hourMs = 3_600_000;
const sizeBytesMax = 128 << 20;
const definition = defineTable(
  {
    name: 't',
    columns: [
      { name: 'ts', type: TIMESTAMP, nullable: false },
      { name: 'a', type: INT, nullable: true },
    ],
    timeColumn: 'ts',
    indexes: [],
    settings: { segmentRows: 1_000 },
  },
  { id: 'aaaaaaaaaaaa', createdAtMs: 0 },
);

const table = (segments: readonly SegmentEntry[], replacements: readonly Replacement[] = []): TableState => ({
  ...{ definition, segments, replacements, paused: false, partitions: [] },
  ...{ committedEnds: [], epochs: [], streamIds: [] },
});

const segment = (startOffset: number, rowCount: number, change: Partial<SegmentEntry> = {}): SegmentEntry => ({
  ...{ id: `s${change.partition ?? 0}-${startOffset}-${change.loadSequence ?? 0}`, tableId: definition.id },
  ...{ partition: 0, startOffset, endOffset: startOffset + rowCount, rowCount, sizeBytes: rowCount * 10 },
  ...{ generation: 1, tableVersion: 1, minTimeMs: 0, maxTimeMs: hourMs, zones: {}, createdAtMs: 0 },
  ...change,
});

const plan = (
  segments: readonly SegmentEntry[],
  replacements: readonly Replacement[] = [],
  pending: Parameters<typeof planMerge>[1] = [],
): string[] | null =>
  planMerge(table(segments, replacements), pending, () => false, sizeBytesMax)?.map(({ id }) => id) ?? null;

describe('merged are', () => {
  test('four or more small neighbours, whatever order they are known in', () => {
    const four = [0, 10, 20, 30].map(start => segment(start, 10));
    expect(plan(four.toReversed())).toEqual(four.map(({ id }) => id));
    expect(plan(four.slice(1))).toBeNull();
  });

  test('two that fill more than half a segment', () => {
    expect(plan([segment(0, 300), segment(300, 300)])).toHaveLength(2);
  });

  test('loads that follow each other', () => {
    const loads = [1, 2, 3, 4].map(loadSequence => segment(0, 10, { partition: loadPartition, loadSequence }));
    expect(plan(loads)).toHaveLength(4);
    const between: Replacement = { sequence: 5, loadsBelow: 3, fromMs: 0, toMs: 5, cutoffs: [], createdAtMs: 0 };
    expect(plan(loads, [between])).toBeNull();
    expect(plan(loads, [], [{ loadsBelow: 3 }])).toBeNull();
    expect(plan(loads, [], [{ loadsBelow: 5 }])).toHaveLength(4);
  });
});

describe('left alone are', () => {
  const small = [0, 10, 20, 30].map(start => segment(start, 10));

  test('segments with a gap between their offsets', () => {
    expect(plan(small.toSpliced(1, 1))).toBeNull();
    expect(
      plan(small.map((each, index) => (index < 2 ? each : { ...each, startOffset: each.startOffset + 1 }))),
    ).toBeNull();
  });

  test('segments of several partitions or streams', () => {
    expect(plan(small.map((each, index) => ({ ...each, partition: index % 2 })))).toBeNull();
    expect(plan(small.map((each, index) => ({ ...each, streamId: index < 2 ? 'a' : 'b' })))).toBeNull();
  });

  test('segments of different days', () => {
    const day = (index: number) => ({ minTimeMs: index * 24 * hourMs, maxTimeMs: index * 24 * hourMs + hourMs });
    expect(plan(small.map((each, index) => ({ ...each, ...day(index) })))).toBeNull();
  });

  test('a large one beside a few small ones', () => {
    expect(plan([segment(0, 400), ...[400, 410, 420].map(start => segment(start, 10))])).toBeNull();
  });

  test('what is excluded, and what lies on both sides of it', () => {
    const excluded = (id: string) => planMerge(table(small), [], each => each.id === id, sizeBytesMax);
    expect(excluded(small[1]!.id)).toBeNull();
  });
});

test('every plan is of neighbours within the limits; merging on and on ends, with O(log) rewrites of a row', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 60 }), rowCounts => {
      let start = 0;
      let segments = rowCounts.map(rowCount => {
        const each = segment(start, Math.max(rowCount, 1));
        start = each.endOffset;
        return each;
      });
      const total = start;
      let rowsWritten = 0;
      for (;;) {
        const parts = planMerge(table(segments), [], () => false, sizeBytesMax);
        if (!parts) break;
        const rowCount = parts.reduce((sum, each) => sum + each.rowCount, 0);
        expect(rowCount).toBeLessThanOrEqual(1_000);
        expect(parts.reduce((sum, each) => sum + each.sizeBytes, 0)).toBeLessThanOrEqual(sizeBytesMax);
        for (const [index, part] of parts.entries())
          if (index > 0) expect(part.startOffset).toBe(parts[index - 1]!.endOffset);
        rowsWritten += rowCount;
        segments = [...segments.filter(each => !parts.includes(each)), segment(parts[0]!.startOffset, rowCount)];
      }
      expect(segments.reduce((sum, each) => sum + each.rowCount, 0)).toBe(total);
      expect(rowsWritten).toBeLessThanOrEqual(total * Math.log2(2_000));
    }),
  );
});
