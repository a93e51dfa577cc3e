/** A real Apache Kafka as a child process: one node that is broker and controller, from the jars of `kafka/install`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs, { type Admin, type Kafka as KafkaJs, type Message } from 'kafkajs';
import { kafkaJars } from './kafka-jars.ts';

export interface KafkaOptions {
  readonly version: string;
  /** Of the open listener; any free one unless told. */
  readonly port?: number;
  /** Kept when the broker stops; unless told, a temporary one, removed by `stop`. */
  readonly dataFolder?: string;
  /** Beside and over those of the harness. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Listeners with SASL and TLS besides, and ACLs: each of `kafkaUsers` may do what an ACL allows, all others everything. */
  readonly secure?: boolean;
}

export interface Kafka {
  /** Open to everybody, as `host:port`. */
  readonly brokers: readonly string[];
  /** Where `secure`: SASL without TLS, SASL over TLS, TLS alone. */
  readonly secured: { readonly sasl: string; readonly saslTls: string; readonly tls: string };
  /** PEM of the certificate that the TLS listeners show; signed by itself. */
  readonly certificatePath: string;
  /** What it printed so far. */
  log(): string;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** On the same port and data, after `kill` or in place of a running one. */
  restart(): Promise<void>;
  /** SIGSTOP: alive and silent, until `resume`. */
  pause(): void;
  resume(): void;
  /** kafkajs' own client, for all that is no helper here. */
  readonly client: KafkaJs;
  admin<T>(use: (admin: Admin) => Promise<T>): Promise<T>;
  createTopic(topic: string, partitionCount?: number, config?: Readonly<Record<string, string>>): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Up to this many in all. */
  addPartitions(topic: string, partitionCount: number): Promise<void>;
  /** As retention would: those of partition 0 before this offset. */
  deleteRecords(topic: string, beforeOffset: number): Promise<void>;
  produce(topic: string, partition: number, messages: readonly Message[]): Promise<void>;
  /** By Kafka's own Java client, in large batches: lines `key:value` into a topic of one partition. */
  produceByJava(topic: string, lines: readonly string[], compression?: string): Promise<void>;
  /** What partition 0 takes on disk. */
  sizeBytes(topic: string): number;
}

/** By mechanism; those of SCRAM are in the cluster's metadata. */
export const kafkaUsers = {
  plain: { username: 'paula', password: 'plain-secret' },
  'scram-sha-256': { username: 'sam', password: 'scram-secret-256' },
  'scram-sha-512': { username: 'sue', password: 'scram-secret-512' },
} as const;

const readyWithinMs = 60_000;
const clusterId = 'AAAAAAAAAAAAAAAAAAAAAQ';

// A JVM that starts fast and stays small.
const javaFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true'];
const logFlags = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

