/** A cluster whose calls can be stopped one by one. */
import { systemRandom } from '../../src/base/system.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { FaultDisk } from './fault-disk.ts';

/** Stops whoever reaches a chosen step until told to go on. */
export class Gates {
  readonly #beforeCall: (name: string) => Promise<void>;
  readonly #closed = new Map<string, { reached: () => void; wait: Promise<void> }>();

  constructor(beforeCall: (name: string) => Promise<void>) {
    this.#beforeCall = beforeCall;
  }

  /** The next to reach the step stops there. `reached` resolves when it has; `open` lets it go on, or whoever comes then. */
  close(step: string): { reached: Promise<void>; open: () => void } {
    let open = (): void => {};
    let onReached = (): void => {};
    const wait = new Promise<void>(resolve => {
      open = resolve;
    });
    const reached = new Promise<void>(resolve => {
      onReached = resolve;
    });
    const gate = { reached: onReached, wait };
    this.#closed.set(step, gate);
    return {
      reached,
      open: () => {
        if (this.#closed.get(step) === gate) this.#closed.delete(step);
        open();
      },
    };
  }

  async pass(step: string): Promise<void> {
    const gate = this.#closed.get(step);
    if (!gate) return;
    this.#closed.delete(step);
    gate.reached();
    await gate.wait;
  }

  wrap<C extends object>(client: C): C {
    const { call, stream } = client as unknown as {
      call(name: string, ...rest: unknown[]): Promise<unknown>;
      stream(name: string, ...rest: unknown[]): AsyncGenerator<Uint8Array, unknown, void>;
    };
    const gates = this;
    return {
      async call(name: string, ...rest: unknown[]) {
        await gates.#beforeCall(name);
        await gates.pass(`before ${name}`);
        const result = await call.call(client, name, ...rest);
        await gates.pass(`after ${name}`);
        return result;
      },
      async *stream(name: string, ...rest: unknown[]) {
        await gates.pass(`before ${name}`);
        const frames = stream.call(client, name, ...rest);
        let next = await frames.next();
        await gates.pass(`after ${name}`);
        for (; !next.done; next = await frames.next()) yield next.value;
        return next.value;
      },
    } as unknown as C;
  }
}

/** @param beforeCall Awaited before each call that can be stopped. */
export async function openGated(
  beforeCall: (name: string) => Promise<void> = async () => {},
): Promise<{ cluster: Cluster; gates: Gates }> {
  const gates = new Gates(beforeCall);
  const cluster = await openCluster({
    shardCount: 2,
    arenaBytes: 32 << 20,
    // Hundreds of seals: a real disk's syncs would be most of the time.
    disk: new FaultDisk(systemRandom),
    // `run` is gated at the server, where a query calls it once.
    intercept: (role, client) =>
      (role === 'shard' ? withoutRun(gates, client as object) : gates.wrap(client as object)) as typeof client,
  });
  return { cluster, gates };
}

function withoutRun(gates: Gates, client: object): object {
  const plain = client as {
    stream(...args: unknown[]): unknown;
    call(name: string, ...rest: unknown[]): Promise<unknown>;
  };
  const gated = gates.wrap(client) as typeof plain;
  return {
    stream: plain.stream.bind(client),
    // `pin` is the server's call to be stopped at, and a shard's below it.
    call: (name: string, ...rest: unknown[]) =>
      name === 'pin' || name === 'release' ? plain.call.call(client, name, ...rest) : gated.call(name, ...rest),
  };
}
