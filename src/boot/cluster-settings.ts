/** What `weir start` is told about its cluster. */
import { fault } from '../base/fault.ts';
import type { SecretReference } from '../catalog/table.ts';
import { parseAddress, type Roles, type StartSettings } from './settings.ts';

export interface ClusterFlags {
  readonly join?: string;
  readonly wire?: string;
  readonly secret?: string;
  readonly wireTlsCertificate?: string;
  readonly wireTlsKey?: string;
  readonly wireTlsCa?: string;
  readonly data?: string;
}

const refused = (message: string, hint: string): Error => fault('INVALID_REQUEST', message, { hint });

/** @throws FaultError INVALID_REQUEST where flags do not fit the roles or each other */
export function clusterSettings(
  roles: Roles,
  flags: ClusterFlags,
): Pick<StartSettings, 'join' | 'wire' | 'secret' | 'wireTls'> {
  const joins = roles === 'server' || roles === 'broker';
  if (joins && flags.join === undefined)
    throw refused(
      `--roles ${roles} needs --join`,
      "name the controller's process: --join HOST:PORT, as it has in --wire",
    );
  if (!joins && flags.join !== undefined)
    throw refused('only servers and brokers join', 'give --roles server or --roles broker, or leave --join out');
  if (roles === 'server' && flags.data === undefined)
    throw refused('--roles server needs --data', 'name a folder for copies of segments, of its own for each server');
  const { secret, wireTlsCertificate: certificate, wireTlsKey: key, wireTlsCa: ca } = flags;
  if ((certificate === undefined) !== (key === undefined) || (ca !== undefined && key === undefined))
    throw refused('TLS needs a certificate and its key', 'give --wire-tls-certificate and --wire-tls-key');
  return {
    join: flags.join === undefined ? null : parseAddress(flags.join),
    wire: flags.wire === undefined ? null : parseAddress(flags.wire),
    secret: secret === undefined ? null : referenceOf('--secret', secret),
    wireTls:
      certificate === undefined || key === undefined
        ? null
        : {
            certificate: referenceOf('--wire-tls-certificate', certificate),
            key: referenceOf('--wire-tls-key', key),
            ca: ca === undefined ? null : referenceOf('--wire-tls-ca', ca),
          },
  };
}

/** What is no reference may be the secret itself: it is not shown. */
function referenceOf(flag: string, text: string): SecretReference {
  if (/^(env|file):./s.test(text)) return text;
  throw refused(`${flag} takes a place, not the secret itself`, 'write env:NAME or file:/path');
}
