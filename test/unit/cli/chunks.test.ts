import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chunk, splitLines } from '../../../src/cli/chunks.ts';

const chunkSizeBytes = 1_000;

async function split(bytes: Uint8Array, partSizes: readonly number[]): Promise<Chunk[]> {
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const size = partSizes[index % partSizes.length]!;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  };
  const chunks: Chunk[] = [];
  for await (const chunk of splitLines(parts(), chunkSizeBytes)) chunks.push(chunk);
  return chunks;
}

test('chunks are whole lines, the same however the file was read', async () => {
  const lineSizes = fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 12 });
  const partSizes = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(lineSizes, partSizes, partSizes, fc.boolean(), async (lines, sizes, otherSizes, ended) => {
      const text = lines.map(size => 'x'.repeat(size)).join('\n') + (ended ? '\n' : '');
      const bytes = Buffer.from(text);
      const chunks = await split(bytes, sizes);
      expect(Buffer.concat(chunks.map(chunk => chunk.bytes)).equals(bytes)).toBe(true);
      let line = 1;
      chunks.forEach((chunk, index) => {
        expect(chunk.index).toBe(index);
        expect(chunk.firstLine).toBe(line);
        line += chunk.bytes.filter(byte => byte === 10).length;
        if (index === chunks.length - 1) return;
        expect(chunk.bytes.at(-1)).toBe(10);
        expect(chunk.bytes.length).toBeGreaterThanOrEqual(chunkSizeBytes);
      });
      const others = await split(bytes, otherSizes);
      expect(others.map(chunk => chunk.bytes.length)).toEqual(chunks.map(chunk => chunk.bytes.length));
    }),
  );
});

test('a line without end is refused, not collected', async () => {
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1 << 20);
  };
  const read = async (): Promise<void> => {
    for await (const _ of splitLines(endless()));
  };
  await expect(read()).rejects.toMatchObject({ fault: { code: 'INVALID_ROWS' } });
});