/** Starts a broker and resolves when it answers. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'weir-kafka-'));
  const ports = await freePorts(5);
  if (options.port !== undefined) ports[0] = options.port;
  const certificatePath = join(folder, 'certificate.pem');
  if (options.secure) makeCertificate(folder);
  const propertiesPath = join(folder, 'server.properties');
  writeFileSync(propertiesPath, propertiesText(folder, ports, options));
  const java = ['-cp', join(kafkaJars(options.version), '*')];
  const users = (['scram-sha-256', 'scram-sha-512'] as const).flatMap(mechanism => [
    '--add-scram',
    `${mechanism.toUpperCase()}=[name=${kafkaUsers[mechanism].username},password=${kafkaUsers[mechanism].password}]`,
  ]);
  const format = ['format', '--ignore-formatted', '-t', clusterId, '-c', propertiesPath];
  execFileSync(
    'java',
    [...javaFlags, ...logFlags, ...java, 'kafka.tools.StorageTool', ...format, ...(options.secure ? users : [])],
    { stdio: 'pipe' },
  );

  let child: ChildProcess | undefined;
  let log = '';
  const brokers = [`127.0.0.1:${ports[0]}`];
  const client = new kafkajs.Kafka({
    clientId: 'weir-test',
    brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 10 },
  });
  const start = async (): Promise<void> => {
    const started = spawn('java', [...javaFlags, ...logFlags, ...java, 'kafka.Kafka', propertiesPath], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    await untilReady(client, started, () => log);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  // A test that ends without its `stop` leaves no broker behind.
  const killNow = (): void => void child?.kill('SIGKILL');
  process.once('exit', killNow);
  await start();

  const admin = async <T>(use: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = client.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    brokers,
    secured: { sasl: `127.0.0.1:${ports[2]}`, saslTls: `127.0.0.1:${ports[3]}`, tls: `127.0.0.1:${ports[4]}` },
    certificatePath,
    log: () => log,
    async stop() {
      await end('SIGTERM');
      process.off('exit', killNow);
      if (options.dataFolder === undefined) rmSync(folder, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      await start();
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    client,
    admin,
    async createTopic(topic, partitionCount = 1, config = {}) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin(async admin => {
        await admin.createTopics({
          topics: [{ topic, numPartitions: partitionCount, replicationFactor: 1, configEntries }],
          waitForLeaders: false,
        });
        await untilLed(admin, topic, partitionCount);
      });
    },
    deleteTopic: topic => admin(admin => admin.deleteTopics({ topics: [topic] })),
    async addPartitions(topic, partitionCount) {
      await admin(admin => admin.createPartitions({ topicPartitions: [{ topic, count: partitionCount }] }));
    },
    deleteRecords: (topic, beforeOffset) =>
      admin(async admin => {
        // kafkajs' deleteTopicRecords finds leaders only where something else has loaded metadata before.
        await admin.fetchTopicOffsets(topic);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(beforeOffset) }] });
      }),
    async produce(topic, partition, messages) {
      const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
      await producer.connect();
      await producer.send({ topic, messages: messages.map(message => ({ ...message, partition })) });
      await producer.disconnect();
    },
    async produceByJava(topic, lines, compression = 'none') {
      const tool = options.version.startsWith('3.') ? 'kafka.tools' : 'org.apache.kafka.tools';
      const child = spawn(
        'java',
        [
          ...[...javaFlags, ...logFlags, ...java, `${tool}.ConsoleProducer`, '--topic', topic],
          ...['--bootstrap-server', brokers[0]!, '--compression-codec', compression],
          ...['--property', 'parse.key=true', '--property', 'key.separator=:'],
          ...['--batch-size', '400000', '--timeout', '100'],
        ],
        { stdio: ['pipe', 'ignore', 'pipe'] },
      );
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      child.stdin.end(lines.map(line => `${line}\n`).join(''));
      const [code] = await once(child, 'exit');
      if (code !== 0 || errors.includes('Exception')) throw new Error(`ConsoleProducer: ${errors}`);
    },
    sizeBytes(topic) {
      const partitionFolder = join(folder, 'data', `${topic}-0`);
      const logs = readdirSync(partitionFolder).filter(name => name.endsWith('.log'));
      return logs.reduce((sum, name) => sum + statSync(join(partitionFolder, name)).size, 0);
    },
  };
}

/** All are free at this moment; whoever binds first after it, has them. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async (): Promise<Server> => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return Promise.all(
    servers.map(async server => {
      const address = server.address();
      server.close();
      await once(server, 'close');
      return (address as { port: number }).port;
    }),
  );
}

/** Key and certificate for TLS, as Kafka wants them: one PEM file with both. */
function makeCertificate(folder: string): void {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const flags = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
  execFileSync('openssl', ['req', ...flags, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  writeFileSync(join(folder, 'keystore.pem'), readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
}

function propertiesText(folder: string, ports: readonly number[], { properties, secure }: KafkaOptions): string {
  const [open, controller, sasl, saslTls, tls] = ports;
  const listeners = [`PLAINTEXT://127.0.0.1:${open}`];
  if (secure)
    listeners.push(`SASL_PLAINTEXT://127.0.0.1:${sasl}`, `SASL_SSL://127.0.0.1:${saslTls}`, `SSL://127.0.0.1:${tls}`);
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': listeners.join(','),
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.retention.check.interval.ms': '500',
    'log.cleaner.backoff.ms': '200',
    'log.initial.task.delay.ms': '500',
    'log.segment.delete.delay.ms': '0',
    'controlled.shutdown.enable': 'false',
    // A killed broker is let in again when the controller has given up its former life.
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    'controller.quorum.election.timeout.ms': '200',
    'controller.quorum.fetch.timeout.ms': '500',
    ...(secure ? secureProperties(folder) : {}),
    ...properties,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function secureProperties(folder: string): Record<string, string> {
  const { username, password } = kafkaUsers.plain;
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const all: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'keystore.pem'),
    'ssl.client.auth': 'none',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    all[`listener.name.${listener}.plain.sasl.jaas.config`] = `${plain} user_${username}="${password}";`;
    for (const mechanism of ['scram-sha-256', 'scram-sha-512'])
      all[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] = scram;
  }
  return all;
}

/** Only the leaders themselves tell offsets: metadata names them before they know it. */
async function untilLed(admin: Admin, topic: string, partitionCount: number): Promise<void> {
  for (const deadlineMs = Date.now() + readyWithinMs; ; ) {
    try {
      if ((await admin.fetchTopicOffsets(topic)).length === partitionCount) return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** @throws Error with what it printed, where it ends or does not answer. */
async function untilReady(client: KafkaJs, child: ChildProcess, log: () => string): Promise<void> {
  const startedAtMs = Date.now();
  while (Date.now() - startedAtMs < readyWithinMs) {
    if (child.exitCode !== null) throw new Error(`Kafka ended with code ${child.exitCode}: ${log()}`);
    const admin = client.admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      if ((await admin.describeCluster()).brokers.length > 0) return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 100));
    } finally {
      await admin.disconnect();
    }
  }
  child.kill('SIGKILL');
  throw new Error(`Kafka does not answer after ${readyWithinMs} ms: ${log()}`);
}
