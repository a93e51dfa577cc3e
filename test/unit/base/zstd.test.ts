import { describe, expect, test } from 'vitest';
import { decompressZstd, prepareZstd } from '../../../src/base/zstd.ts';
import { storedZstd } from '../../support/zstd.ts';

describe('zstd', () => {
  const content = Buffer.from('columns, not rows. '.repeat(50));

  test('frames are read, by both ways', async () => {
    expect(Buffer.from(decompressZstd(storedZstd(content), 1000))).toEqual(content);
    const decompress = await prepareZstd();
    expect(Buffer.from(decompress(storedZstd(content), content.length))).toEqual(content);
    expect(decompress(storedZstd(Buffer.alloc(0)), 0)).toEqual(new Uint8Array(0));
  });

  test('no more than the limit, nor another size than the one named', async () => {
    expect(() => decompressZstd(storedZstd(content), 949)).toThrow();
    const decompress = await prepareZstd();
    for (const size of [1, 949, 951]) expect(() => decompress(storedZstd(content), size)).toThrow();
    expect(() => decompress(content, 10)).toThrow();
    expect(Buffer.from(decompress(storedZstd(content), content.length))).toEqual(content);
  });

  test('a window that would take any memory is refused', () => {
    expect(() => decompressZstd(storedZstd(content, 0xffffffff), 2 ** 40)).toThrow(/its window is larger/);
  });
});
