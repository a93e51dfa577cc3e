import { fault } from '../base/fault.ts';
import type { Disk } from '../base/seams.ts';
import type { SecretReference } from '../catalog/table.ts';

/** Certificates are the longest secrets, and a chain of them stays far below. */
const secretSizeBytesMax = 1 << 20;

/**
 * Reads what a reference points at, each time anew, so that a secret that was replaced is taken at the next connection.
 * A file's last line break is not part of it. What it reads is in no message.
 * @throws FaultError FORBIDDEN naming the reference
 */
export const secretReader =
  (env: Readonly<Record<string, string | undefined>>, disk: Disk) =>
  async (reference: SecretReference): Promise<string> => {
    const [, kind, name] = /^(env|file):(.+)$/s.exec(reference) ?? [];
    // What is no reference may be a secret: it is not shown.
    const shown = kind === undefined ? 'that a table names' : reference;
    const unreadable = (why: string): Error =>
      fault('FORBIDDEN', `the secret ${shown} cannot be read: ${why}`, {
        hint: 'set the variable in the environment of weir start (and of weir create), or see to the file and its permissions',
      });
    if (kind === 'env') {
      const value = env[name!];
      if (value === undefined || value === '') throw unreadable('the variable is not set');
      return value;
    }
    if (kind !== 'file') throw unreadable('it is neither env:NAME nor file:/path');
    try {
      const file = await disk.open(name!, 'read');
      try {
        const sizeBytes = await file.sizeBytes();
        if (sizeBytes > secretSizeBytesMax)
          throw new Error(`it has ${sizeBytes} bytes, of at most ${secretSizeBytesMax}`);
        const bytes = new Uint8Array(sizeBytes);
        return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0))).replace(/\r?\n$/, '');
      } finally {
        await file.close();
      }
    } catch (error) {
      throw unreadable(error instanceof Error ? error.message : String(error));
    }
  };
