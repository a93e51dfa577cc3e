/** `weir check` as it meets the real disk: owns the folder while it looks, so that no Weir starts on it. */
import { fault } from '../base/fault.ts';
import { nodeDisk } from '../base/node-disk.ts';
import { systemClock, systemRandom } from '../base/system.ts';
import { checkFolder } from '../check/check-folder.ts';
import type { CheckOptions, CheckReport } from '../check/report.ts';
import { lockFolder } from '../stream/lock.ts';
import { systemProcesses } from '../stream/processes.ts';
import { folders } from './folders.ts';

/** @throws FaultError DATA_FOLDER_IN_USE, NOT_FOUND */
export async function checkDataFolder(dataFolder: string, options: CheckOptions): Promise<CheckReport> {
  const paths = folders(dataFolder);
  if (!(await nodeDisk.exists(paths.meta)) && !(await nodeDisk.exists(paths.store)))
    throw fault('NOT_FOUND', `${dataFolder} is no data folder: it has neither meta/ nor store/`, {
      hint: 'name the folder that weir start was given with --data',
    });
  const lock = await lockFolder(dataFolder, {
    ...{ disk: nodeDisk, clock: systemClock, random: systemRandom, processes: systemProcesses },
  });
  try {
    return await checkFolder(paths, nodeDisk, options);
  } finally {
    await lock.release();
  }
}
