import { type Fault, type FaultError, fault, toFault } from '../base/fault.ts';
import type { Random } from '../base/seams.ts';
import type { CallMap, CallOptions, Client, FrameStream } from './call.ts';
import { connect } from './connect.ts';
import { abortFault } from './message.ts';
import { type Multiplex, multiplex } from './multiplex.ts';
import { addressText, connectTcp, type TcpAddress, type TcpComponents, type TcpSettings } from './tcp.ts';

const firstDelayMs = 100;
/** What is down for long is asked no more often, and found no later, than this. */
const delayMsMax = 5_000;

/** Doubles with each failure (from 1), and differs by up to a quarter, so that processes do not come all at once. */
const reconnectDelayMs = (failureCount: number, random: Random): number =>
  Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(failureCount - 1, 16)) * (0.75 + 0.5 * random.next());

/** Another process, over one connection that is made when it is first called and made again whenever it is lost. */
export interface Remote {
  readonly address: TcpAddress;
  readonly connected: boolean;
  /**
   * The calls that a channel answers. They wait for the first attempt to connect; while the connection is down they fail at
   * once (UNAVAILABLE, naming the address). No call is ever made twice: whether one that was lost was carried out, only who
   * made it can find out.
   */
  client<Calls extends CallMap>(channel: string): Client<Calls>;
  /** Fails what is outstanding; nothing is connected again. */
  close(): void;
}

export interface RemoteSettings extends TcpSettings, TcpComponents {
  /** With each new connection, before any call: to serve channels to the other side over it. */
  readonly onConnect?: (connection: Multiplex) => void;
}

interface Connection {
  readonly channels: Multiplex;
  readonly clients: Map<string, Client<CallMap>>;
}

export function remote(address: TcpAddress, settings: RemoteSettings): Remote {
  const { clock, random, log, onConnect } = settings;
  const name = addressText(address);
  const closing = new AbortController();
  let connection: Connection | null = null;
  /** Settles with the first attempt; null: nobody has called yet. */
  let firstAttempt: Promise<void> | null = null;
  let trouble: Fault | null = null;

  /** Connects, once; `lost` resolves when the connection is lost. In an object, since a promise of a promise would wait for both. */
  const attempt = async (): Promise<{ readonly lost: Promise<void> }> => {
    const port = await connectTcp(address, settings);
    if (closing.signal.aborted) port.close();
    closing.signal.throwIfAborted();
    let lose = (): void => {};
    const lost = new Promise<void>(resolve => {
      lose = () => {
        connection = null;
        trouble = fault('UNAVAILABLE', 'the connection was lost').fault;
        resolve();
      };
    });
    const channels = multiplex({
      ...port,
      listen: (onMessage, onClose) =>
        port.listen(onMessage, () => {
          lose();
          onClose();
        }),
    });
    try {
      onConnect?.(channels);
    } catch (error) {
      port.close();
      throw error;
    }
    connection = { channels, clients: new Map() };
    log.info('connected to another process', { peer: name });
    return { lost };
  };

  /** Keeps a connection until `close`. */
  const keepConnected = async (onAttempted: () => void): Promise<void> => {
    for (let failureCount = 0; !closing.signal.aborted; ) {
      try {
        const { lost } = await attempt();
        failureCount = 0;
        onAttempted();
        await lost;
      } catch (error) {
        trouble = toFault(error);
        if (failureCount === 0) log.warn('another process cannot be reached', { peer: name, reason: trouble.message });
        onAttempted();
      }
      failureCount++;
      await clock.sleep(reconnectDelayMs(failureCount, random), closing.signal).catch(() => {});
    }
  };

  const unavailable = (call: string): FaultError =>
    fault('UNAVAILABLE', `${name} is not connected, ${call} was not sent${trouble ? `: ${trouble.message}` : ''}`, {
      hint: trouble?.hint ?? 'it is connected again as soon as it can be reached',
    });

  /** At once where there is a connection or was an attempt. */
  const clientOf = async (channel: string, call: string, signal?: AbortSignal): Promise<Client<CallMap>> => {
    if (closing.signal.aborted) throw fault('UNAVAILABLE', `the connection to ${name} was closed here`);
    firstAttempt ??= new Promise(resolve => void keepConnected(resolve));
    if (!connection && !trouble) await unlessAborted(firstAttempt, signal);
    if (!connection) throw unavailable(call);
    let client = connection.clients.get(channel);
    if (!client) {
      client = connect<CallMap>(connection.channels.channel(channel), name);
      connection.clients.set(channel, client);
    }
    return client;
  };

  async function* stream(channel: string, call: string, input: unknown, options: CallOptions): FrameStream<unknown> {
    const client = await clientOf(channel, call, options.signal);
    return yield* client.stream(call as never, input as never, options) as FrameStream<unknown>;
  }

  return {
    address,
    get connected() {
      return connection !== null;
    },
    client: <Calls extends CallMap>(channel: string) =>
      ({
        call: async (call: string, input: unknown, options: CallOptions = {}) =>
          (await clientOf(channel, call, options.signal)).call(call, input, options),
        stream: (call: string, input: unknown, options: CallOptions = {}) => stream(channel, call, input, options),
      }) as unknown as Client<Calls>,
    close() {
      closing.abort(fault('CANCELLED', 'the connection was closed'));
      connection?.channels.close();
    },
  };
}

/** Rejects as soon as the signal aborts; the work goes on. */
function unlessAborted(work: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortFault(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
