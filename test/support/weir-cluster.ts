/** A cluster of real processes on loopback: the owner of the data folder, servers and brokers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, startWeir, type WeirProcess } from './weir-process.ts';

const small = ['--memory', '512MB', '--shards', '1', '--no-demo', '--log-level', 'info'];

export interface WeirCluster {
  readonly folder: string;
  /** Where processes join. */
  readonly address: string;
  readonly owner: WeirProcess;
  startOwner(args?: readonly string[]): Promise<WeirProcess>;
  /** In a data folder of that name. */
  startServer(name: string, args?: readonly string[]): Promise<WeirProcess>;
  startBroker(args?: readonly string[]): Promise<WeirProcess>;
  /** Resolves when so many servers have announced all that is placed on them. */
  settled(url: string, serverCount: number): Promise<void>;
  close(): Promise<void>;
}

/** @param ownerArgs Besides its roles, its folder and its port. @param env Of every process. */
export async function startCluster(
  ownerArgs: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<WeirCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-cluster-'));
  const running = new Set<WeirProcess>();
  const start = async (args: readonly string[]): Promise<WeirProcess> => {
    const weir = await startWeir({ args: [...small, ...args], env });
    running.add(weir);
    weir.child.once('exit', () => running.delete(weir));
    return weir;
  };
  let wire = '127.0.0.1:0';
  const startOwner = (args: readonly string[] = []): Promise<WeirProcess> =>
    start(['--roles', 'controller,ingest', '--data', `${folder}/owner`, '--wire', wire, ...ownerArgs, ...args]);
  const owner = await startOwner();
  wire = /--join (\S+)/.exec(owner.output())![1]!;
  return {
    ...{ folder, address: wire, owner, startOwner },
    startServer: (name, args = []) =>
      start(['--roles', 'server', '--data', `${folder}/${name}`, '--join', wire, ...args]),
    startBroker: (args = []) => start(['--roles', 'broker', '--join', wire, ...args]),
    async settled(url, serverCount) {
      const whole =
        "SELECT COUNT(*) FROM system.servers WHERE roles = 'server' AND state = 'live' AND segments_placed = segments_announced";
      await until(async () => Number((await ask(url, whole))[0]![0]) === serverCount);
    },
    async close() {
      for (const weir of running) weir.child.kill('SIGCONT');
      await Promise.all([...running].map(weir => weir.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Polls; what it throws meanwhile is no answer yet. */
export async function until(holds: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    const done = await holds().catch((error: unknown) => error);
    if (done === true) return;
    if (Date.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${done}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
