/**
 * Ports between processes: `listenTcp` takes connections, `connectTcp` makes one. Each is greeted before it is a port
 * (`greeting`), so that nobody who does not know the secret gets as far as a message.
 */
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { FaultError, fault, toFault } from '../base/fault.ts';
import type { Clock, Log, Random } from '../base/seams.ts';
import type { Port } from './call.ts';
import { greet, secretSizeBytesMin, silenceMsMax, silenceMsMin } from './greeting.ts';
import { tcpPort } from './tcp-port.ts';

export interface TcpAddress {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number;
}

export interface TcpSettings {
  /** At least 16 random bytes, the same on all sides; null: loopback addresses only. */
  readonly secret: Uint8Array | null;
  /**
   * PEM texts; null: no TLS. With `ca`, each side must show a certificate that it signed (the listening one, for the name
   * or address that was connected to). Without, any certificate will do: who it is, the secret proves, for this very session.
   */
  readonly tls: { readonly certificate: string; readonly key: string; readonly ca: string | null } | null;
  /** The longest that a peer may be silent, 100 to 60,000; the larger of both sides' holds. */
  readonly silenceMs?: number;
}

export interface TcpComponents {
  readonly clock: Clock;
  /** Fit for cryptography. */
  readonly random: Random;
  readonly log: Log;
}

export interface TcpListener {
  /** With the port that the system chose, where 0 was asked for. */
  readonly address: TcpAddress;
  /** Takes no more, and closes the ports; resolves when all are closed. */
  close(): Promise<void>;
}

/** Three missed heartbeats and the fourth: pauses of garbage collection stay below, and a caller waits no longer than it would try again. */
export const silenceMsDefault = 3_000;

/** Two round trips and two hashes, with TLS some more. A stranger who sends nothing holds a socket no longer than this. */
const greetingMsMax = 5_000;

/** Several for each of some hundred processes. Strangers too are counted until they fail to greet. */
const connectionCountMax = 1_024;

const keyingLabel = 'EXPORTER-weir-wire';
const keyingSizeBytes = 32;
/** In earlier versions a session's keying material is not bound to both certificates in every case. */
const minVersion = 'TLSv1.3';

export const addressText = ({ host, port }: TcpAddress): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  (isIP(host.replace(/^::ffff:/i, '')) === 4 && /^(::ffff:)?127\./i.test(host));

function assertLoopback(host: string, settings: TcpSettings, what: string): void {
  if (settings.secret === null && !isLoopback(host))
    throw fault('FORBIDDEN', `${what} without a secret: ${host} is no loopback address`, {
      hint: 'give all processes of the cluster the same secret of 16 random bytes or more, or use 127.0.0.1',
    });
}

function assertSettings({ secret, silenceMs = silenceMsDefault }: TcpSettings): void {
  if (secret !== null && secret.length < secretSizeBytesMin)
    throw fault(
      'INVALID_REQUEST',
      `the cluster's secret has ${secret.length} bytes, fewer than ${secretSizeBytesMin}`,
      {
        hint: 'make one with: openssl rand -hex 32',
        details: { limit: secretSizeBytesMin },
      },
    );
  if (!Number.isInteger(silenceMs) || silenceMs < silenceMsMin || silenceMs > silenceMsMax)
    throw fault('INVALID_REQUEST', `silenceMs is ${silenceMs}, not from ${silenceMsMin} to ${silenceMsMax}`);
}

const tlsOptions = ({ certificate, key, ca }: NonNullable<TcpSettings['tls']>) => ({
  cert: certificate,
  key,
  ca: ca ?? undefined,
  rejectUnauthorized: ca !== null,
  minVersion: minVersion as 'TLSv1.3',
});

/** A port once the peer has greeted, which it has `greetingMsMax` for. Destroys the socket where it fails. */
async function greeted(
  socket: Socket,
  role: 'client' | 'server',
  peer: string,
  settings: TcpSettings,
  { clock, random, log }: TcpComponents,
): Promise<Port> {
  const { secret, silenceMs: ownSilenceMs = silenceMsDefault } = settings;
  const done = new AbortController();
  let isLate = false;
  clock.sleep(greetingMsMax, done.signal).then(
    () => {
      isLate = true;
      socket.destroy();
    },
    () => {},
  );
  let failure: Error | null = null;
  const onError = (error: Error): void => {
    failure = error;
  };
  socket.on('error', onError);
  try {
    socket.setNoDelay(true);
    await opened(socket);
    if (failure) throw failure;
    assertLoopback(socket.remoteAddress ?? '', settings, 'a connection');
    const binding =
      socket instanceof TLSSocket
        ? socket.exportKeyingMaterial(keyingSizeBytes, keyingLabel, Buffer.alloc(0))
        : new Uint8Array();
    const silenceMs = await greet(socket, { role, secret, silenceMs: ownSilenceMs, binding, random });
    socket.off('error', onError);
    return tcpPort(socket, { peer, silenceMs, clock, log });
  } catch (error) {
    socket.destroy();
    if (isLate) throw fault('UNAVAILABLE', `${peer} did not greet within ${greetingMsMax} ms`);
    throw named(failure ?? error, peer);
  } finally {
    done.abort(fault('CANCELLED', 'the greeting is over'));
  }
}

