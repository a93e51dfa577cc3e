import { fault } from '../../base/fault.ts';
import type { Brokers } from './cluster.ts';
import { answerFault, kafkaErrors } from './errors.ts';
import { listOffsetsCall, type OffsetsRequest } from './fetch.ts';

/** Asks the leader of each partition. @throws FaultError where one of them does not answer, or has no leader. */
export async function findOffsets(cluster: Brokers, request: OffsetsRequest): Promise<Map<number, number>> {
  const { topic } = request;
  const { partitions: known } = await cluster.describe(topic);
  const byLeader = new Map<number, number[]>();
  for (const partition of request.partitions) {
    const found = known.find(each => each.partition === partition);
    if (found === undefined) throw answerFault(kafkaErrors.unknownTopicOrPartition, topic, partition, 'read');
    if (found.leader < 0)
      throw answerFault(found.errorCode || kafkaErrors.leaderNotAvailable, topic, partition, 'read');
    byLeader.set(found.leader, [...(byLeader.get(found.leader) ?? []), partition]);
  }
  const answers = await Promise.all(
    Array.from(byLeader, ([nodeId, partitions]) =>
      cluster.ask(nodeId, connection => listOffsetsCall(connection, { ...request, partitions })),
    ),
  );
  const offsets = new Map<number, number>();
  for (const { partition, errorCode, offset } of answers.flat()) {
    if (errorCode !== kafkaErrors.none) throw answerFault(errorCode, topic, partition, 'read');
    offsets.set(partition, offset);
  }
  const late = [...offsets].filter(([, offset]) => offset < 0).map(([partition]) => partition);
  if (late.length === 0) return offsets;
  if (typeof request.at !== 'number')
    throw fault('UNAVAILABLE', `Kafka does not tell the offsets of topic '${topic}' now`);
  for (const [partition, end] of await findOffsets(cluster, { ...request, partitions: late, at: 'latest' }))
    offsets.set(partition, end);
  return offsets;
}
