import { expect, test } from 'vitest';
import { crc32c } from '../../../src/base/checksum.ts';
import { systemClock, systemRandom } from '../../../src/base/system.ts';

test('the clock sleeps, and wakes with the reason of an abort', async () => {
  const before = systemClock.monotonicMs();
  await systemClock.sleep(5);
  expect(systemClock.monotonicMs() - before).toBeGreaterThan(3);
  const controller = new AbortController();
  const asleep = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error('enough'));
  await expect(asleep).rejects.toThrow('enough');
  await expect(systemClock.sleep(1, controller.signal)).rejects.toThrow('enough');
});

test('chance: digits of any number, and no two alike', () => {
  expect(systemRandom.hex(7)).toMatch(/^[0-9a-f]{7}$/);
  expect(systemRandom.hex(32)).not.toBe(systemRandom.hex(32));
  expect(systemRandom.next()).toBeLessThan(1);
});

test('the checksum is CRC-32C, and goes on from an earlier part', () => {
  const bytes = new TextEncoder().encode('123456789');
  expect(crc32c(bytes)).toBe(0xe3069283);
  expect(crc32c(bytes.subarray(4), crc32c(bytes.subarray(0, 4)))).toBe(0xe3069283);
});
