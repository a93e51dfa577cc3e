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

test('the accounts and the process add up to the memory budget, columns and consuming rows sharing the arenas', () => {
  for (const memoryBytes of [512 << 20, 768 << 20, 2 * 2 ** 30, 123_456_789_012])
    for (const [shardCount, roles] of [
      [1, 'all'],
      [3, 'owner'],
      [16, 'server'],
      [2, 'broker'],
    ] as const) {
      const { processBytes, arenaBytes, queryMemoryBytes, limits } = shareMemory({ memoryBytes, shardCount, roles });
      const { columns, consuming, ...others } = limits;
      expect(columns).toBe(consuming);
      expect(arenaBytes * shardCount).toBeLessThanOrEqual(columns);
      expect(queryMemoryBytes).toBeLessThan(limits.queries);
      const sumBytes = Object.values(others).reduce((sum, bytes) => sum + bytes, columns + processBytes);
      expect(sumBytes).toBeLessThanOrEqual(memoryBytes);
      expect(sumBytes).toBeGreaterThan(memoryBytes - 1_000);
    }
});
