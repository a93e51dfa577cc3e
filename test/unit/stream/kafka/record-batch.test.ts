import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultError } from '../../../../src/base/fault.ts';
import { readHeaders } from '../../../../src/stream/kafka/headers.ts';
import { decodeRecordSet, findRecordsEnd, type RecordSet } from '../../../../src/stream/kafka/record-batch.ts';
import type { MessageBatch } from '../../../../src/stream/kafka/types.ts';
import {
  type Codec,
  concat,
  encodeTestBatch,
  marker,
  record,
  sealed,
  type TestBatch,
  type TestRecord,
} from '../../../support/kafka-batches.ts';

const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'];

interface Message {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('latin1'));

/** All that the batches say, after checking what must hold of each. */
function messagesOf(batches: readonly MessageBatch[], position: number): Message[] {
  let end = position;
  const messages: Message[] = [];
  for (const batch of batches) {
    expect(batch.startOffset).toBe(end);
    expect(batch.endOffset).toBeGreaterThan(batch.startOffset);
    expect(batch.gapCount).toBeGreaterThanOrEqual(0);
    expect(batch.endOffset - batch.startOffset).toBe(
      batch.count + batch.controlCount + batch.abortedCount + batch.gapCount,
    );
    end = batch.endOffset;
    expect(batch.bytes.byteOffset).toBe(0);
    expect(batch.bytes.buffer.byteLength).toBe(batch.bytes.length);
    const slice = (starts: Int32Array, ends: Int32Array, index: number) => {
      expect(ends[index]!).toBeLessThan(batch.bytes.length);
      return starts[index] === -1 ? null : text(batch.bytes.subarray(starts[index], ends[index]));
    };
    for (let index = 0; index < batch.count; index++)
      messages.push({
        offset: batch.offsets[index]!,
        timestampMs: batch.timestampsMs[index]!,
        key: slice(batch.keyStarts, batch.keyEnds, index),
        value: slice(batch.valueStarts, batch.valueEnds, index),
        headers: readHeaders(batch, index).map(([name, value]) => [name, text(value)]),
      });
  }
  return messages;
}

function decode(set: Partial<RecordSet> & { readonly bytes: Uint8Array }): MessageBatch[] {
  return [...decodeRecordSet({ partition: 0, position: 0, aborted: null, ...set })];
}

/** What came before the fault, and its code; null where there was none. */
function decodeUntilFault(set: RecordSet): [MessageBatch[], string | null] {
  const batches: MessageBatch[] = [];
  try {
    for (const batch of decodeRecordSet(set)) batches.push(batch);
    return [batches, null];
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return [batches, error.fault.code];
  }
}

const bytesArbitrary = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null });
const recordsArbitrary = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 300 }),
      timestampDelta: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
      key: bytesArbitrary,
      value: bytesArbitrary,
      headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), bytesArbitrary), { maxLength: 3 }),
    }),
    { maxLength: 8 },
  )
  .map((steps): TestRecord[] => {
    let offsetDelta = -1;
    return steps.map(({ step, ...rest }) => ({ ...rest, offsetDelta: (offsetDelta += step) }));
  });

const batchesArbitrary = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 0, max: 5 }),
      records: recordsArbitrary,
      tail: fc.integer({ min: 0, max: 3 }),
      codec: fc.constantFrom(...codecs),
      baseTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
      isLogAppendTime: fc.boolean(),
    }),
    { maxLength: 5 },
  )
  .map((drawn): TestBatch[] => {
    let next = 0;
    return drawn.map(({ gap, tail, ...batch }) => {
      const baseOffset = next + gap;
      const lastOffsetDelta = (batch.records.at(-1)?.offsetDelta ?? 0) + tail;
      next = baseOffset + lastOffsetDelta + 1;
      return { ...batch, baseOffset, lastOffsetDelta, maxTimestamp: batch.baseTimestamp + 7 };
    });
  });

