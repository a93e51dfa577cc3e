import { describe, expect, test } from 'vitest';
import { parseAddress, parseSizeBytes, shareMemory } from '../../../src/boot/settings.ts';

describe('sizes', () => {
  test.each([
    ['1073741824', 2 ** 30],
    ['512MB', 512 * 2 ** 20],
    ['512 MiB', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['2GB', 2 ** 31],
  ])('%s', (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

  test.each(['', 'much', '-1GB', '1PB', '1 2', 'GB', 'NaN'])('%j is none', text =>
    expect(() => parseSizeBytes(text)).toThrow(`${JSON.stringify(text)} is not a size`),
  );
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1:8090', '127.0.0.1', 8090],
    ['[::1]:0', '::1', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['8090', '127.0.0.1', 8090],
  ])('%s', (text, host, port) => expect(parseAddress(text)).toEqual({ host, port }));

  test.each(['', 'host', 'host:', ':1', 'host:65536', '::1:80', 'a b:1', 'host:-1'])('%j is none', text =>
    expect(() => parseAddress(text)).toThrow('is not an address'),
  );
});

test('the parts of the memory budget stay within it', () => {
  for (const memoryBytes of [256 << 20, 2 * 2 ** 30, 123_456_789_012])
    for (const shardCount of [1, 3, 16]) {
      const { arenaBytes, queryMemoryBytes } = shareMemory({ memoryBytes, shardCount } as never);
      expect(arenaBytes * shardCount + queryMemoryBytes).toBeLessThan(memoryBytes);
    }
});
