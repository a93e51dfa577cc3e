import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RowMask } from '../../../src/catalog/replacement.ts';
import type { TableDefinition } from '../../../src/catalog/table.ts';
import { DATE, LONG, STRING, TIMESTAMP, type Value } from '../../../src/column/type.ts';
import type { Expr } from '../../../src/plan/expr.ts';
import type { Node } from '../../../src/plan/node.ts';
import { openEngine } from '../../support/engine.ts';

const dayMs = 86_400_000;

const tableOf = (timeType: typeof TIMESTAMP): TableDefinition => ({
  id: '00000000000a',
  name: 'events',
  version: 1,
  columns: [
    { id: 1, name: 'ts', type: timeType, nullable: true, defaultValue: null },
    { id: 2, name: 'country', type: STRING, nullable: true, defaultValue: null },
    { id: 3, name: 'amount', type: LONG, nullable: true, defaultValue: null },
  ],
  timeColumnId: 1,
  indexes: [{ columnId: 2, kind: 'inverted' }],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1000, segmentAgeMs: 1000, retentionMs: null },
  createdAtMs: 0,
});

type Row = [number | null, string | null, bigint];

const rowArbitrary: fc.Arbitrary<Row> = fc.tuple(
  fc.option(fc.integer({ min: 0, max: 20 }), { freq: 8 }),
  fc.option(fc.constantFrom('US', 'DE', 'FR')),
  fc.bigInt(-50n, 50n),
);

const maskArbitrary = fc.record({
  from: fc.integer({ min: -2, max: 22 }),
  size: fc.integer({ min: 1, max: 20 }),
  offsetBelow: fc.option(fc.integer({ min: 0, max: 100 })),
});

interface Case {
  readonly committed: readonly Row[][];
  readonly consuming: readonly Row[];
  readonly byIndex: boolean;
  readonly masks: readonly { readonly from: number; readonly size: number; readonly offsetBelow: number | null }[];
}

const cases: fc.Arbitrary<Case> = fc.record({
  committed: fc.array(fc.array(rowArbitrary, { minLength: 1, maxLength: 40 }), { maxLength: 3 }),
  consuming: fc.array(rowArbitrary, { maxLength: 40 }),
  byIndex: fc.boolean(),
  masks: fc.array(maskArbitrary, { minLength: 1, maxLength: 3 }),
});

const sorted = (rows: readonly (readonly Value[])[]): string[] => rows.map(row => row.map(String).join('|')).sort();

describe.each([
  ['milliseconds', TIMESTAMP, 1],
  ['days', DATE, dayMs],
] as const)('rows that replacements hide, their time in %s', (_, timeType, unitMs) => {
  const definition = tableOf(timeType);
  const scan = (filter: Expr | null, ids: readonly number[]): Node => ({
    kind: 'scan',
    tableId: definition.id,
    table: definition.name,
    columns: definition.columns.filter(({ id }) => ids.includes(id)),
    filter,
    limit: null,
  });
  const isGermany: Expr = {
    kind: 'compare',
    type: { name: 'BOOLEAN' },
    op: '=',
    left: { kind: 'column', type: STRING, index: 0 },
    right: { kind: 'literal', type: STRING, value: 'DE' },
  };
  const open = ({ committed, consuming, byIndex, masks }: Case) => {
    const rowMasks = masks.map(
      ({ from, size, offsetBelow }): RowMask => ({
        ...{ fromMs: from * unitMs, toMs: (from + size) * unitMs, offsetBelow },
      }),
    );
    const visible = [...committed.flat(), ...consuming].filter(
      ([time], offset) =>
        !masks.some(
          ({ from, size, offsetBelow }) =>
            time !== null && time >= from && time < from + size && (offsetBelow === null || offset < offsetBelow),
        ),
    );
    return { visible, engine: openEngine(definition, committed, consuming, { masks: rowMasks, byIndex }) };
  };

  test('are in no answer, in every placement, and all others are', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async drawn => {
        const { visible, engine } = open(drawn);
        const { rows } = await (await engine).run([scan(null, [1, 2, 3])]);
        expect(sorted(rows)).toEqual(sorted(visible));
      }),
    );
  });

  test('are not counted from metadata', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async drawn => {
        const { visible, engine } = open(drawn);
        const count: Node = {
          kind: 'aggregate',
          mode: 'partial',
          source: scan(null, []),
          keys: [],
          calls: [{ function: 'count', args: [], distinct: false, filter: null, type: LONG }],
        };
        const { rows } = await (await engine).run([count]);
        expect(rows.reduce((sum, [part]) => sum + (part as bigint), 0n)).toBe(BigInt(visible.length));
      }),
    );
  });

  test('are not found by an inverted index', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async drawn => {
        const { visible, engine } = open(drawn);
        const { rows } = await (await engine).run([scan(isGermany, [2, 3])]);
        const expected = visible.filter(([, country]) => country === 'DE').map(([, ...rest]) => rest);
        expect(sorted(rows)).toEqual(sorted(expected));
      }),
    );
  });
});