const expected = (batches: readonly TestBatch[], position: number): Message[] =>
  batches.flatMap(({ baseOffset, records, baseTimestamp = 0, maxTimestamp = 0, isLogAppendTime }) =>
    records
      .map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        offset: baseOffset + offsetDelta,
        timestampMs: isLogAppendTime ? maxTimestamp : baseTimestamp + timestampDelta,
        key: text(key),
        value: text(value),
        headers: headers.map(([name, content]) => [name, text(content)] as const),
      }))
      .filter(({ offset }) => offset >= position),
  );

describe('a record set', () => {
  test('gives back what was written, from any position on, and accounts for every offset', () => {
    fc.assert(
      fc.property(batchesArbitrary, fc.nat(1000), (batches, position) => {
        const bytes = concat(...batches.map(encodeTestBatch));
        const decoded = decode({ bytes, position });
        expect(messagesOf(decoded, position)).toEqual(expected(batches, position));
        expect(findRecordsEnd(bytes, position)).toBe(decoded.at(-1)?.endOffset ?? position);
      }),
    );
  });

  test('cut off anywhere gives its whole batches', () => {
    const batches = [0, 3, 6].map(
      (baseOffset): TestBatch => ({ baseOffset, records: [record(0, 'a'), record(1, 'b'), record(2, 'c')] }),
    );
    const parts = batches.map(encodeTestBatch);
    const bytes = concat(...parts);
    for (let size = 0; size <= bytes.length; size++) {
      const whole = batches.slice(0, Math.floor(size / parts[0]!.length));
      const cut = bytes.slice(0, size);
      expect(messagesOf(decode({ bytes: cut }), 0)).toEqual(expected(whole, 0));
      expect(findRecordsEnd(cut, 0)).toBe(whole.length * 3);
    }
  });

  test('with a batch whose records were all compacted away goes on behind it', () => {
    const bytes = encodeTestBatch({ baseOffset: 10, records: [], lastOffsetDelta: 4 });
    expect(decode({ bytes, position: 7 })).toMatchObject([{ startOffset: 7, endOffset: 15, count: 0, gapCount: 8 }]);
  });

  test('of another batch size is split at batches', () => {
    const value = 'x'.repeat(5 * 2 ** 20);
    const bytes = concat(...Array.from({ length: 7 }, (_, baseOffset) => encodeHuge(baseOffset, value)));
    const decoded = decode({ bytes });
    expect(decoded.map(({ count }) => count)).toEqual([4, 3]);
    expect(decoded.map(({ startOffset }) => startOffset)).toEqual([0, 4]);
  });
});

/** Without an array of its bytes on the way. */
function encodeHuge(baseOffset: number, value: string): Uint8Array {
  const small = Buffer.from(encodeTestBatch({ baseOffset, records: [record(0, null)] }));
  // Length, attributes, deltas, no key, then the value's size and the value, no headers.
  const varint = (size: number): number[] => (size * 2 < 128 ? [size * 2] : [...bytesOf(size * 2)]);
  const bytesOf = function* (rest: number): Generator<number> {
    for (; rest >= 128; rest = Math.floor(rest / 128)) yield (rest % 128) | 128;
    yield rest;
  };
  const size = varint(value.length);
  const body = concat(Uint8Array.of(0, 0, 0, 1, ...size), Buffer.from(value), Uint8Array.of(0));
  const batch = Buffer.concat([small.subarray(0, 61), Uint8Array.from(varint(body.length)), body]);
  batch.writeInt32BE(batch.length - 12, 8);
  return sealed(batch);
}

