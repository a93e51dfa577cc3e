/** Which roles answer on which channels of a connection between processes. */
import type { CallMap, Client, Handlers, Port } from '../../wire/call.ts';
import type { LeafCalls, MemberCalls, SnapshotCalls, StoreCalls } from '../../wire/cluster-calls.ts';
import type { ControllerCalls } from '../../wire/controller-calls.ts';
import type { IngestCalls } from '../../wire/ingest-calls.ts';
import type { LoadCalls } from '../../wire/load-calls.ts';
import { multiplex } from '../../wire/multiplex.ts';
import type { Remote } from '../../wire/remote.ts';
import { serve } from '../../wire/serve.ts';
import type { ServerCalls } from '../../wire/server-calls.ts';

/** What the process that owns the data folder answers. */
export interface OwnerRoles {
  readonly controller: Handlers<ControllerCalls>;
  readonly members: Handlers<MemberCalls>;
  readonly store: Handlers<StoreCalls>;
  readonly snapshots: Handlers<SnapshotCalls>;
  readonly ingest: Handlers<IngestCalls>;
  readonly loads: Handlers<LoadCalls>;
  readonly server: Handlers<ServerCalls>;
  readonly leaf: Handlers<LeafCalls>;
}

export function serveOwner(port: Port, roles: OwnerRoles): void {
  const { channel } = multiplex(port);
  serve<ControllerCalls>(channel('controller'), roles.controller);
  serve<MemberCalls>(channel('members'), roles.members);
  serve<StoreCalls>(channel('store'), roles.store);
  serve<SnapshotCalls>(channel('snapshots'), roles.snapshots);
  serve<IngestCalls>(channel('ingest'), roles.ingest);
  serve<LoadCalls>(channel('loads'), roles.loads);
  serve<ServerCalls>(channel('server'), roles.server);
  serve<LeafCalls>(channel('leaf'), roles.leaf);
}

export const ownerClients = (remote: Remote) => ({
  controller: remote.client<ControllerCalls>('controller'),
  members: remote.client<MemberCalls>('members'),
  store: remote.client<StoreCalls>('store'),
  snapshots: remote.client<SnapshotCalls>('snapshots'),
  ingest: remote.client<IngestCalls>('ingest'),
  loads: remote.client<LoadCalls>('loads'),
  server: remote.client<ServerCalls>('server'),
  leaf: remote.client<LeafCalls>('leaf'),
});

/** What a process with the server role answers. */
export const serveLeaf = (port: Port, leaf: Handlers<LeafCalls>): void =>
  void serve<LeafCalls>(multiplex(port).channel('leaf'), leaf);

export const leafClient = (remote: Remote): Client<LeafCalls> => remote.client<LeafCalls>('leaf');

/** Bytes that lie directly in an input and own their whole buffer move on, instead of being copied. */
const buffersIn = (input: unknown): ArrayBuffer[] =>
  Object.values(input ?? {}).flatMap(value =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.length === value.buffer.byteLength
      ? [value.buffer]
      : [],
  );

/** Calls (no streams) that arrive here for a role that lives in another thread. */
export const relay = <Calls extends CallMap>(client: Client<Calls>): Handlers<Calls> =>
  new Proxy({} as Handlers<Calls>, {
    get:
      (_, name) =>
      (input: unknown, { signal }: { readonly signal: AbortSignal }) =>
        client.call(name as never, input as never, { signal, transfer: buffersIn(input) }),
  });
