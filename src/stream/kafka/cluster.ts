/** The brokers of a cluster as one place to ask: opens connections, keeps one to each broker for short questions. */
import { type FaultError, fault, toFault } from '../../base/fault.ts';
import type { Clock, Log } from '../../base/seams.ts';
import { type BrokerConnection, openConnection, type ProtocolCall } from './connection.ts';
import { type ReadSecret, readCredentials } from './credentials.ts';
import { answerFault, type BrokerAddress, kafkaErrors, parseAddress, showAddress } from './errors.ts';
import { makeLogger } from './logger.ts';
import { metadataCall, type TopicMetadata } from './metadata.ts';
import type { KafkaConnection } from './types.ts';

/** What reading and writing need of a cluster. */
export type Brokers = Pick<Cluster, 'describe' | 'connect' | 'ask'>;

export class Cluster {
  readonly #connection: KafkaConnection;
  readonly #clock: Clock;
  readonly #readSecret: ReadSecret;
  readonly #logger: unknown;
  /** By address; for metadata, offsets and dead letters. What is being opened is in here, too. */
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  /** By node id, as the last metadata had it. */
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map();
  #isClosed = false;

  constructor(connection: KafkaConnection, clock: Clock, log: Log, readSecret: ReadSecret) {
    this.#connection = connection;
    this.#clock = clock;
    this.#readSecret = readSecret;
    this.#logger = makeLogger(log);
  }

  /**
   * Asks a broker now; those that were seen last, then those that the connection names.
   * @throws FaultError UNAVAILABLE, with what each of them said; FORBIDDEN, NOT_FOUND.
   */
  async describe(topic: string): Promise<TopicMetadata> {
    const metadata = await this.#askAnyone(connection => connection.call(metadataCall(connection, topic)));
    this.#brokers = metadata.brokers;
    const { errorCode } = metadata;
    // Where leaders are missing, each partition says so itself.
    if (errorCode !== kafkaErrors.none && errorCode !== kafkaErrors.leaderNotAvailable)
      throw answerFault(errorCode, topic, null, 'read');
    return metadata;
  }

  /** A connection of the caller's own, who closes it: a broker serves the requests of one in their order, waiting for each. */
  async connect(nodeId: number): Promise<BrokerConnection> {
    return this.#open(this.#addressOf(nodeId));
  }

  /** Over the connection that all share. */
  async ask<T>(nodeId: number, makeCall: (connection: BrokerConnection) => ProtocolCall<T>): Promise<T> {
    const connection = await this.#shared(this.#addressOf(nodeId));
    return connection.call(makeCall(connection));
  }

  close(): void {
    this.#isClosed = true;
    for (const opening of this.#connections.values())
      opening.then(
        connection => connection.close(),
        () => {},
      );
    this.#connections.clear();
  }

  #addressOf(nodeId: number): BrokerAddress {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw fault('UNAVAILABLE', `Kafka does not know broker ${nodeId} any more`);
    return address;
  }

  async #open(address: BrokerAddress): Promise<BrokerConnection> {
    if (this.#isClosed) throw fault('SHUTTING_DOWN', 'the connection to Kafka was closed');
    const credentials = await readCredentials(this.#connection, this.#readSecret);
    const connection = await openConnection(address, credentials, this.#logger, this.#clock);
    if (!this.#isClosed) return connection;
    connection.close();
    throw fault('SHUTTING_DOWN', 'the connection to Kafka was closed');
  }

  async #shared(address: BrokerAddress): Promise<BrokerConnection> {
    const key = showAddress(address);
    const kept = this.#connections.get(key);
    if (kept !== undefined) {
      const connection = await kept.catch(() => null);
      if (connection?.isOpen) return connection;
      if (this.#connections.get(key) === kept) this.#connections.delete(key);
    }
    const opening = this.#connections.get(key) ?? this.#open(address);
    this.#connections.set(key, opening);
    opening.catch(() => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    return opening;
  }

  async #askAnyone<T>(ask: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const addresses = new Map<string, BrokerAddress>();
    for (const address of [...this.#brokers.values(), ...this.#connection.brokers.map(parseAddress)])
      addresses.set(showAddress(address), address);
    const errors: FaultError[] = [];
    for (const address of addresses.values())
      try {
        return await ask(await this.#shared(address));
      } catch (error) {
        const { code } = toFault(error);
        if (code !== 'UNAVAILABLE' && code !== 'FORBIDDEN') throw error;
        errors.push(error as FaultError);
      }
    if (errors.length === 1) throw errors[0];
    const { code, hint } = (errors.find(({ fault }) => fault.code === 'FORBIDDEN') ?? errors[0]!).fault;
    throw fault(code, errors.map(({ message }) => message).join('; '), { hint });
  }
}
