import { expect, test } from 'vitest';
import { silentLog } from '../../../src/base/seams.ts';
import { RejectLog } from '../../../src/stream/rejects.ts';
import { verifyRejects } from '../../../src/stream/verify.ts';
import { diskError, FaultDisk } from '../../sim/fault-disk.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const ofPush = { partition: null, offset: null, line: null, idempotencyKey: null, column: null };

async function world() {
  const disk = new FaultDisk(seededRandom(1));
  await disk.makeFolder('/log/table');
  const clock = new ManualClock(0);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const lines = (name: string) =>
    Buffer.from(disk.bytes(`/log/table/${name}`))
      .toString()
      .trimEnd()
      .split('\n')
      .map(line => {
        const { crc32c, ...entry } = JSON.parse(line);
        expect(crc32c).toMatch(/^[0-9a-f]{8}$/);
        return entry;
      });
  return { disk, rejects: new RejectLog('/log/table', { disk, clock, log }), lines, warnings };
}

test('rejected rows are kept with line, column, reason, time, key and text', async () => {
  const { rejects, lines } = await world();
  rejects.add([
    {
      ...ofPush,
      line: 3,
      idempotencyKey: 'key',
      column: 'amount',
      reason: '"x" is not a LONG',
      text: '{"amount":"x"}',
    },
  ]);
  rejects.add([]);
  rejects.add([{ ...ofPush, line: 1, reason: 'broken', text: 'é\n' }]);
  await rejects.close();
  expect(lines('rejects.ndjson')).toEqual([
    {
      time: '1970-01-01T00:00:00.000Z',
      partition: null,
      offset: null,
      line: 3,
      column: 'amount',
      reason: '"x" is not a LONG',
      idempotencyKey: 'key',
      text: '{"amount":"x"}',
    },
    { time: '1970-01-01T00:00:00.000Z', ...ofPush, line: 1, reason: 'broken', text: 'é\n' },
  ]);
});

test('the file is bounded: a full one is kept once', async () => {
  const { disk, rejects, lines } = await world();
  const push = Array.from({ length: 2_000 }, (_, line) => ({
    ...ofPush,
    line,
    reason: 'r',
    text: 'x'.repeat(1000),
  }));
  for (let round = 0; round < 20; round++) rejects.add(push.map(row => ({ ...row, idempotencyKey: `${round}` })));
  await rejects.close();
  expect(disk.paths).toEqual(['/log/table/rejects.1.ndjson', '/log/table/rejects.ndjson']);
  expect(lines('rejects.ndjson').at(-1)).toMatchObject({ line: 999, idempotencyKey: '19' });
  for (const path of disk.paths) expect(disk.bytes(path).length).toBeLessThan(8 << 20);
});

test('a disk that refuses costs a warning, and the next rows are kept', async () => {
  const { disk, rejects, lines, warnings } = await world();
  disk.onStep = (step, path) => (step === 'write' ? diskError('EIO', path) : null);
  rejects.add([{ ...ofPush, line: 1, reason: 'r', text: '' }]);
  await rejects.close();
  expect(warnings).toEqual(['rejected rows could not be logged']);
  disk.onStep = () => null;
  rejects.add([{ ...ofPush, line: 2, reason: 'r', text: '' }]);
  await rejects.close();
  expect(lines('rejects.ndjson')).toMatchObject([{ line: 2 }]);
});

test('what is kept can be read again: each message once, its last reason, over both files', async () => {
  const { disk, rejects } = await world();
  const ofMessage = { ...ofPush, partition: 2, text: '{' };
  rejects.add([{ ...ofMessage, offset: 7, reason: 'first' }]);
  rejects.add([{ ...ofPush, line: 1, reason: 'a row', text: 'x' }]);
  rejects.add([{ ...ofMessage, offset: 7, reason: 'again' }]);
  rejects.add([{ ...ofMessage, offset: 8, reason: 'other' }]);
  await rejects.close();
  await disk.rename('/log/table/rejects.ndjson', '/log/table/rejects.1.ndjson');
  rejects.add([{ ...ofPush, line: 2, reason: 'later', text: 'x' }]);
  expect((await rejects.read()).map(({ offset, line, reason }) => [offset, line, reason])).toEqual([
    [7, null, 'again'],
    [null, 1, 'a row'],
    [8, null, 'other'],
    [null, 2, 'later'],
  ]);
});

test('a line of which any byte is flipped is left out, and found by the check; the others stand', async () => {
  const { disk, rejects } = await world();
  for (const line of [1, 2, 3]) rejects.add([{ ...ofPush, line, reason: 'broken', text: 'é' }]);
  await rejects.close();
  const bytes = disk.bytes('/log/table/rejects.ndjson');
  const lineSize = bytes.length / 3;
  expect(await verifyRejects(disk, '/log/table')).toEqual({ problems: [], tornFiles: [] });
  for (let at = lineSize; at < 2 * lineSize; at++) {
    bytes[at]! ^= 4;
    const kept = (await rejects.read()).map(({ line }) => line);
    expect([at, kept]).toEqual([at, at === 2 * lineSize - 1 ? [1] : [1, 3]]);
    expect((await verifyRejects(disk, '/log/table')).problems).toMatchObject([{ place: 'line 2' }]);
    bytes[at]! ^= 4;
  }
});
