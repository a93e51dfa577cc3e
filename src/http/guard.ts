/**
 * Who may talk to a server that trusts its machine. A page of another site can make a browser send requests to loopback,
 * directly (then `Origin` names that site) or by a name that it points at 127.0.0.1 (DNS rebinding: then `Host` does).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { fault } from '../base/fault.ts';

export interface GuardSettings {
  /** Where the server listens. */
  readonly host: string;
  /** Further names that clients may call it by, without port. */
  readonly hostNames: readonly string[];
  /** Further origins whose pages may call it: `https://grafana.example`. */
  readonly origins: readonly string[];
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** `example:8090` → `example`, `[::1]:8090` → `[::1]`; lower case. */
const nameOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');

/**
 * On loopback, or where names are configured, `Host` must be one of them; everywhere, `Origin` must be the server's own
 * or a configured one.
 * @throws FaultError FORBIDDEN
 */
export function createGuard({ host, hostNames, origins }: GuardSettings): (headers: IncomingHttpHeaders) => void {
  const names = new Set(hostNames.map(name => name.toLowerCase()));
  const checksHost = isLoopback(host) || names.size > 0;
  const allowedOrigins = new Set(origins.map(origin => origin.toLowerCase().replace(/\/$/, '')));
  return headers => {
    const called = headers.host ?? '';
    if (checksHost && !isLoopback(nameOf(called)) && !names.has(nameOf(called)))
      throw fault('FORBIDDEN', `this server does not answer as ${JSON.stringify(called.slice(0, 100))}`, {
        hint: 'call it by localhost or 127.0.0.1',
      });
    const { origin } = headers;
    if (origin === undefined || allowedOrigins.has(origin.toLowerCase())) return;
    if (!isOriginOf(origin, called))
      throw fault('FORBIDDEN', `pages of ${JSON.stringify(origin.slice(0, 100))} may not call this server`, {
        hint: 'open the page from this server itself',
      });
  };
}

function isOriginOf(origin: string, host: string): boolean {
  try {
    const { protocol, host: originHost } = new URL(origin);
    return (protocol === 'http:' || protocol === 'https:') && originHost === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}

/**
 * On every answer. `style-src` allows inline styles because the page's component library and editor write them;
 * scripts come from files of the server alone.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};
