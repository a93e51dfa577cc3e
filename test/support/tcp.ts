import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { type Log, silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import type { Port } from '../../src/wire/call.ts';
import { connectTcp, listenTcp, type TcpComponents, type TcpListener, type TcpSettings } from '../../src/wire/tcp.ts';

/** Without a secret, over loopback; real time. */
export const openSettings: TcpSettings & TcpComponents = {
  secret: null,
  tls: null,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
};

export const loopback = { host: '127.0.0.1', port: 0 } as const;

/** Lines that were warnings, as `message: reason`. */
export function warnings(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: { ...silentLog, warn: (message, fields) => void lines.push(`${message}: ${fields?.reason}`) }, lines };
}

/** Two ports, one of each end of a connection. */
export async function tcpPair(
  settings = openSettings,
  farSettings = settings,
): Promise<{ near: Port; far: Port; listener: TcpListener }> {
  let onNear = (_: Port): void => {};
  const near = new Promise<Port>(resolve => {
    onNear = resolve;
  });
  const listener = await listenTcp(loopback, settings, onNear);
  const far = await connectTcp(listener.address, farSettings);
  return { near: await near, far, listener };
}

/** Two ends of a bare connection. */
export async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connectSocket((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  server.close();
  return { near, far };
}
