import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { Arena, alignmentBytes, arenaPagesMax, pageSizeBytes } from '../../../src/kernel/allocator.ts';

const megabyte = 1 << 20;

test('addresses are aligned, never 0, low ones first', () => {
  const arena = new Arena(4 * megabyte);
  const large = arena.allocate(100_000);
  const small = arena.allocate(100);
  expect(large).toBe(pageSizeBytes);
  expect(arena.sizeOf(large)).toBe(2 * pageSizeBytes);
  expect(arena.sizeOf(small)).toBe(128);
  expect(small % alignmentBytes).toBe(0);
  arena.free(large);
  expect(arena.allocate(2 * pageSizeBytes)).toBe(large);
});

test('small allocations share pages', () => {
  const arena = new Arena(8 * megabyte);
  const addresses = Array.from({ length: 1000 }, () => arena.allocate(1000));
  expect(arena.usedBytes).toBe(1000 * 1024);
  expect(Math.max(...addresses)).toBeLessThan(18 * pageSizeBytes);
  for (const address of addresses) arena.free(address);
  expect(arena.usedBytes).toBe(0);
  expect(arena.allocate(8 * megabyte - pageSizeBytes), 'pages of slots return whole').toBe(pageSizeBytes);
});

test('a full arena names the numbers, and takes what fits', () => {
  const arena = new Arena(megabyte);
  arena.allocate(megabyte / 2);
  const failure = (() => {
    try {
      arena.allocate(megabyte);
    } catch (error) {
      return (error as FaultError).fault;
    }
  })();
  expect(failure?.code).toBe('MEMORY_BUDGET');
  expect(failure?.message).toBe(
    "no room for 1048576 bytes: 524288 of the shard's 1048576 bytes are used, and the longest free run has 458752",
  );
  expect(arena.allocate(458_752)).toBeGreaterThan(0);
  expect(() => arena.allocate(1)).toThrow(FaultError);
});

test('a full arena asks for memory back before it refuses', () => {
  const arena = new Arena(megabyte);
  const cached = [arena.allocate(400_000), arena.allocate(400_000)];
  arena.reclaim = () => {
    const address = cached.shift();
    if (address === undefined) return false;
    arena.free(address);
    return true;
  };
  expect(arena.allocate(300_000)).toBeGreaterThan(0);
  expect(cached.length).toBe(1);
  expect(() => arena.allocate(megabyte)).toThrow('no room');
});

test('freeing what is not allocated is a bug', () => {
  const arena = new Arena(megabyte);
  const large = arena.allocate(pageSizeBytes);
  const small = arena.allocate(64);
  arena.allocate(64);
  arena.free(large);
  arena.free(small);
  for (const address of [large, small, 0, small + 1, megabyte]) expect(() => arena.free(address)).toThrow('invariant');
});

test('the largest arena can be addressed to its end', () => {
  const arena = new Arena(arenaPagesMax * pageSizeBytes);
  const sizeBytes = (arenaPagesMax - 1) * pageSizeBytes;
  const address = arena.allocate(sizeBytes);
  arena.f64[(address + sizeBytes - 8) / 8] = 2.5;
  expect(arena.f64.at(-1)).toBe(2.5);
  expect(() => new Arena(arenaPagesMax * pageSizeBytes + 1)).toThrow('65535 pages');
});

test('against a model: live allocations never overlap, and everything comes back', () => {
  const size = fc.oneof(fc.nat(300), fc.nat(pageSizeBytes), fc.nat(5 * pageSizeBytes));
  const step = fc.oneof(
    size.map(sizeBytes => ({ sizeBytes })),
    fc.nat().map(victim => ({ victim })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const arena = new Arena(2 * megabyte);
      const live: { address: number; end: number }[] = [];
      const free = (position: number): void => arena.free(live.splice(position, 1)[0]!.address);
      for (const step of steps) {
        if ('victim' in step) {
          if (live.length > 0) free(step.victim % live.length);
        } else {
          let address: number;
          try {
            address = arena.allocate(step.sizeBytes);
          } catch (error) {
            expect((error as FaultError).fault.code).toBe('MEMORY_BUDGET');
            continue;
          }
          const end = address + arena.sizeOf(address);
          expect(arena.sizeOf(address)).toBeGreaterThanOrEqual(step.sizeBytes);
          expect(address).toBeGreaterThanOrEqual(pageSizeBytes);
          expect(address % alignmentBytes).toBe(0);
          expect(end).toBeLessThanOrEqual(arena.capacityBytes);
          expect(live.some(other => address < other.end && other.address < end)).toBe(false);
          live.push({ address, end });
        }
        expect(arena.usedBytes).toBe(live.reduce((sum, { address, end }) => sum + end - address, 0));
      }
      while (live.length > 0) free(live.length - 1);
      expect(arena.usedBytes).toBe(0);
      expect(arena.allocate(2 * megabyte - pageSizeBytes)).toBe(pageSizeBytes);
    }),
  );
});
