/** README's tour, as pasted: every `sh` block runs, in order, against a real process with the demo. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWeir, type WeirProcess } from '../support/weir-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1]!);

/** Where the tour says 8090, this process listens elsewhere. */
async function paste(block: string, url: string): Promise<string> {
  const script = block.replaceAll('http://127.0.0.1:8090', url);
  const { stdout, stderr } = await promisify(execFile)('bash', ['-euc', script], {
    cwd: root,
    env: { ...process.env, WEIR_URL: url },
  });
  return stdout + stderr;
}

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

  test.each(blocks.map((block, index) => [block.trim().split('\n')[0]!.slice(0, 80), index] as const))(
    '%s',
    async (_, index) => {
      outputs[index] = await paste(blocks[index]!, weir.url);
      expect(outputs[index]).not.toBe('');
    },
  );

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
