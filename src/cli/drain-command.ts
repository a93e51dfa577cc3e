/** `weir drain`: a server gives its segments to the others, and leaves. */
import { createClient } from '../client/client.ts';
import { type CommandIo, plural, print } from './io.ts';

/** Between two looks at how far it is. */
const stepMs = 500;

/** Resolves when the server holds nothing that the others do not. @throws WeirError */
export async function runDrain(serverId: string, url: string, { stdout, clock }: CommandIo): Promise<void> {
  const client = createClient(url);
  await client.drain(serverId);
  for (;;) {
    const server = (await client.servers()).find(({ id }) => id === serverId);
    if (server === undefined || server.state === 'drained') break;
    await print(stdout, `${serverId} still holds ${plural(server.segmentsAnnounced, 'segment')}\n`);
    await clock.sleep(stepMs);
  }
  await print(stdout, `${serverId} is drained: stop its process\n`);
}
