/** `weir health`: what `/health/ready` says, for a person and for whoever supervises a process. */
import { createClient } from '../client/client.ts';
import { type CommandIo, print } from './io.ts';
import { showControls } from './text.ts';

/** Exit code 0 while it answers queries, also where something else is wrong. @throws WeirError */
export async function runHealth({ url }: { readonly url: string }, io: CommandIo): Promise<void> {
  const { status, checks } = await createClient(url).health();
  await print(io.stdout, `${status}\n`);
  for (const [name, check] of Object.entries(checks))
    for (const cause of check.causes) await print(io.stdout, `${name}: ${showControls(cause)}\n`);
  if (status === 'unavailable') io.setExitCode(1);
}
