/** Indexes against loops over the values: every type, NULL, NaN, extremes, and segments of narrower types than their table. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/base/checksum.ts';
import type { IndexDefinition, TableDefinition } from '../../../src/catalog/table.ts';
import { parseUuid } from '../../../src/column/text.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import * as types from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import { listSelected } from '../../../src/kernel/selection.ts';
import { blockRows, type ValueRange } from '../../../src/segment/block.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildTestSegment, defineTestTable, openTestSegment, type TestColumn } from './stored-fixtures.ts';

const INT_MAX = 2 ** 31 - 1;
const LONG_MAX = 2n ** 63n - 1n;
const doubles = fc.oneof(
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 5e-324, -5e-324, Number.MAX_VALUE),
);
const price = types.decimal(30, 4);

/** Values of each type that has an order. */
const ordered: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
  [types.INT, fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 }), fc.constantFrom(INT_MAX, -INT_MAX - 1))],
  [
    types.LONG,
    fc.oneof(fc.bigInt(-5n, 5n), fc.bigInt(-LONG_MAX - 1n, LONG_MAX), fc.constantFrom(LONG_MAX, -LONG_MAX - 1n)),
  ],
  [
    types.TIMESTAMP,
    fc.oneof(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 50 })),
  ],
  [types.DATE, fc.integer({ min: -1e8, max: 1e8 })],
  [types.FLOAT, doubles.map(Math.fround)],
  [types.DOUBLE, doubles],
  [price, fc.oneof(fc.bigInt(-(10n ** 30n) + 1n, 10n ** 30n - 1n), fc.bigInt(-9n, 9n))],
];

const isDouble = ({ name }: Type): boolean => name === 'FLOAT' || name === 'DOUBLE';
const boundOf = (type: Type, value: Value): number | bigint =>
  isDouble(type) ? (value as number) : BigInt(value as number | bigint);

/** As PostgreSQL compares: NULL never holds, NaN is above every number. */
const holds = ({ low, high, nan }: ValueRange, value: Value): boolean => {
  if (value === null) return false;
  return Number.isNaN(value) ? nan : (value as number) >= low && (value as number) <= high;
};

async function openIndexed(type: Type, values: readonly Value[], kinds: readonly IndexDefinition['kind'][]) {
  const column: TestColumn = { name: 'v', type, value: row => values[row]! };
  const plain = defineTestTable([column]);
  const definition: TableDefinition = { ...plain, indexes: kinds.map(kind => ({ columnId: 1, kind })) };
  const store = new MemoryStore();
  const entry = await buildTestSegment(store, [column], values.length, { definition });
  const { segment } = await openTestSegment(entry, store, new Arena(16 << 20));
  return { segment, store, entry };
}

const out = new Uint32Array(blockRows);
function rowsIn(segment: Awaited<ReturnType<typeof openIndexed>>['segment'], range: ValueRange): number[] {
  const index = segment.indexes.range(1)!;
  return segment.blocks.flatMap(block => {
    const words = new Uint32Array(2_048);
    for (let row = 0; row < block.rowCount; row++) words[row >> 5]! |= 1 << (row & 31);
    index.narrow(range, block.index, words, (block.rowCount + 31) >> 5);
    return [...out.subarray(0, listSelected(words, 0, 2_048, out))].map(row => block.index * blockRows + row);
  });
}

