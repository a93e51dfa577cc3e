/** What goes wrong between a broker and us, in words that say who, why and what to do. */
import { FaultError, fault } from '../../base/fault.ts';
import type { Credentials } from './credentials.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export const showAddress = ({ host, port }: BrokerAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** `host:port`, `[v6]:port`; the port is 9092 where there is none. */
export function parseAddress(text: string): BrokerAddress {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/.exec(text);
  if (!match) throw fault('INVALID_REQUEST', `'${text}' is no address of a broker`, { hint: 'write it as host:port' });
  const { v6, host, port } = match.groups!;
  return { host: (v6 ?? host)!, port: Number(port ?? 9092) };
}

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ECONNRESET: 'it cut the connection',
  EPIPE: 'it cut the connection',
};

interface KafkaJsError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly type?: string;
}

/** The FaultError of whatever kafkajs threw while it connected or waited for an answer. */
export function connectionFault(
  error: unknown,
  address: string,
  { tls, sasl }: Credentials,
  during: 'handshake' | 'call',
): FaultError {
  if (error instanceof FaultError)
    return error.fault.code === 'UNAVAILABLE' && !error.fault.message.includes(address)
      ? fault('UNAVAILABLE', `broker ${address} cannot be reached: ${error.fault.message}`)
      : error;
  const { name, message, code, type } = error as KafkaJsError;
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED')
    return fault('FORBIDDEN', `broker ${address} does not let user '${sasl?.username}' in: ${lastPart(message)}`, {
      hint: 'check the username, the password and the mechanism of the table’s source',
    });
  if (type === 'ILLEGAL_SASL_STATE' || type === 'UNSUPPORTED_SASL_MECHANISM')
    return fault('FORBIDDEN', `broker ${address} does not offer SASL ${sasl?.mechanism} on this port`, {
      hint: 'use another mechanism, or the port of a SASL listener',
    });
  if (typeof code === 'string' && isTlsCode(code))
    return fault('FORBIDDEN', `the TLS certificate of broker ${address} is not trusted: ${lastPart(message)}`, {
      hint: 'give the PEM of its authority in the source’s tls.ca, and use a host name that the certificate has',
    });
  if (name === 'KafkaJSConnectionClosedError' || code === 'ECONNRESET')
    return fault('UNAVAILABLE', `broker ${address} closed the connection`, {
      hint: during === 'handshake' ? `does this port want ${tls ? 'no TLS' : 'TLS or SASL'}?` : undefined,
    });
  if (name === 'KafkaJSRequestTimeoutError') return fault('UNAVAILABLE', `broker ${address} does not answer`);
  const cause = causes[String(code)] ?? lastPart(message);
  return fault('UNAVAILABLE', `broker ${address} cannot be reached: ${cause}`);
}

const isTlsCode = (code: string): boolean => /CERT|TLS|SSL|SELF_SIGNED|ISSUER|EPROTO/.test(code);
const lastPart = (message: string): string =>
  message.replace(/^(SASL [\w-]+ authentication failed|Connection error): /, '');

/** Kafka's error codes that are told apart; all the others are UNAVAILABLE, and tried again. */
export const kafkaErrors = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  invalidTopic: 17,
  recordListTooLarge: 18,
  topicForbidden: 29,
  groupForbidden: 30,
  clusterForbidden: 31,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const;

const errorTexts: Readonly<Record<number, string>> = {
  [-1]: 'an unexpected error, see its log',
  2: 'a stored batch fails its checksum',
  5: 'the partition has no leader',
  6: 'the broker does not lead the partition',
  7: 'the request took too long',
  8: 'the broker is not available',
  9: 'the replica is not available',
  13: 'the network between the brokers failed',
  14: 'it is still loading',
  19: 'too few replicas are in sync',
  20: 'too few replicas are in sync',
  56: 'its disk failed',
  74: 'the partition’s leader has just changed',
  75: 'the partition’s leader has just changed',
  76: 'the compression of the messages is not supported',
  78: 'the offset is not available yet',
};

const forbidden: readonly number[] = [
  kafkaErrors.topicForbidden,
  kafkaErrors.groupForbidden,
  kafkaErrors.clusterForbidden,
];

/** What a broker's error code about a topic (or a partition of it) means. */
export function answerFault(
  code: number,
  topic: string,
  partition: number | null,
  operation: 'read' | 'write',
): FaultError {
  const where = partition === null ? `topic '${topic}'` : `partition ${partition} of topic '${topic}'`;
  if (forbidden.includes(code))
    return fault('FORBIDDEN', `Kafka does not allow this user to ${operation} topic '${topic}'`, {
      hint: `allow ${operation === 'read' ? 'Read and Describe' : 'Write'} on the topic, in Kafka's ACLs`,
    });
  if (code === kafkaErrors.unknownTopicOrPartition || code === kafkaErrors.invalidTopic)
    return fault('NOT_FOUND', `Kafka has no ${where}`, { details: { topic } });
  return fault('UNAVAILABLE', `Kafka cannot ${operation} ${where} now: ${errorTexts[code] ?? `error ${code}`}`, {
    details: { topic, kafkaErrorCode: code },
  });
}
