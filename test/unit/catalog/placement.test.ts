import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rendezvous, segmentServers } from '../../../src/catalog/placement.ts';

const names = fc.uniqueArray(fc.stringMatching(/^server-[0-9a-f]{12}$/), { minLength: 1, maxLength: 12 });
const segments = Array.from({ length: 300 }, (_, number) => `0123456789ab-0-${number * 1000}-abcdef${number}`);

test('a server that leaves moves its own segments and no others, and one that comes takes only what is its', () => {
  fc.assert(
    fc.property(names, fc.nat(), fc.integer({ min: 1, max: 3 }), (servers, pick, replicas) => {
      const leaving = servers[pick % servers.length]!;
      const others = servers.filter(server => server !== leaving);
      for (const segment of segments.slice(0, 50)) {
        const before = segmentServers(segment, servers, replicas);
        const after = segmentServers(segment, others, replicas);
        // Who held it still does; the place that became free goes to one that did not.
        expect(before.filter(server => server !== leaving).every(server => after.includes(server))).toBe(true);
        if (!before.includes(leaving)) expect(after).toEqual(before);
        expect(after.length).toBe(Math.min(replicas, others.length));
      }
    }),
  );
});

test('the order of the servers’ names changes nothing, and each segment has as many holders as replicas', () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 4 }), (servers, replicas) => {
      for (const segment of segments.slice(0, 20)) {
        const placed = segmentServers(segment, servers, replicas);
        expect(segmentServers(segment, servers.toReversed(), replicas)).toEqual(placed);
        expect(new Set(placed).size).toBe(Math.min(replicas, servers.length));
        expect(rendezvous(segment, servers).slice(0, placed.length)).toEqual(placed);
      }
    }),
  );
});

test('segments are spread evenly, also where names differ in their last digit alone', () => {
  const servers = Array.from({ length: 5 }, (_, number) => `server-00000000000${number}`);
  const many = Array.from({ length: 10_000 }, (_, number) => `0123456789ab-0-${number}-abcdef`);
  const counts = new Map(servers.map(server => [server, 0]));
  for (const segment of many) {
    const [server] = segmentServers(segment, servers, 1) as [string];
    counts.set(server, counts.get(server)! + 1);
  }
  // Five standard deviations of a fair draw.
  for (const count of counts.values()) expect(Math.abs(count - 2_000)).toBeLessThan(5 * Math.sqrt(10_000 * 0.2 * 0.8));
});