describe('a range index selects what a loop does', () => {
  test.each(ordered)('$name', async (type, value) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(value, { freq: 6 }), { minLength: 1, maxLength: 120 }),
        fc.array(fc.tuple(value, value, fc.boolean()), { minLength: 1, maxLength: 12 }),
        async (values, pairs) => {
          const { segment } = await openIndexed(type, values, ['range']);
          for (const [from, to, nan] of pairs) {
            // Bounds that occur, and others; in both orders, so that some ranges are empty.
            const ends = [from, to, values[0] ?? from].map(each => boundOf(type, each));
            for (const [low, high] of [
              [ends[0]!, ends[1]!],
              [ends[2]!, ends[2]!],
              [ends[2]!, ends[1]!],
            ] as const) {
              // NaN is asked for only with no upper bound, as filters do.
              const range: ValueRange =
                nan && isDouble(type) ? { type, low, high: Infinity, nan } : { type, low, high, nan: false };
              expect(rowsIn(segment, range)).toEqual(values.flatMap((each, row) => (holds(range, each) ? [row] : [])));
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('over several blocks, one of them without a value', async () => {
    const values = Array.from({ length: 2 * blockRows + 70 }, (_, row): Value => {
      if (row >= blockRows && row < 2 * blockRows) return null;
      return row % 11 === 0 ? null : BigInt((row * 7_919) % 5_000) - 40n;
    });
    const { segment } = await openIndexed(types.LONG, values, ['range']);
    for (const [low, high] of [
      [0n, 0n],
      [100n, 4_000n],
      [-50n, -39n],
      [4_959n, LONG_MAX],
      [-LONG_MAX, LONG_MAX],
    ] as const) {
      const range = { type: types.LONG, low, high, nan: false };
      expect(rowsIn(segment, range)).toEqual(values.flatMap((value, row) => (holds(range, value) ? [row] : [])));
    }
  });
});

/** Columns that were widened: how a stored value is one of the table's type. */
const widenings: readonly (readonly [
  stored: Type,
  type: Type,
  widen: (value: Value) => Value,
  bound: fc.Arbitrary<Value>,
])[] = [
  [
    types.INT,
    types.LONG,
    value => BigInt(value as number),
    fc.oneof(fc.bigInt(-5n, 5n), fc.bigInt(-(2n ** 33n), 2n ** 33n)),
  ],
  [types.INT, types.DOUBLE, value => value, fc.oneof(doubles, fc.double({ min: -4, max: 4 }))],
  [types.INT, types.decimal(20, 2), value => BigInt(value as number) * 100n, fc.bigInt(-500n, 500n)],
  [types.FLOAT, types.DOUBLE, value => value, fc.oneof(doubles, doubles.map(Math.fround))],
  [types.decimal(10, 1), types.decimal(20, 3), value => (value as bigint) * 100n, fc.bigInt(-500n, 500n)],
  [types.DATE, types.TIMESTAMP, value => (value as number) * 86_400_000, fc.integer({ min: -4e8, max: 4e8 })],
];
const storedValues: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  INT: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer()),
  FLOAT: doubles.map(Math.fround),
  DECIMAL: fc.bigInt(-9n, 9n),
  DATE: fc.integer({ min: -5, max: 5 }),
};

test.each(widenings)('predicates of a wider type: %o as %o', async (stored, type, widen, bound) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(storedValues[stored.name]!), { minLength: 1, maxLength: 60 }),
      fc.array(fc.tuple(bound, bound), { minLength: 1, maxLength: 10 }),
      async (values, pairs) => {
        const { segment } = await openIndexed(stored, values, ['range', 'bloom']);
        const wide = values.map(value => (value === null ? null : widen(value)));
        const bloom = segment.indexes.bloom(1)!;
        for (const [from, to] of pairs) {
          const range: ValueRange = { type, low: boundOf(type, from), high: boundOf(type, to), nan: false };
          expect(segment.indexes.range(1)!.covers(range)).toBe(true);
          expect(rowsIn(segment, range)).toEqual(wide.flatMap((value, row) => (holds(range, value) ? [row] : [])));
          const one = { ...range, high: range.low };
          if (wide.some(value => holds(one, value))) expect(bloom.mayHold(one, null)).toBe(true);
        }
        for (const value of wide) {
          if (value === null || Number.isNaN(value)) continue;
          const at = boundOf(type, value);
          expect(bloom.mayHold({ type, low: at, high: at, nan: false }, 0)).toBe(true);
        }
      },
    ),
    { numRuns: 20 },
  );
});

