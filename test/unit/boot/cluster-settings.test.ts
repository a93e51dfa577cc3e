import { describe, expect, test } from 'vitest';
import { ownAddress } from '../../../src/boot/cluster/wire-settings.ts';
import { type ClusterFlags, clusterSettings } from '../../../src/boot/cluster-settings.ts';
import { parseRoles, type Roles, type StartSettings } from '../../../src/boot/settings.ts';

test.each([
  ['all', 'all'],
  ['controller,ingest', 'owner'],
  ['ingest, controller', 'owner'],
  ['controller,ingest,server,broker', 'all'],
  ['server', 'server'],
  ['broker', 'broker'],
])('--roles %s', (text, roles) => expect(parseRoles(text)).toBe(roles));

test.each(['', 'ingest', 'controller', 'server,broker', 'al', 'controller,ingest,server'])(
  '--roles %j is nothing',
  text => expect(() => parseRoles(text)).toThrow('is nothing that one process can be'),
);

describe('what does not fit', () => {
  test.each<[Roles, ClusterFlags, string]>([
    ['server', { data: 'x' }, '--roles server needs --join'],
    ['broker', {}, '--roles broker needs --join'],
    ['server', { join: '127.0.0.1:1' }, '--roles server needs --data'],
    ['all', { join: '127.0.0.1:1' }, 'only servers and brokers join'],
    ['owner', { join: '127.0.0.1:1' }, 'only servers and brokers join'],
    ['all', { secret: 'the secret itself' }, 'takes a place, not the secret itself'],
    ['all', { wireTlsCertificate: 'file:/c' }, 'TLS needs a certificate and its key'],
    ['all', { wireTlsCa: 'file:/c' }, 'TLS needs a certificate and its key'],
    ['all', { wire: 'nowhere' }, 'is not an address'],
  ])('%s %j', (roles, flags, why) => {
    expect(() => clusterSettings(roles, flags)).toThrow(why);
  });
});

test('what does', () => {
  expect(
    clusterSettings('broker', {
      ...{ join: '10.0.0.1:7001', wire: '10.0.0.2:7002', secret: 'env:S' },
      ...{ wireTlsCertificate: 'file:/c', wireTlsKey: 'file:/k' },
    }),
  ).toEqual({
    join: { host: '10.0.0.1', port: 7001 },
    wire: { host: '10.0.0.2', port: 7002 },
    secret: 'env:S',
    wireTls: { certificate: 'file:/c', key: 'file:/k', ca: null },
  });
  expect(clusterSettings('all', {})).toEqual({ join: null, wire: null, secret: null, wireTls: null });
});

describe('where the others find a process', () => {
  const at = (wire: StartSettings['wire'], join: StartSettings['join']) => ownAddress({ wire, join } as StartSettings);
  const local = { host: '127.0.0.1', port: 7001 };
  const far = { host: '10.0.0.1', port: 7001 };

  test('on loopback, any port', () => expect(at(null, local)).toEqual({ host: '127.0.0.1', port: 0 }));
  test('as told', () => expect(at(far, far)).toEqual(far));
  test('not on loopback, where the controller is not', () =>
    expect(() => at(null, far)).toThrow('would not find this one at 127.0.0.1'));
  test.each(['0.0.0.0', '::'])('not at %s', host =>
    expect(() => at({ host, port: 1 }, far)).toThrow('no address that another process can connect to'),
  );
});
