/** README's five minutes, as pasted: every `sh` block runs, in order, against a real process with the demo. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { named, paste, readmeBlocks } from '../support/readme.ts';
import { startWeir, type WeirProcess } from '../support/weir-process.ts';

const blocks = await readmeBlocks('Five minutes');

describe('the tour', () => {
  let folder: string;
  let weir: WeirProcess;
  const outputs: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-readme-'));
    weir = await startWeir({ args: ['--data', folder] });
  });
  afterAll(async () => {
    await weir.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(named(blocks))('%s', async (_, index) => {
    outputs[index] = await paste(blocks[index]!, { url: weir.url });
    expect(outputs[index]).not.toBe('');
  });

  test('shows what it promises', () => {
    const all = outputs.join('\n').replaceAll('\r\n', '\n');
    expect(all).toContain('"complete":true');
    expect(all).toContain('"accepted":2,"rejected":1');
    expect(all).toContain('/home,1,12\n/pay,1,85');
    expect(all).toContain('bo,9007199254740993\nana,31');
    expect(all).toContain('inverted index on merchant');
    expect(all).toContain('did you mean merchant?');
  });
});
