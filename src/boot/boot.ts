/** What starting a role takes and gives. */
import type { Clock, Disk, Log, Random } from '../base/seams.ts';
import { type HttpSettings, httpDefaults } from '../http/server.ts';
import { type Memory, openMemory } from './memory.ts';
import { release, type StartSettings } from './settings.ts';
import type { Thread } from './threads.ts';

export interface Boot {
  readonly settings: StartSettings;
  readonly world: { readonly clock: Clock; readonly random: Random; readonly log: Log; readonly disk: Disk };
  /** Steps are taken in reverse, also when a later step of the start fails. */
  onStop(step: () => Promise<unknown>): void;
}

export interface Started {
  readonly url: string;
  readonly banner: string;
  readonly died: Promise<never>;
}

export const diedOf = (threads: readonly Thread[], ...others: readonly Promise<never>[]): Promise<never> =>
  Promise.race([...threads.map(thread => thread.died), ...others]);

export const httpSettings = (
  { host, port, webFolder }: StartSettings,
  { bodySizeBytesMax }: Pick<Memory, 'bodySizeBytesMax'>,
): HttpSettings => ({ ...httpDefaults, host, port, webFolder, bodySizeBytesMax, version: release });

/** The budget of this process, before its threads start. */
export async function ownMemory({ settings, world, onStop }: Boot): Promise<Memory> {
  const memory = await openMemory(settings, world.log);
  onStop(async () => memory.stop());
  return memory;
}
