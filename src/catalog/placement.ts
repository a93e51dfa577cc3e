/** Who owns what: pure functions of names, so that no table of assignments has to be kept or repaired. */

/** FNV-1a (Fowler, Noll, Vo), 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  return hash >>> 0;
}

/** The shard that holds a partition's consuming rows. */
export const partitionShard = (tableId: string, partition: number, shardCount: number): number =>
  (hashText(tableId) + partition) % shardCount;

/** The shard that scans a block of a committed segment: neighbours go to different shards, so that one segment feeds all. */
export const blockShard = (segmentId: string, block: number, shardCount: number): number =>
  (hashText(segmentId) + block) % shardCount;

/** Every bit of the input reaches every bit of the output (the finalizer of MurmurHash3, Appleby): FNV's last characters reach few. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Servers in the order in which they are asked to hold a segment: rendezvous hashing (Thaler and Ravishankar, "Using
 * Name-Based Mappings to Increase Hit Rates", 1998). Each server's place is drawn from both names alone, so a server that
 * comes or goes changes nothing among the others. O(servers log servers).
 */
export function rendezvous(segmentId: string, serverIds: readonly string[]): string[] {
  const drawn = serverIds.map(id => ({ id, weight: mix(hashText(`${id}/${segmentId}`)) }));
  drawn.sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  return drawn.map(({ id }) => id);
}

/** The servers that hold a segment: `replicaCount` of them, all where there are fewer. */
export const segmentServers = (segmentId: string, serverIds: readonly string[], replicaCount: number): string[] =>
  rendezvous(segmentId, serverIds).slice(0, replicaCount);
