import { fault, toFault } from '../base/fault.ts';
import { lockFolder } from '../stream/lock.ts';
import { systemProcesses } from '../stream/processes.ts';
import type { Boot } from './boot.ts';

/** Makes the data folder and takes its lock until the process stops; what the disk refuses names the folder. */
export async function ownFolder({ settings: { dataFolder }, world, onStop }: Boot): Promise<void> {
  try {
    await world.disk.makeFolder(dataFolder);
    const lock = await lockFolder(dataFolder, { ...world, processes: systemProcesses });
    onStop(() => lock.release());
  } catch (error) {
    const { code, message } = toFault(error);
    if (code !== 'INTERNAL') throw error;
    throw fault('INVALID_REQUEST', `the data folder ${dataFolder} cannot be used: ${message}`, {
      hint: 'name another with --data, or see to its permissions',
    });
  }
}
