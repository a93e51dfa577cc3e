/** What the description of a topic must be like before anything tries to connect to it. */
import { fault, type Position } from '../base/fault.ts';
import { brokerCountMax, columnCountMax, connectionTextLengthMax, transformLengthMax } from './limits.ts';
import type { KafkaSource, SecretReference } from './table.ts';

/** A source with what is left out as most tables want it. */
export const kafkaSource = (
  given: Pick<KafkaSource, 'brokers' | 'topic'> & Partial<Omit<KafkaSource, 'kind'>>,
): KafkaSource => ({
  kind: 'kafka',
  format: 'json',
  tls: null,
  sasl: null,
  schemaRegistry: null,
  isolation: 'read_committed',
  startFrom: 'earliest',
  onLostOffsets: 'skip',
  onTopicRecreated: 'restart',
  unknownFields: 'ignore',
  deadLetterTopic: null,
  transform: null,
  ...given,
});

/** Parts of a source, by the names of their options in DDL: what an error is about. */
export type KafkaOption =
  | 'brokers'
  | 'topic'
  | 'format'
  | 'tls_ca'
  | 'tls_certificate'
  | 'tls_key'
  | 'sasl_mechanism'
  | 'sasl_username'
  | 'sasl_password'
  | 'schema_registry'
  | 'schema_registry_username'
  | 'schema_registry_password'
  | 'isolation'
  | 'start_from'
  | 'on_lost_offsets'
  | 'on_topic_recreated'
  | 'unknown_fields'
  | 'dead_letter_topic'
  | 'transform';

/** The words that an option takes; the first is what is meant where it is left out. */
export const kafkaWords = {
  format: ['json', 'csv', 'avro', 'protobuf', 'arrow'],
  sasl_mechanism: ['plain', 'scram-sha-256', 'scram-sha-512'],
  isolation: ['read_committed', 'read_uncommitted'],
  on_lost_offsets: ['skip', 'fail'],
  on_topic_recreated: ['restart', 'fail'],
  unknown_fields: ['ignore', 'add'],
} as const satisfies Partial<Record<KafkaOption, readonly string[]>>;

/** `env:NAME` or `file:/absolute/path`. */
export const isSecretReference = (text: string): boolean => /^(env:[A-Za-z_]\w*|file:\/[^\p{Cc}]+)$/u.test(text);

/**
 * @param at Where the option stands, for errors about DDL.
 * @throws FaultError INVALID_DEFINITION. What might be a secret is never in its text.
 */
