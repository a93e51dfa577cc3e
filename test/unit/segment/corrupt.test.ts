import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../src/base/checksum.ts';
import { FaultError } from '../../../src/base/fault.ts';
import { isPooled, type Type } from '../../../src/column/type.ts';
import { Arena } from '../../../src/kernel/allocator.ts';
import type { ValueRange } from '../../../src/segment/block.ts';
import { readStatistics } from '../../../src/segment/statistics.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { buildTestSegment, everyType, everyTypeTable, openTestSegment, readSegment } from './stored-fixtures.ts';

const store = new MemoryStore();
const entry = await buildTestSegment(store, everyType, 60, { definition: everyTypeTable });
const folder = `${entry.tableId}/${entry.id}`;
const manifestKey = `${folder}/manifest-1.json`;
const arena = new Arena(16 << 20);

/** Everything that can be read of a segment, as one text: values, statistics, and what every index says. */
async function readAll(from: MemoryStore): Promise<string> {
  const opened = await openTestSegment(entry, from, arena);
  try {
    const all: unknown[] = await readSegment(opened);
    const { columns, indexes } = opened.segment.manifest;
    all.push(columns.map(({ id, name, zone, blocks }) => [id, name, zone, blocks.map(block => block.zone)]));
    for (const { kind, columnId, count } of indexes) {
      const { indexes: by } = opened.segment;
      const { blocks } = opened.segment;
      if (kind === 'bloom') {
        const bloom = by.bloom(columnId)!;
        for (const value of probesOf(columns.find(({ id }) => id === columnId)!.type))
          all.push([
            kind,
            columnId,
            bloom.mayHold(value, null),
            blocks.map(({ index }) => bloom.mayHold(value, index)),
          ]);
      } else if (kind === 'range') {
        const range = by.range(columnId)!;
        for (const probe of probesOf(columns.find(({ id }) => id === columnId)!.type))
          for (const { index } of blocks) {
            const words = new Uint32Array(2_048).fill(0xffff_ffff);
            range.narrow(probe as ValueRange, index, words, 2);
            all.push([kind, columnId, words.subarray(0, 2).join()]);
          }
      } else {
        const bitmaps = (kind === 'null' ? by.nulls(columnId) : by.inverted(columnId))!;
        const words = new Uint32Array(2_048);
        for (let code = 0; code < count && code < 100; code++) {
          for (const { index } of blocks) bitmaps.select(code, index, words.fill(0));
          all.push([kind, columnId, code, bitmaps.cardinality(code), words.subarray(0, 2).join()]);
        }
      }
    }
    all.push([...readStatistics(opened.segment.manifest).values()]);
    return JSON.stringify(all, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  } finally {
    opened.segment.close();
  }
}

/** Values and ranges to ask indexes for. */
function probesOf(type: Type): readonly (Uint8Array | ValueRange)[] {
  if (isPooled(type)) return ['ab', 'payment-7919', 'nobody'].map(text => new TextEncoder().encode(text));
  const isDouble = type.name === 'FLOAT' || type.name === 'DOUBLE';
  return [-50, 0, 3, 1e12].map(value => {
    const bound = isDouble ? value : BigInt(value);
    return { type, low: bound, high: value === 0 ? (isDouble ? 7 : 7n) : bound, nan: false };
  });
}

const original = await readAll(store);

async function outcome(key: string, bytes: Uint8Array): Promise<string> {
  const damaged = new MemoryStore();
  for (const [each, content] of store.objects) damaged.objects.set(each, content);
  damaged.objects.set(key, bytes);
  try {
    return (await readAll(damaged)) === original ? 'same' : 'different';
  } catch (error) {
    expect(error).toBeInstanceOf(FaultError);
    return (error as FaultError).fault.code;
  }
}

test('any flipped byte is found, or was nothing that matters', async () => {
  for (const [key, content] of store.objects) {
    const seen = new Map<string, number>();
    // Each byte takes a few ms: some hundred, spread over every file's header, buffers and paddings.
    const step = content.length > 2_000 ? Math.floor(content.length / 150) : 7;
    for (let at = 0; at < content.length; at += step) {
      const bytes = content.slice();
      bytes[at]! ^= 1 << (at % 8);
      const result = await outcome(key, bytes);
      seen.set(result, (seen.get(result) ?? 0) + 1);
    }
    expect([key, [...seen.keys()].filter(result => result !== 'same' && result !== 'CORRUPT_SEGMENT')]).toEqual([
      key,
      [],
    ]);
    expect([key, seen.get('CORRUPT_SEGMENT') ?? 0]).not.toEqual([key, 0]);
    if (key === manifestKey) expect(seen.get('same')).toBeUndefined();
  }
}, 60_000);

test('any file cut anywhere is found, or lost nothing that matters', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...store.objects.keys()),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (key, part) => {
        const content = store.objects.get(key)!;
        expect(['same', 'CORRUPT_SEGMENT']).toContain(
          await outcome(key, content.slice(0, Math.floor(part * content.length))),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('a missing file is corruption with its name', async () => {
  const damaged = new MemoryStore();
  damaged.objects.set(manifestKey, store.objects.get(manifestKey)!);
  await expect(readAll(damaged)).rejects.toThrow(`${folder}/columns.arrow is missing`);
});

test('a damaged buffer is named, and counted', async () => {
  const damaged = new MemoryStore();
  for (const [each, content] of store.objects) damaged.objects.set(each, content.slice());
  const opened = await openTestSegment(entry, damaged, arena);
  const city = opened.segment.manifest.columns.find(column => column.name === 'city')!;
  damaged.objects.get(`${folder}/columns.arrow`)![city.blocks[0]!.buffers.at(-1)!.offset]! ^= 1;
  await opened.segment.blocks[0]!.load([1, 12]);
  await expect(opened.segment.blocks[0]!.load([1, city.id])).rejects.toThrow(
    /^segment 0123456789ab-0-100-aaaa, column city, block 0 fails its checksum in columns.arrow: [0-9a-f]{8} instead of [0-9a-f]{8}$/,
  );
  expect(opened.cache.stats.corruptCount).toBe(1);
  opened.segment.close();
  expect(arena.usedBytes).toBe(0);
});

/** The manifest with another body and a checksum that holds: damage by a program, not by a disk. */
function sign(document: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(document).slice(0, -1));
  return Buffer.concat([body, Buffer.from(`,"crc32c":"${crc32c(body).toString(16).padStart(8, '0')}"}\n`)]);
}

type Container = Record<string, unknown>;

/** Every place in a JSON document, as a container and a key. */
function placesOf(node: unknown, places: [Container, string][] = []): [Container, string][] {
  if (typeof node === 'object' && node !== null)
    for (const key of Object.keys(node)) {
      places.push([node as Container, key]);
      placesOf((node as Container)[key], places);
    }
  return places;
}

test('a manifest that lies is refused or read, but breaks nothing', async () => {
  const text = Buffer.from(store.objects.get(manifestKey)!).toString();
  const placeCount = placesOf(JSON.parse(text)).length;
  const lies = fc.oneof(
    fc.constantFrom<unknown>(null, -1, 0, 1, 2 ** 31, 2 ** 53, 1.5, '', 'x', 'n1', 'sx', [], {}, [1], true),
    fc.integer({ min: -70_000, max: 70_000 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(placeCount - 1), lies, async (place, lie) => {
      const document = JSON.parse(text) as Container;
      const [container, key] = placesOf(document)[place]!;
      if (key === 'crc32c') return;
      delete document.crc32c;
      container[key] = lie;
      // Values may differ where zone maps or names lie: what must hold is that nothing but a fault comes out.
      expect(['same', 'different', 'CORRUPT_SEGMENT']).toContain(await outcome(manifestKey, sign(document)));
    }),
    { numRuns: 600 },
  );
}, 60_000);

test('another version says which', async () => {
  const document = JSON.parse(Buffer.from(store.objects.get(manifestKey)!).toString()) as Container;
  delete document.crc32c;
  const damaged = new MemoryStore();
  damaged.objects.set(manifestKey, sign({ ...document, version: 3 }));
  await expect(readAll(damaged)).rejects.toThrow(`${manifestKey} has version 3; this Weir reads versions 1, 2`);
});