describe('transactions', () => {
  const batch = (baseOffset: number, producerId: number, isTransactional = true): TestBatch => ({
    baseOffset,
    producerId,
    isTransactional,
    records: [record(0, `p${producerId}`), record(1, `p${producerId}`)],
  });
  const log = [
    batch(0, 1),
    batch(2, 2),
    batch(4, 3, false),
    marker(6, 1, 'abort'),
    batch(7, 1),
    marker(9, 2, 'commit'),
    marker(10, 1, 'commit'),
    batch(11, 2),
    marker(13, 2, 'abort'),
  ];
  const bytes = concat(...log.map(encodeTestBatch));
  const aborted = [
    { producerId: 2, firstOffset: 11 },
    { producerId: 1, firstOffset: 0 },
  ];

  test('aborted ones are left out, up to their marker, by producer', () => {
    const decoded = decode({ bytes, aborted });
    expect(messagesOf(decoded, 0).map(({ offset }) => offset)).toEqual([2, 3, 4, 5, 7, 8]);
    expect(decoded).toMatchObject([{ controlCount: 4, abortedCount: 4, gapCount: 0, endOffset: 14 }]);
  });

  test('uncommitted reading has all but the markers', () => {
    const decoded = decode({ bytes, aborted: null });
    expect(messagesOf(decoded, 0)).toHaveLength(10);
    expect(decoded).toMatchObject([{ controlCount: 4, abortedCount: 0 }]);
  });

  test('from the middle of an aborted batch', () => {
    const decoded = decode({ bytes, aborted, position: 1 });
    expect(decoded).toMatchObject([{ startOffset: 1, controlCount: 4, abortedCount: 3, gapCount: 0 }]);
  });
});

describe('what is not of the format', () => {
  test.each(codecs)('every bit flipped in a batch of %s is found, or changes nothing', codec => {
    const good = [
      encodeTestBatch({ baseOffset: 0, records: [record(0, 'first')] }),
      encodeTestBatch({ baseOffset: 1, codec, records: [record(0, 'a', 'k'), record(1, 'b'), record(5, null)] }),
    ];
    const bytes = concat(...good);
    const wanted = messagesOf(decode({ bytes }), 0);
    for (let at = good[0]!.length; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= 1 << bit;
        const [batches, code] = decodeUntilFault({ partition: 0, bytes: flipped, position: 0, aborted: [] });
        const messages = messagesOf(batches, 0);
        // Outside the checksum lie base offset, length and leader's epoch: another offset cannot be told from a right one.
        const where = at - good[0]!.length;
        if (code === null && where >= 8) expect(messages).toEqual(messages.length === 1 ? wanted.slice(0, 1) : wanted);
        expect(messages[0]).toEqual(wanted[0]);
      }
  });

  test('with a right checksum: trouble, and what stands before it is given', () => {
    const first = encodeTestBatch({ baseOffset: 0, records: [record(0, 'fine')] });
    fc.assert(
      fc.property(
        recordsArbitrary,
        fc.constantFrom(...codecs),
        fc.nat(),
        fc.nat(255),
        (records, codec, where, byte) => {
          const second = encodeTestBatch({ baseOffset: 1, records: [...records], codec });
          second[21 + (where % (second.length - 21))] = byte;
          const bytes = concat(first, sealed(second));
          const [batches, code] = decodeUntilFault({ partition: 0, bytes, position: 0, aborted: [] });
          expect([null, 'CORRUPT_LOG', 'UNSUPPORTED']).toContain(code);
          let end = 0;
          for (const batch of batches) {
            expect(batch.startOffset).toBe(end);
            expect(batch.gapCount).toBeGreaterThanOrEqual(0);
            end = batch.endOffset;
          }
          expect(batches[0]!.offsets[0]).toBe(0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('any bytes: batches or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        decodeUntilFault({ partition: 0, bytes, position: 0, aborted: [] });
      }),
    );
  });

  test('says which partition, which offset, and what', () => {
    const old = encodeTestBatch({ baseOffset: 42, magic: 1, records: [record(0, 'x')] });
    expect(() => decode({ bytes: old, partition: 3 })).toThrow(/partition 3 .* offset 42 .* format 1/);
    const broken = encodeTestBatch({ baseOffset: 42, records: [record(0, 'x')] });
    broken[broken.length - 1]! ^= 1;
    expect(() => decode({ bytes: broken, partition: 3 })).toThrow(/partition 3 .* offset 42 that fails its CRC-32C/);
  });

  test('a count of records that cannot be is no allocation', () => {
    const batch = Buffer.from(encodeTestBatch({ baseOffset: 0, records: [record(0, 'x')] }));
    batch.writeInt32BE(0x7fff_fffe, 23);
    batch.writeInt32BE(0x7fff_ffff, 57);
    expect(() => decode({ bytes: sealed(batch) })).toThrow(/not as many bytes/);
  });
});
