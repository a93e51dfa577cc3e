import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import { secretReader } from '../../../src/boot/secrets.ts';

test('secrets are read where the reference points; what cannot be read names the reference alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-secret-'));
  try {
    const path = join(folder, 'password');
    writeFileSync(path, 'from a file\n');
    const env: Record<string, string> = { PASSWORD: 'from the environment', EMPTY: '' };
    const read = secretReader(env, nodeDisk);
    expect(await read('env:PASSWORD')).toBe('from the environment');
    expect(await read(`file:${path}`)).toBe('from a file');
    env.PASSWORD = 'replaced';
    expect(await read('env:PASSWORD')).toBe('replaced');
    await expect(read('env:NONE')).rejects.toThrow('the secret env:NONE cannot be read: the variable is not set');
    await expect(read('env:EMPTY')).rejects.toThrow('not set');
    await expect(read(`file:${path}.none`)).rejects.toThrow('ENOENT');
    await expect(read('a-literal-secret')).rejects.toThrow('neither env:NAME nor file:/path');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
