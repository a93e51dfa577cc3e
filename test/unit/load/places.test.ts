import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeFileTree } from '../../../src/base/node-file-tree.ts';
import { findFiles } from '../../../src/load/places.ts';

let root: string;
let allowed: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-places-')));
  allowed = join(root, 'in');
  mkdirSync(join(allowed, 'sub', 'deep'), { recursive: true });
  mkdirSync(join(root, 'in-other'));
  for (const path of ['a.csv', 'b.csv', 'sub/c.csv', 'sub/deep/d.csv', '[x].csv', '.hidden.csv'])
    writeFileSync(join(allowed, path), 'x\n1\n');
  writeFileSync(join(root, 'secret.csv'), 'x\n1\n');
  writeFileSync(join(root, 'in-other', 'e.csv'), 'x\n1\n');
  symlinkSync(join(root, 'secret.csv'), join(allowed, 'link.txt'));
  symlinkSync(root, join(allowed, 'up'));
  symlinkSync(join(allowed, 'a.csv'), join(allowed, 'inside.txt'));
  symlinkSync('loop.txt', join(allowed, 'loop.txt'));
  symlinkSync(allowed, join(root, 'alias'));
});
afterAll(() => rmSync(root, { recursive: true }));

const find = async (path: string, folders: readonly string[] = [allowed]): Promise<string[] | string> => {
  try {
    return (await findFiles(path, folders, nodeFileTree)).map(({ location }) => location.slice(root.length));
  } catch (error) {
    return (error as { fault: { code: string } }).fault.code;
  }
};

describe('found are', () => {
  test('a file, with what tells it from others', async () => {
    const [input] = await findFiles(join(allowed, 'a.csv'), [allowed], nodeFileTree);
    expect(input).toMatchObject({
      kind: 'path',
      location: join(allowed, 'a.csv'),
      name: join(allowed, 'a.csv'),
      sizeBytes: 4,
    });
    const again = await findFiles(join(allowed, 'a.csv'), [allowed], nodeFileTree);
    expect(again[0]!.fingerprint).toBe(input!.fingerprint);
    const [other] = await findFiles(join(allowed, 'b.csv'), [allowed], nodeFileTree);
    expect(other!.fingerprint).not.toBe(input!.fingerprint);
  });

  test('the files of a pattern, sorted; a name that only looks like one is that file', async () => {
    expect(await find(`${allowed}/?.csv`)).toEqual(['/in/a.csv', '/in/b.csv']);
    expect(await find(`${allowed}/**/*.csv`)).toEqual([
      ...['/in/[x].csv', '/in/a.csv', '/in/b.csv', '/in/sub/c.csv', '/in/sub/deep/d.csv'],
    ]);
    expect(await find(`${allowed}/{a,b}.csv`)).toEqual(['/in/a.csv', '/in/b.csv']);
    expect(await find(`${allowed}/[x].csv`)).toEqual(['/in/[x].csv']);
    expect(await find(`${allowed}/s*/deep/*`)).toEqual(['/in/sub/deep/d.csv']);
  });

  test('files by a link that stays inside, and in a folder that is named by a link', async () => {
    expect(await find(join(allowed, 'inside.txt'))).toEqual(['/in/a.csv']);
    expect(await find(join(root, 'alias', 'a.csv'), [join(root, 'alias')])).toEqual(['/in/a.csv']);
    expect(await find(join(allowed, 'a.csv'), [join(root, 'alias')])).toEqual(['/in/a.csv']);
    expect(await find(`${join(root, 'alias')}/a*`, [join(root, 'alias')])).toEqual(['/in/a.csv']);
  });
});

describe('refused is', () => {
  test('everything where no folder is allowed', async () => {
    expect(await find(join(allowed, 'a.csv'), [])).toBe('FORBIDDEN');
  });

  test.each([
    ['a file elsewhere', () => join(root, 'secret.csv'), 'FORBIDDEN'],
    ['one that is not there, elsewhere: nothing is told', () => join(root, 'nothing.csv'), 'FORBIDDEN'],
    ['a folder whose name begins alike', () => join(root, 'in-other', 'e.csv'), 'FORBIDDEN'],
    ['a way up', () => `${allowed}/../secret.csv`, 'INVALID_REQUEST'],
    ['a way up and back', () => `${allowed}/sub/../a.csv`, 'INVALID_REQUEST'],
    ['a way up inside a pattern', () => `${allowed}/*/../../secret.csv`, 'INVALID_REQUEST'],
    ['a way up in a choice', () => `${allowed}/{sub,../}secret.csv`, 'INVALID_REQUEST'],
    ['a relative path', () => 'a.csv', 'INVALID_REQUEST'],
    ['a link that leads out', () => join(allowed, 'link.txt'), 'FORBIDDEN'],
    ['a folder by a link that leads out', () => join(allowed, 'up', 'secret.csv'), 'FORBIDDEN'],
    ['a pattern behind a link that leads out', () => `${allowed}/up/*.csv`, 'FORBIDDEN'],
    ['a pattern for a link that leads out: links are not found', () => `${allowed}/link*`, 'NOT_FOUND'],
    ['a link to itself', () => join(allowed, 'loop.txt'), 'INVALID_REQUEST'],
    ['a file that is not there', () => join(allowed, 'none.csv'), 'NOT_FOUND'],
    ['a file as a folder', () => join(allowed, 'a.csv', 'b'), 'NOT_FOUND'],
    ['a pattern without files', () => `${allowed}/*.parquet`, 'NOT_FOUND'],
    ['a pattern in a folder that is not there', () => `${allowed}/none/*`, 'NOT_FOUND'],
    ['a folder', () => allowed, 'INVALID_REQUEST'],
    ['a NUL', () => `${allowed}/a.csv\0.txt`, 'INVALID_REQUEST'],
    ['a path without end', () => `${allowed}/${'x/'.repeat(5_000)}`, 'INVALID_REQUEST'],
    ['a name without end', () => `${allowed}/${'x'.repeat(300)}`, 'INVALID_REQUEST'],
  ])('%s', async (_, path, code) => {
    expect(await find(path())).toBe(code);
  });

  test('what a pattern finds through links that lead out', async () => {
    expect(await find(`${allowed}/**/secret.csv`)).toBe('NOT_FOUND');
    expect(await find(`${allowed}/u*/secret.csv`)).toBe('NOT_FOUND');
  });

  test("what the server's user may not read", async () => {
    const refuse = () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }));
    const files = { ...nodeFileTree, stat: refuse };
    await expect(findFiles(join(allowed, 'a.csv'), [allowed], files)).rejects.toThrow(
      "cannot be read by the server's user",
    );
  });
});
