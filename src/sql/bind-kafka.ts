/** FROM KAFKA (…) → where a table's messages come from. */
import type { Position } from '../base/fault.ts';
import { checkKafkaSource, type KafkaOption, kafkaSource, kafkaWords } from '../catalog/kafka-source.ts';
import type { KafkaSource, Transform } from '../catalog/table.ts';
import { TIMESTAMP, type Value } from '../column/type.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { Name, Option } from './ast.ts';
import { coerce, openLiteral } from './operand.ts';
import { flagOf, forEachOption, invalid, textOf, wordOf } from './options.ts';

const optionNames = [
  ...(['brokers', 'topic', 'format', 'isolation', 'start_from', 'on_lost_offsets', 'on_topic_recreated'] as const),
  ...(['unknown_fields', 'dead_letter_topic', 'tls', 'tls_ca', 'tls_certificate', 'tls_key'] as const),
  ...(['sasl_mechanism', 'sasl_username', 'sasl_password'] as const),
  ...(['schema_registry', 'schema_registry_username', 'schema_registry_password'] as const),
];

/** @throws {FaultError} INVALID_DEFINITION at the option that is wrong; what might be a secret is not in its text */
export function bindKafkaSource(
  { name, options }: { readonly name: Name; readonly options: readonly Option[] },
  transform: Transform | null,
  transformAt: Position | null,
  context: FunctionContext,
): KafkaSource {
  const given = new Map<(typeof optionNames)[number], Option>();
  forEachOption(options, optionNames, (option, key) => given.set(key, option));
  const text = (key: (typeof optionNames)[number]): string | null => {
    const option = given.get(key);
    return option === undefined ? null : textOf(option);
  };
  const word = <K extends keyof typeof kafkaWords>(key: K): (typeof kafkaWords)[K][number] => {
    const option = given.get(key);
    return option === undefined ? kafkaWords[key][0] : wordOf<(typeof kafkaWords)[K][number]>(option, kafkaWords[key]);
  };
  const needed = (key: 'brokers' | 'topic' | 'sasl_username' | 'sasl_password', why: string): string => {
    const value = text(key);
    if (value === null) throw invalid(`${why} needs ${key}`, name.at, `add ${key} = '…'`);
    return value;
  };
  const hasAny = (prefix: string): boolean => [...given.keys()].some(key => key.startsWith(prefix));

  const tls = given.get('tls');
  const hasTls = tls === undefined ? hasAny('tls_') : flagOf(tls);
  if (!hasTls && hasAny('tls_')) throw invalid('tls is off, and an option of it is given', tls!.at, 'leave tls out');
  const registry = text('schema_registry');
  if (registry === null && hasAny('schema_registry_'))
    throw invalid(
      "a schema registry's user is given, and no schema registry",
      name.at,
      "add schema_registry = 'http://…'",
    );
  const source = kafkaSource({
    brokers: needed('brokers', 'FROM KAFKA')
      .split(',')
      .map(broker => broker.trim())
      .filter(broker => broker !== ''),
    topic: needed('topic', 'FROM KAFKA'),
    format: word('format'),
    tls: hasTls ? { ca: text('tls_ca'), certificate: text('tls_certificate'), key: text('tls_key') } : null,
    sasl: hasAny('sasl_')
      ? {
          mechanism: word('sasl_mechanism'),
          username: needed('sasl_username', 'SASL'),
          password: needed('sasl_password', 'SASL'),
        }
      : null,
    schemaRegistry:
      registry === null
        ? null
        : { url: registry, username: text('schema_registry_username'), password: text('schema_registry_password') },
    isolation: word('isolation'),
    startFrom: startOf(given.get('start_from'), context),
    onLostOffsets: word('on_lost_offsets'),
    onTopicRecreated: word('on_topic_recreated'),
    unknownFields: word('unknown_fields'),
    deadLetterTopic: text('dead_letter_topic'),
    transform,
  });
  const placeOf = (key: KafkaOption): Position => (key === 'transform' ? transformAt : given.get(key)?.at) ?? name.at;
  checkKafkaSource(source, placeOf);
  return source;
}

function startOf(option: Option | undefined, context: FunctionContext): KafkaSource['startFrom'] {
  if (option === undefined) return 'earliest';
  const text = textOf(option);
  const word = (['earliest', 'latest'] as const).find(candidate => candidate === text.toLowerCase());
  if (word !== undefined) return word;
  if (!/^\s*\d{4}-/.test(text))
    return wordOf(option, ['earliest', 'latest', "a time such as '2024-05-01T00:00:00Z'"]) as 'latest';
  const time = coerce(openLiteral(text, option.at), TIMESTAMP, 'implicit', context) as { readonly value: Value };
  return time.value as number;
}
