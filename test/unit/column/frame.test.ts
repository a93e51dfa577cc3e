import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { batchOf } from '../../../src/column/builder.ts';
import type { Batch } from '../../../src/column/column.ts';
import { checkBatch, decodeBatch, encodeBatch, frameRowCount } from '../../../src/column/frame.ts';
import type { Type, Value } from '../../../src/column/type.ts';
import { rowsOf } from '../../../src/column/value.ts';

const long = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const columns: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
  [{ name: 'BOOLEAN' }, fc.boolean()],
  [{ name: 'INT' }, int],
  [{ name: 'LONG' }, long],
  [{ name: 'FLOAT' }, fc.float()],
  [{ name: 'DOUBLE' }, fc.double()],
  [{ name: 'DECIMAL', precision: 38, scale: 4 }, fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n)],
  [{ name: 'DATE' }, int],
  [{ name: 'INTERVAL' }, fc.record({ months: int, days: int, ms: fc.maxSafeInteger() })],
  [{ name: 'STRING' }, fc.string({ unit: 'grapheme' })],
  [{ name: 'UUID' }, fc.uuid()],
  [{ name: 'BYTES' }, fc.uint8Array({ maxLength: 40 })],
];
const types = columns.map(([type]) => type);
const rowsArbitrary = fc.array(fc.tuple(...columns.map(([, value]) => fc.option(value))), { maxLength: 40 });

test('a batch comes out of its frame as it went in, wherever the frame lies', () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.nat(9), (rows, offset) => {
      const frame = encodeBatch(batchOf(types, rows));
      const moved = new Uint8Array(frame.length + offset);
      moved.set(frame, offset);
      expect(frameRowCount(frame)).toBe(rows.length);
      const decoded = decodeBatch(moved.subarray(offset));
      checkBatch(decoded);
      expect(decoded.columns.map(({ type }) => type)).toEqual(types);
      expect(rowsOf(decoded)).toEqual(rows);
    }),
    { numRuns: 60 },
  );
});

const dictionary: Batch = {
  rowCount: 3,
  columns: [
    {
      form: 'dictionary',
      type: { name: 'STRING' },
      length: 3,
      validity: Uint8Array.of(0b101),
      codes: Uint32Array.of(1, 0, 0),
      offsets: Uint32Array.of(0, 1, 3),
      bytes: new TextEncoder().encode('abc'),
    },
  ],
};

test('a dictionary stays one', () => {
  const decoded = decodeBatch(encodeBatch(dictionary));
  expect(decoded.columns[0]!.form).toBe('dictionary');
  expect(rowsOf(decoded)).toEqual([['bc'], [null], ['a']]);
});

test('codes and offsets that lead outside are found', () => {
  const column = dictionary.columns[0] as Extract<Batch['columns'][number], { form: 'dictionary' }>;
  const check = (change: Partial<typeof column>, message: RegExp) =>
    expect(() => checkBatch({ rowCount: 3, columns: [{ ...column, ...change }] })).toThrow(message);
  check({ codes: Uint32Array.of(1, 2, 0) }, /column 0 has code 2 in a dictionary of 2/);
  check({ offsets: Uint32Array.of(0, 3, 1) }, /offsets of column 0 do not ascend/);
  check({ offsets: Uint32Array.of(0, 1, 4) }, /within 3 bytes/);
});

test('hostile bytes are refused as corrupt, or are a batch whose every value can be read', () => {
  const frame = encodeBatch(batchOf(types, [types.map(() => null)].concat([])));
  const damaged = fc.tuple(
    fc.constantFrom(frame, encodeBatch(dictionary)),
    fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    fc.option(fc.nat(frame.length)),
  );
  fc.assert(
    fc.property(damaged, ([source, flips, size]) => {
      const bytes = source.slice(0, size ?? source.length);
      for (const [at, byte] of flips) if (at < bytes.length) bytes[at] = byte;
      try {
        const batch = decodeBatch(bytes);
        checkBatch(batch);
        for (const row of rowsOf(batch)) expect(row).toHaveLength(batch.columns.length);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        expect(error.fault.code).toBe('CORRUPT_FRAME');
      }
    }),
    { numRuns: 2000 },
  );
});
