/** How processes of a cluster meet: addresses, the secret, TLS. */
import { FaultError, fault, toFault } from '../../base/fault.ts';
import { addressText, connectTcp, type TcpAddress, type TcpComponents, type TcpSettings } from '../../wire/tcp.ts';
import type { Boot } from '../boot.ts';
import { secretReader } from '../secrets.ts';
import type { StartSettings } from '../settings.ts';

export type WireSettings = TcpSettings & TcpComponents;

/** Reads what the references point at. @throws FaultError FORBIDDEN */
export async function wireSettings({ settings, world }: Boot): Promise<WireSettings> {
  const { secret, wireTls } = settings;
  const read = secretReader(process.env, world.disk);
  return {
    ...world,
    secret: secret === null ? null : new TextEncoder().encode(await read(secret)),
    tls: wireTls && {
      certificate: await read(wireTls.certificate),
      key: await read(wireTls.key),
      ca: wireTls.ca && (await read(wireTls.ca)),
    },
  };
}

const wildcards = ['0.0.0.0', '::'];
const loopback: TcpAddress = { host: '127.0.0.1', port: 0 };
const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Where a process that joins is found by the others. @throws FaultError INVALID_REQUEST */
export function ownAddress({ wire, join }: StartSettings): TcpAddress {
  if (wire === null && join !== null && !isLoopback(join.host))
    throw fault('INVALID_REQUEST', 'the other processes would not find this one at 127.0.0.1', {
      hint: 'name an address of this machine that they reach: --wire HOST:PORT',
    });
  if (wire !== null && wildcards.includes(wire.host))
    throw fault('INVALID_REQUEST', `--wire ${addressText(wire)} is no address that another process can connect to`, {
      hint: 'name the address at which the others reach this machine',
    });
  return wire ?? loopback;
}

/** How long a controller that is not up yet is waited for before the start fails: processes of a cluster start at once. */
const patienceMs = 15_000;
const stepMs = 250;

/**
 * Connects once, so that a wrong address, secret or certificate ends the start with its reason instead of being tried for ever.
 * @throws FaultError FORBIDDEN, UNSUPPORTED, CORRUPT_FRAME; UNAVAILABLE after `patienceMs`
 */
export async function tryController(address: TcpAddress, wire: WireSettings): Promise<void> {
  const untilMs = wire.clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      (await connectTcp(address, wire)).close();
      return;
    } catch (error) {
      if (!isNotUp(error) || wire.clock.monotonicMs() > untilMs) throw error;
      await wire.clock.sleep(stepMs);
    }
  }
}

/** Nobody listens there yet, or it is too busy to greet; who judged the greeting will judge the next one alike. */
const isNotUp = (error: unknown): boolean =>
  toFault(error).code === 'UNAVAILABLE' && !((error as Error).cause instanceof FaultError);
