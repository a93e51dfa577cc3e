import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fault } from '../../src/base/fault.ts';
import { seededRandom } from '../support/random.ts';
import { type Life, openWorld, range, rowsText } from '../unit/ingest/world.ts';

/** A producer that sends each of its pushes again, under one key, until it is acknowledged. */
interface Push {
  readonly key: string;
  readonly ids: readonly number[];
  acknowledged: boolean;
}

/** Once the disk is gone, a push whose rows are durable but not visible waits for ever: a killed process answers nobody. */
const settled = (work: readonly Promise<void>[]): Promise<unknown> =>
  Promise.race([Promise.all(work), new Promise(resolve => setTimeout(resolve, 30))]);

test('whatever crashes, and whenever: every acknowledged row is published exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async seed => {
      const random = seededRandom(seed);
      const world = await openWorld({ segmentRows: 40 }, seed);
      const pushes: Push[] = [];
      let nextId = 0;
      let failing = true;
      let starting = false;
      let life: Life | null = null;
      const shaky = (name: string): void => {
        // Without its tables the role does not start at all.
        if (starting && (name === 'catalog' || name === 'partitions')) return;
        if (failing && random.next() < (name === 'append' ? 0.02 : 0.1)) throw fault('UNAVAILABLE', `${name} is away`);
      };
      const send = async (push: Push): Promise<void> => {
        try {
          const answer = await life!.push(rowsText(push.ids), { key: push.key });
          push.acknowledged = answer.accepted === push.ids.length;
        } catch {
          // Not acknowledged: it is sent again later.
        }
      };
      for (let round = 0; round < 4; round++) {
        world.calls = { before: shaky, after: shaky };
        failing = round < 3;
        starting = true;
        life = await world.start({ logFileSizeBytes: 3000 });
        starting = false;
        if (failing) world.disk.cutPowerAfter(Math.floor(random.next() * 150));
        const work: Promise<void>[] = pushes.filter(push => !push.acknowledged || random.next() < 0.2).map(send);
        for (let step = 0; step < 12; step++) {
          const ids = range(nextId, (nextId += 1 + Math.floor(random.next() * 30)));
          const push: Push = { key: `push ${pushes.length}`, ids, acknowledged: false };
          pushes.push(push);
          work.push(send(push));
          if (random.next() < 0.4) await settled(work.slice(0, -2));
        }
        if (failing) {
          await settled(work);
          if (random.next() < 0.5) world.powerCut();
          else world.kill();
          await life.ingest.stop().catch(() => {});
          await Promise.all(work);
        } else {
          await Promise.all(work);
          await Promise.all(pushes.filter(push => !push.acknowledged).map(send));
          expect(pushes.filter(push => !push.acknowledged)).toEqual([]);
          await life.client.call('commit', { tableId: world.definition.id });
          await life.ingest.stop();
        }
      }
      const ids = await world.publishedIds();
      expect([...ids].sort((a, b) => a - b)).toEqual(range(0, nextId));
      await world.close();
    }),
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);
