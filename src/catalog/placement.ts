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
