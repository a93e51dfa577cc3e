import type { Disk, Random } from '../../base/seams.ts';

const pattern = /^server-[0-9a-f]{12}$/;

/** The server's name in its cluster: made once, and kept in its data folder, so that a restart moves no data. */
export async function serverId(dataFolder: string, disk: Disk, random: Random): Promise<string> {
  const path = `${dataFolder}/member`;
  if (await disk.exists(path)) {
    const file = await disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(64);
      const known = new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0))).trim();
      if (pattern.test(known)) return known;
    } finally {
      await file.close();
    }
    // Torn by a power cut: whatever the name was, nothing but copies hangs on it.
    await disk.remove(path);
  }
  const id = `server-${random.hex(12)}`;
  const file = await disk.open(path, 'create');
  try {
    await file.write(new TextEncoder().encode(`${id}\n`), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.syncFolder(dataFolder);
  return id;
}