export function checkKafkaSource(source: KafkaSource, at: (option: KafkaOption) => Position | undefined): void {
  const fail = (option: KafkaOption, message: string, hint: string): never => {
    throw fault('INVALID_DEFINITION', message, { position: at(option), hint });
  };
  const checkText = (option: KafkaOption, text: string): void => {
    if (text.length === 0 || text.length > connectionTextLengthMax)
      fail(option, `${option} has ${text.length} characters`, `give 1 to ${connectionTextLengthMax}`);
  };
  const checkWord = (option: keyof typeof kafkaWords, word: string): void => {
    const words: readonly string[] = kafkaWords[option];
    if (!words.includes(word)) fail(option, `${option} is ${quoted(word)}`, `one of ${words.join(', ')}`);
  };
  const checkSecret = (option: KafkaOption, secret: SecretReference | null): void => {
    if (secret === null) return;
    if (!isSecretReference(secret))
      fail(option, `${option} is written out`, 'name where it is: env:NAME, or file:/absolute/path');
    checkText(option, secret);
  };
  const checkTopic = (option: KafkaOption, topic: string): void => {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || /^\.{1,2}$/.test(topic))
      fail(option, `${quoted(topic)} is not the name of a topic`, '1 to 249 of the characters a-z A-Z 0-9 . _ -');
  };

  const { brokers, topic, tls, sasl, schemaRegistry, startFrom, deadLetterTopic, transform } = source;
  if (brokers.length === 0 || brokers.length > brokerCountMax)
    fail('brokers', `${brokers.length} brokers are named`, `name 1 to ${brokerCountMax}, as host:port`);
  for (const broker of brokers)
    if (!isHostAndPort(broker))
      fail(
        'brokers',
        `${broker.includes('@') ? 'a broker' : quoted(broker)} is not host:port`,
        "write brokers = 'kafka-1:9092,kafka-2:9092'",
      );
  checkTopic('topic', topic);
  checkWord('format', source.format);
  checkWord('isolation', source.isolation);
  checkWord('on_lost_offsets', source.onLostOffsets);
  checkWord('on_topic_recreated', source.onTopicRecreated);
  checkWord('unknown_fields', source.unknownFields);
  if (typeof startFrom === 'number' ? !Number.isSafeInteger(startFrom) || startFrom < 0 : !isEnd(startFrom))
    fail('start_from', `start_from is ${quoted(String(startFrom))}`, 'earliest, latest, or a time since 1970');

  if (tls !== null) {
    checkSecret('tls_ca', tls.ca);
    checkSecret('tls_certificate', tls.certificate);
    checkSecret('tls_key', tls.key);
    if ((tls.certificate === null) !== (tls.key === null))
      fail(
        tls.key === null ? 'tls_certificate' : 'tls_key',
        "of the client's certificate and key one is given",
        'give tls_certificate and tls_key, or neither',
      );
  }
  if (sasl !== null) {
    checkWord('sasl_mechanism', sasl.mechanism);
    checkText('sasl_username', sasl.username);
    checkSecret('sasl_password', sasl.password);
  }
  if (schemaRegistry !== null) {
    checkRegistryUrl(schemaRegistry.url, fail);
    if (schemaRegistry.username !== null) checkText('schema_registry_username', schemaRegistry.username);
    checkSecret('schema_registry_password', schemaRegistry.password);
    if ((schemaRegistry.username === null) !== (schemaRegistry.password === null))
      fail(
        schemaRegistry.username === null ? 'schema_registry_password' : 'schema_registry_username',
        "of the schema registry's user name and password one is given",
        'give both, or neither',
      );
  } else if (source.format === 'avro' || source.format === 'protobuf')
    fail('format', `${source.format} messages need a schema registry`, "add schema_registry = 'http://…'");

  if (deadLetterTopic !== null) {
    checkTopic('dead_letter_topic', deadLetterTopic);
    if (deadLetterTopic === topic)
      fail('dead_letter_topic', 'the dead-letter topic is the topic itself', 'name another: it would feed itself');
  }
  if (transform === null) return;
  if (source.unknownFields === 'add')
    fail('unknown_fields', 'a transform names all that there is: it has no unknown fields', "leave out 'add'");
  if (transform.sql.length === 0 || transform.sql.length > transformLengthMax)
    fail('transform', `the transform has ${transform.sql.length} characters`, `give 1 to ${transformLengthMax}`);
  if (transform.fields.length > columnCountMax)
    fail('transform', `the transform reads ${transform.fields.length} fields`, `at most ${columnCountMax} are allowed`);
}

const isEnd = (word: string): boolean => word === 'earliest' || word === 'latest';

/** Longest part of a value that a message repeats. */
const quotedLengthMax = 60;
const quoted = (text: string): string =>
  JSON.stringify(text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text);

function isHostAndPort(text: string): boolean {
  const match = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})$/.exec(text);
  return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535;
}

/** Text that is no URL may hold a password all the same: it is not repeated. */
function checkRegistryUrl(text: string, fail: (option: KafkaOption, message: string, hint: string) => never): void {
  const url = text.length <= connectionTextLengthMax && URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    fail('schema_registry', 'schema_registry is no http or https URL', "write 'http://registry:8081'");
  if (url?.username !== '' || url.password !== '')
    fail(
      'schema_registry',
      'the URL of the schema registry has a user name or password in it',
      "use schema_registry_username and schema_registry_password = 'env:NAME'",
    );
}