/** Until the socket is connected (with TLS, both have agreed), or is closed. */
function opened(socket: Socket): Promise<void> {
  if (!socket.connecting) return Promise.resolve();
  return new Promise(resolve => {
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', resolve);
    socket.once('close', () => resolve());
  });
}

/** Says with whom. */
function named(error: unknown, peer: string): FaultError {
  if (error instanceof FaultError) {
    const { code, message, hint } = error.fault;
    return fault(code, `${peer}: ${message}`, { hint }, { cause: error });
  }
  const why = error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
  const hint = 'see that it runs and that the address is right';
  return fault('UNAVAILABLE', `${peer} cannot be reached: ${why}`, { hint }, { cause: error });
}

/**
 * Takes connections. `onPort` is called for each that has greeted; whoever does not is closed, with the reason in the log.
 * @throws FaultError FORBIDDEN without a secret on an address that is not loopback; PORT_IN_USE; INVALID_REQUEST
 */
export async function listenTcp(
  address: TcpAddress,
  settings: TcpSettings & TcpComponents,
  onPort: (port: Port, peer: { readonly address: string }) => void,
): Promise<TcpListener> {
  assertSettings(settings);
  assertLoopback(address.host, settings, `cannot listen on ${addressText(address)}`);
  const { tls, log } = settings;
  /** Sockets that have not greeted, by their peer; of TLS the one below. */
  const strangers = new Map<string, Socket>();
  const ports = new Set<Port>();
  const take = async (socket: Socket): Promise<void> => {
    const peer = peerOf(socket);
    try {
      const port = await greeted(socket, 'server', peer, settings, settings);
      strangers.delete(peer);
      ports.add(port);
      socket.once('close', () => ports.delete(port));
      if (server.listening) onPort(port, { address: peer });
      else port.close();
    } catch (error) {
      socket.destroy();
      log.warn('a connection was refused', { peer, reason: toFault(error).message });
    }
  };
  const server: Server = tls
    ? createTlsServer({ ...tlsOptions(tls), requestCert: tls.ca !== null, handshakeTimeout: greetingMsMax })
    : createServer();
  server.maxConnections = connectionCountMax;
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    strangers.set(peer, socket);
    socket.once('close', () => strangers.delete(peer));
  });
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => void take(socket));
  server.on('tlsClientError', (error, socket) =>
    log.warn('a connection was refused', { peer: socket.remoteAddress, reason: error.message }),
  );
  await listening(server, address);
  server.on('error', error => log.error('the listener between processes failed', { reason: error.message }));
  return {
    address: { host: address.host, port: (server.address() as { port: number }).port },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const port of ports) port.close();
        for (const socket of strangers.values()) socket.destroy();
      }),
  };
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  addressText({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 });

function listening(server: Server, address: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? fault('PORT_IN_USE', `${addressText(address)} is in use`, { hint: 'choose another port' })
          : fault('UNAVAILABLE', `cannot listen on ${addressText(address)}: ${error.message}`),
      ),
    );
    server.listen(address.port, address.host, resolve);
  });
}

/**
 * Connects and greets, once.
 * @throws FaultError naming the address: FORBIDDEN (secrets; no loopback address without one), UNAVAILABLE, CORRUPT_FRAME, UNSUPPORTED
 */
export async function connectTcp(address: TcpAddress, settings: TcpSettings & TcpComponents): Promise<Port> {
  assertSettings(settings);
  const peer = addressText(address);
  assertLoopback(address.host, settings, `cannot connect to ${peer}`);
  const { host, port } = address;
  const socket = settings.tls
    ? connectTls({ host, port, servername: isIP(host) ? undefined : host, ...tlsOptions(settings.tls) })
    : connect({ host, port });
  return greeted(socket, 'client', peer, settings, settings);
}
