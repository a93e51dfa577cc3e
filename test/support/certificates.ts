import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority of its own, and a certificate for localhost and 127.0.0.1 that it signed. Needs the program openssl. */
export function makeCertificate(): Certificate & { readonly ca: string } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  try {
    const path = (name: string): string => join(folder, name);
    const ca = ['-keyout', path('ca.key'), '-out', path('ca.pem')];
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority', ...ca);
    openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', path('key.pem'), '-out', path('request.pem'));
    writeFileSync(path('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
    const signer = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('names')];
    openssl('x509', '-req', '-in', path('request.pem'), '-days', '2', ...signer, '-out', path('certificate.pem'));
    const text = (name: string): string => readFileSync(path(name), 'utf8');
    return { certificate: text('certificate.pem'), key: text('key.pem'), ca: text('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
