/** Queries over other processes' servers, for a process that answers queries. */
import { Routes } from '../../server/routes.ts';
import { createScatter, type Scatter, type ScatterComponents } from '../../server/scatter.ts';
import type { Client } from '../../wire/call.ts';
import type { MemberCalls } from '../../wire/cluster-calls.ts';
import { remote } from '../../wire/remote.ts';
import type { Boot } from '../boot.ts';
import { leafClient } from './channels.ts';
import type { WireSettings } from './wire-settings.ts';

type Parts = Pick<ScatterComponents, 'shards' | 'own' | 'owner'> & { readonly members: Client<MemberCalls> };

export function openScatter({ world, onStop }: Boot, wire: WireSettings, { members, ...parts }: Parts): Scatter {
  const routes = new Routes({
    ...{ ...world, members },
    connect(id, address) {
      const peer = remote(address, wire);
      return { id, address, client: leafClient(peer), close: () => peer.close() };
    },
  });
  const stopping = new AbortController();
  const following = routes.follow(stopping.signal);
  onStop(async () => {
    stopping.abort();
    await following;
  });
  return createScatter({ ...world, routes, ...parts });
}
