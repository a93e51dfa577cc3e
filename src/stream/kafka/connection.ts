/**
 * One connection to one broker: TCP or TLS, SASL, and a queue of requests, by kafkajs; what is in the requests and answers
 * is not its business.
 */
import Connection from 'kafkajs/src/network/connection.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import { fault } from '../../base/fault.ts';
import type { Clock } from '../../base/seams.ts';
import type { Credentials } from './credentials.ts';
import { type BrokerAddress, connectionFault, showAddress } from './errors.ts';
import { ProtocolReader } from './protocol-bytes.ts';

/** A handshake that takes longer is given up: connecting, what versions the broker has, and who we are, each. */
export const connectTimeoutMs = 5_000;
/** A broker that is silent for this long is gone, whatever TCP says. Kafka's own clients wait 30 s, and only then move on. */
export const requestTimeoutMs = 10_000;
const clientId = 'weir';

/** One request: where its versions differ, `version` says which. */
export interface ProtocolCall<T> {
  readonly api: Api;
  readonly version: number;
  /** After the request's header, which in flexible versions ends with the tags that `body` begins with. */
  readonly body: Buffer;
  /** Where in the answer the broker says for how many milliseconds it wants to be left alone; null: nowhere. */
  readonly throttleAt: number | null;
  decode(answer: Uint8Array): T;
}

export interface Api {
  readonly key: number;
  readonly name: string;
}

export interface BrokerConnection {
  readonly address: string;
  /** The newest of our versions that the broker has too. @throws FaultError UNSUPPORTED where there is none. */
  version(api: Api, ours: readonly number[]): number;
  /** @throws FaultError UNAVAILABLE, and the connection is of no use any more; FORBIDDEN. */
  call<T>(call: ProtocolCall<T>): Promise<T>;
  readonly isOpen: boolean;
  /** Calls in flight fail. */
  close(): void;
}

const apiVersions: Api = { key: 18, name: 'ApiVersions' };
const saslAuthenticate: Api = { key: 36, name: 'SaslAuthenticate' };

type Versions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>;

/** Connects, asks for versions, authenticates. @throws FaultError UNAVAILABLE or FORBIDDEN, naming the broker and the cause. */
export async function openConnection(
  address: BrokerAddress,
  credentials: Credentials,
  logger: unknown,
  clock: Clock,
): Promise<BrokerConnection> {
  const connection = new Connection({
    ...address,
    logger,
    clientId,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectTimeoutMs,
    socketFactory: socketFactory(),
    ssl: credentials.tls,
    sasl: credentials.sasl,
  });
  stopIdleLoop(connection);
  const close = (): void => closeConnection(connection);
  try {
    const versions = await within(clock, 3 * connectTimeoutMs, shakeHands(connection));
    return new OpenConnection(connection, showAddress(address), versions, credentials);
  } catch (error) {
    close();
    throw connectionFault(error, showAddress(address), credentials, 'handshake');
  }
}

async function shakeHands(connection: Connection): Promise<Versions> {
  await connection.connect();
  const versions = await send(connection, {
    api: apiVersions,
    version: 0,
    body: Buffer.alloc(0),
    throttleAt: null,
    decode: decodeVersions,
  });
  connection.setVersions(versions);
  connection.setSupportAuthenticationProtocol(versions[saslAuthenticate.key] !== undefined);
  await connection.authenticate();
  return versions;
}

function decodeVersions(answer: Uint8Array): Versions {
  const reader = new ProtocolReader(answer);
  reader.int16();
  const versions = reader.array(() => [reader.int16(), { minVersion: reader.int16(), maxVersion: reader.int16() }]);
  return Object.fromEntries(versions) as Versions;
}

class OpenConnection implements BrokerConnection {
  readonly address: string;
  readonly #connection: Connection;
  readonly #versions: Versions;
  readonly #credentials: Credentials;
  #isClosed = false;

  constructor(connection: Connection, address: string, versions: Versions, credentials: Credentials) {
    this.#connection = connection;
    this.address = address;
    this.#versions = versions;
    this.#credentials = credentials;
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#connection.isConnected();
  }

  version(api: Api, ours: readonly number[]): number {
    const { minVersion = 0, maxVersion = -1 } = this.#versions[api.key] ?? {};
    const common = ours.filter(version => version >= minVersion && version <= maxVersion);
    if (common.length > 0) return Math.max(...common);
    throw fault('UNSUPPORTED', `broker ${this.address} has no version of ${api.name} that Weir knows`, {
      hint: 'Weir reads from Apache Kafka 0.11 and later',
    });
  }

  async call<T>(call: ProtocolCall<T>): Promise<T> {
    try {
      return await send(this.#connection, call);
    } catch (error) {
      this.close();
      throw connectionFault(error, this.address, this.#credentials, 'call');
    }
  }

  close(): void {
    this.#isClosed = true;
    closeConnection(this.#connection);
  }
}

async function send<T>(
  connection: Connection,
  { api, version, body, throttleAt, decode }: ProtocolCall<T>,
): Promise<T> {
  const answer = await connection.send({
    request: {
      apiKey: api.key,
      apiName: api.name,
      apiVersion: version,
      encode: async () => ({ buf: body, buffer: body }),
    },
    response: {
      decode: async payload => ({
        clientSideThrottleTime: throttleAt === null ? 0 : payload.readInt32BE(throttleAt),
        payload,
      }),
      parse: async ({ payload }) => payload,
    },
    requestTimeout: requestTimeoutMs,
    logResponseError: false,
  });
  return decode(answer);
}

/**
 * After its first answer, kafkajs' queue wakes up every millisecond for ever to see whether something waits to be sent; here
 * only while something does.
 */
function stopIdleLoop({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
}

/** At once: kafkajs by itself waits until what is in flight was answered. */
function closeConnection(connection: Connection): void {
  connection.rejectRequests(new Error('the connection was closed'));
  connection.disconnect().catch(() => {});
  connection.socket?.destroy();
}

/** kafkajs' handshakes have gaps in which they wait for ever. */
async function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(timeoutMs, done.signal).then(() => {
    throw fault('UNAVAILABLE', `no answer within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => {});
    work.catch(() => {});
  }
}
