/** Real input: an hour-by-hour sample of Wikipedia's edits of one day, loaded by the command into the real process. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requires, sharedData } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';

const main = fileURLToPath(new URL('../../dist/src/boot/main.js', import.meta.url));
const file = sharedData('wikiticker-2015-09-12-sampled.json.gz');

requires('wikipedia')("Wikipedia's edits", () => {
  let folder: string;
  let weir: WeirProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-wikipedia-'));
    weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
  });
  afterAll(async () => {
    await weir?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const load = async (): Promise<string> => {
    const args = [main, 'load', file, '--table', 'wikipedia', '--url', weir.url];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  };

  async function checkSums(): Promise<void> {
    const totals = await ask(
      weir.url,
      'SELECT COUNT(*), SUM(added), SUM(deleted), COUNT(DISTINCT channel), COUNT(DISTINCT page), COUNT(cityName) FROM wikipedia',
    );
    expect(totals).toEqual([[39244, 9385573, 394298, 51, 35143, 2153]]);
    const channels = await ask(
      weir.url,
      'SELECT channel, COUNT(*) AS edits FROM wikipedia GROUP BY channel ORDER BY edits DESC LIMIT 3',
    );
    expect(channels).toEqual([
      ['#en.wikipedia', 11549],
      ['#vi.wikipedia', 9747],
      ['#de.wikipedia', 2523],
    ]);
  }

  test('loads every row, once, and keeps it through a kill', async () => {
    expect(await load()).toMatch(/39,244 rows loaded into wikipedia in .*, 0 rejected/);
    expect(await ask(weir.url, 'DESCRIBE wikipedia')).toHaveLength(20);
    await checkSums();

    expect(await load()).toMatch(/^0 rows loaded into wikipedia\n39,244 rows had been loaded before/);
    await checkSums();

    await weir.kill();
    weir = await startWeir({ args: ['--data', folder, '--no-demo', '--shards', '2'] });
    await checkSums();
    expect(await load()).toMatch(/^0 rows loaded into wikipedia\n39,244 rows had been loaded before/);
    await checkSums();
  });
});