const utf8 = new TextEncoder();
const pooled: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
  [types.STRING, fc.string({ unit: 'binary', maxLength: 40 })],
  [types.BYTES, fc.uint8Array({ maxLength: 9 })],
  [types.UUID, fc.uuid()],
];
const probeOf = (type: Type, value: Value): Uint8Array | ValueRange => {
  if (type.name === 'UUID') return parseUuid(value as string)!;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return utf8.encode(value);
  return { type, low: boundOf(type, value), high: boundOf(type, value), nan: false };
};

describe('a Bloom filter', () => {
  test.each([...ordered, ...pooled])('never misses a value: $name', async (type, value) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(value), { minLength: 1, maxLength: 400 }), async values => {
        const { segment } = await openIndexed(type, values, ['bloom']);
        const bloom = segment.indexes.bloom(1)!;
        for (const each of values) {
          if (each === null || Number.isNaN(each)) continue;
          expect(bloom.mayHold(probeOf(type, each), null)).toBe(true);
          expect(bloom.mayHold(probeOf(type, each), 0)).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('finds one in a hundred of those that a segment or block does not have, and each that it has', async () => {
    const rowCount = 2 * blockRows + 9_000;
    const values = Array.from({ length: rowCount }, (_, row) => `payment-${row}`);
    const { segment } = await openIndexed(types.STRING, values, ['bloom']);
    const bloom = segment.indexes.bloom(1)!;
    let errors = 0;
    let blockErrors = 0;
    for (let row = 0; row < rowCount; row += 13) {
      const value = utf8.encode(values[row]!);
      expect(bloom.mayHold(value, null) && bloom.mayHold(value, row >> 16)).toBe(true);
      errors += +bloom.mayHold(utf8.encode(`other-${row}`), null);
      blockErrors += +bloom.mayHold(value, ((row >> 16) + 1) % 3);
    }
    expect(errors / (rowCount / 13)).toBeLessThan(0.015);
    expect(blockErrors / (rowCount / 13)).toBeLessThan(0.015);
  });
});

test('whatever the bytes of a part are, an index answers or says CORRUPT_SEGMENT', async () => {
  const values = Array.from({ length: 300 }, (_, row): Value => (row % 7 === 0 ? null : (row * 37) % 100));
  const { segment, store, entry } = await openIndexed(types.INT, values, ['range', 'bloom']);
  for (const { kind, file, count } of segment.manifest.indexes) {
    const key = `${entry.tableId}/${entry.id}/${file}`;
    const intact = store.objects.get(key)!;
    const partsAt = (16 + 12 * count + 7) & ~7;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }), async changes => {
        const bytes = intact.slice();
        for (const [at, value] of changes) bytes[partsAt + (at % Math.min(400, bytes.length - partsAt))] = value;
        const view = new DataView(bytes.buffer);
        // Signed again, part by part and then the directory: what is tested is what checksums do not find.
        for (let part = 0; part < count; part++) {
          const [offset, size] = [view.getUint32(16 + 12 * part, true), view.getUint32(20 + 12 * part, true)];
          view.setUint32(24 + 12 * part, crc32c(bytes.subarray(offset, offset + size)), true);
        }
        const directory = crc32c(bytes.subarray(16, 16 + 12 * count));
        store.objects.set(key, bytes);
        try {
          const opened = await openTestSegment(entry, store, new Arena(4 << 20));
          const index = opened.segment.manifest.indexes.find(each => each.file === file)!;
          (index.directory as { crc: number }).crc = directory;
          if (kind === 'range') rowsIn(opened.segment, { type: types.INT, low: 3n, high: 50n, nan: false });
          else if (kind === 'bloom') opened.segment.indexes.bloom(1)!.mayHold(probeOf(types.INT, 5), null);
          else opened.segment.indexes.nulls(1)!.select(0, 0, new Uint32Array(2_048));
        } catch (error) {
          expect(error).toMatchObject({ fault: { code: 'CORRUPT_SEGMENT' } });
        } finally {
          store.objects.set(key, intact);
        }
      }),
      { numRuns: 120 },
    );
  }
});
