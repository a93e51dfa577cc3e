/** The Dockerfile and the compose files, by running what they say in clean folders: no Docker is needed for that. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildImage, type Image, inRoot } from '../support/dockerfile.ts';
import { eventually } from '../support/eventually.ts';
import { requires } from '../support/requires.ts';
import { ask } from '../support/weir-process.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));

interface Service {
  readonly command: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly mem_limit: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
}

const compose = (file: string): Readonly<Record<string, Service>> =>
  (parse(readFileSync(join(clone, 'deploy', file), 'utf8'), { merge: true }) as { services: Record<string, Service> })
    .services;

requires('root')('the image', () => {
  let folder: string;
  let image: Image;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-image-'));
    chmodSync(folder, 0o755);
    // What Docker would be sent: the files under version control that `.dockerignore` lets through.
    const context = join(folder, 'context');
    const kept = readFileSync(join(clone, '.dockerignore'), 'utf8')
      .split('\n')
      .filter(line => line.startsWith('!'))
      .map(line => line.slice(1));
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...kept], {
      cwd: clone,
      encoding: 'utf8',
    });
    execFileSync('mkdir', [context]);
    execFileSync('sh', ['-c', 'tar cf - -T - | tar xf - -C "$0"', context], { cwd: clone, input: files });
    image = buildImage(join(clone, 'deploy/Dockerfile'), context, join(folder, 'stages'));
  }, 300_000);

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** As `docker run`: the entry point, as the image's user, who sees nothing of this test's environment. */
  const run = (args: readonly string[], change: (arg: string) => string): ChildProcess => {
    const [program, ...rest] = [...image.entrypoint, ...args];
    const child = spawn(program!, rest.map(change), {
      ...{ cwd: image.workingFolder, env: { PATH: process.env.PATH, ...image.environment }, ...image.user },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };

  const urlOf = (child: ChildProcess): Promise<string> =>
    new Promise((resolve, reject) => {
      let output = '';
      const listen = (text: Buffer): void => {
        output += String(text);
        const url = /Weir is ready: (http:\/\/[^/\s]+)\//.exec(output)?.[1];
        if (url) resolve(url);
      };
      child.stdout!.on('data', listen);
      child.stderr!.on('data', listen);
      child.on('exit', code => reject(new Error(`ended with ${code}: ${output}`)));
    });

  const isHealthy = (url: string): boolean => {
    const [program, ...args] = image.healthcheck;
    try {
      execFileSync(program!, args, {
        ...{ cwd: image.workingFolder, ...image.user },
        env: { PATH: process.env.PATH, ...image.environment, WEIR_URL: url },
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  };

  test('has what runs, and nothing of what builds', () => {
    expect(image.user).toEqual({ uid: 1000, gid: 1000 });
    expect(image.ports).toContain(8090);
    expect(image.volumes).toEqual(['/data']);
    expect(statSync(join(image.root, 'data')).uid).toBe(1000);
    expect(readdirSync(image.workingFolder).sort()).toEqual(['dist', 'node_modules', 'package.json']);
    for (const name of ['typescript', 'vite', 'vitest', 'playwright-core', '@duckdb/node-api'])
      expect(existsSync(join(image.workingFolder, 'node_modules', name)), name).toBe(false);
    const sizeBytes =
      1024 * Number(execFileSync('du', ['-sk', image.workingFolder], { encoding: 'utf8' }).split('\t')[0]);
    expect(sizeBytes).toBeLessThan(200 << 20);
  });

  test('starts as its CMD says, answers, is found healthy, stops on SIGTERM, and goes on where it was', async () => {
    // Any free port, so that nothing else on the machine is in the way.
    const change = (arg: string): string => inRoot(image, arg.replace('0.0.0.0:8090', '127.0.0.1:0'));
    const first = run(image.command, change);
    const url = await urlOf(first);
    expect(isHealthy(url)).toBe(true);
    await ask(url, 'CREATE TABLE t (a INT)');
    await ask(url, 'INSERT INTO t VALUES (1), (2)');
    const stopped = once(first, 'exit');
    first.kill('SIGTERM');
    expect(await stopped).toEqual([0, null]);
    expect(isHealthy(url)).toBe(false);
    const again = run(image.command, change);
    expect(await ask(await urlOf(again), 'SELECT SUM(a) FROM t')).toEqual([[3]]);
    again.kill('SIGTERM');
    await once(again, 'exit');
  });

  test('compose.yaml runs the same in one process, with a limit above its budget', async () => {
    const { weir } = compose('compose.yaml');
    expect(weir).toMatchObject({ read_only: true, cap_drop: ['ALL'], mem_limit: '2400m' });
    expect(weir!.ports!.every(port => port.startsWith('127.0.0.1:'))).toBe(true);
    expect(weir!.command).toContain('2GB');
    const data = mkdtempSync(join(folder, 'data-'));
    chmodSync(data, 0o777);
    const child = run(weir!.command, arg => arg.replace('0.0.0.0:8090', '127.0.0.1:0').replace(/^\/data$/, data));
    expect(await ask(await urlOf(child), 'SELECT 1')).toEqual([[1]]);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  test('compose.cluster.yaml runs a controller, two servers and a broker, which answer together', async () => {
    const services = compose('compose.cluster.yaml');
    // Every container has an address of its own there; here each has one of loopback's.
    const hosts = new Map(Object.keys(services).map((name, index) => [name, `127.0.0.${index + 2}`]));
    const secret = join(folder, 'secret');
    writeFileSync(secret, randomBytes(16).toString('hex'));
    chmodSync(secret, 0o644);
    const started = Object.entries(services).map(async ([name, service]) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
      const data = mkdtempSync(join(folder, `${name}-`));
      chmodSync(data, 0o777);
      const change = (arg: string): string =>
        arg
          .replace('0.0.0.0:8090', `${hosts.get(name)}:0`)
          .replace('/run/secrets/weir', secret)
          .replace(/^\/data$/, data)
          .replace(/^([a-z0-9-]+):(?=7001$)/, (_, host: string) => `${hosts.get(host)}:`);
      // The others' status is on the container's own loopback.
      const http = service.command.includes('--http') ? [] : ['--http', `${hosts.get(name)}:0`];
      return urlOf(run([...service.command, ...http], change));
    });
    const urls = await Promise.all(started);
    expect(urls.map(isHealthy)).toEqual(urls.map(() => true));
    const broker = urls[Object.keys(services).indexOf('broker')]!;
    await ask(broker, 'CREATE TABLE t (a INT)');
    await ask(broker, 'INSERT INTO t VALUES (1), (2), (4)');
    await ask(broker, 'COMMIT INGESTION t');
    await eventually(async () => {
      const placed = "SELECT COUNT(*) FROM system.servers WHERE roles = 'server' AND segments_announced = 1";
      expect(await ask(broker, placed)).toEqual([[2]]);
    }, 30_000);
    expect(await ask(broker, 'SELECT SUM(a) FROM t')).toEqual([[7]]);
  });
});
