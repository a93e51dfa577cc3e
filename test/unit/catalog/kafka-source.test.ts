import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { decodeTable, encodeDocument } from '../../../src/catalog/document.ts';
import { isSecretReference, kafkaSource } from '../../../src/catalog/kafka-source.ts';
import { transformLengthMax } from '../../../src/catalog/limits.ts';
import type { KafkaSource } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { LONG } from '../../../src/column/type.ts';

const define = (source: Partial<Omit<KafkaSource, 'kind'>>) =>
  defineTable(
    {
      name: 't',
      columns: [{ name: 'a', type: LONG, nullable: true }],
      ...{ timeColumn: null, indexes: [], settings: {} },
      source: kafkaSource({ brokers: ['kafka:9092'], topic: 'p', ...source }),
    },
    { id: '0123456789ab', createdAtMs: 5 },
  );

test('a source survives as a document, with and without its parts', () => {
  for (const source of [
    {},
    {
      tls: { ca: 'file:/ca', certificate: null, key: null },
      sasl: { mechanism: 'scram-sha-256', username: 'u', password: 'env:P' } as const,
      schemaRegistry: { url: 'http://r', username: null, password: null },
      startFrom: 1_700_000_000_000,
      transform: { sql: 'SELECT a FROM message', fields: [{ name: 'a', type: LONG }] },
    },
  ]) {
    const definition = define(source);
    expect(decodeTable(encodeDocument(definition))).toStrictEqual(definition);
  }
});

test('what is a reference to a secret', () => {
  for (const text of ['env:NAME', 'env:_a1', 'file:/run/secrets/a b', 'file:/ä'])
    expect(isSecretReference(text), text).toBe(true);
  for (const text of [
    '',
    'hunter2',
    'env:',
    'env:A-B',
    'env:1',
    'file:relative',
    'file:/a\nb',
    ' env:A',
    'env:A hunter2',
  ])
    expect(isSecretReference(text), text).toBe(false);
});

test.each([
  [{ brokers: [] }, '0 brokers are named'],
  [{ brokers: ['a:0'] }, '"a:0" is not host:port'],
  [{ brokers: ['a:65536'] }, '"a:65536" is not host:port'],
  [{ brokers: ['u:p@a:1'] }, 'a broker is not host:port'],
  [{ brokers: Array(65).fill('a:1') }, '65 brokers are named'],
  [{ topic: '..' }, '".." is not the name of a topic'],
  [{ topic: 'x'.repeat(250) }, /is not the name of a topic/],
  [{ startFrom: -1 }, 'start_from is "-1"'],
  [{ startFrom: 1.5 }, 'start_from is "1.5"'],
  [{ isolation: 'none' as never }, 'isolation is "none"'],
  [{ transform: { sql: 'x'.repeat(transformLengthMax + 1), fields: [] } }, /^the transform has 65537 characters/],
  [{ transform: { sql: '', fields: [] } }, 'the transform has 0 characters'],
  [{ sasl: { mechanism: 'plain', username: '', password: 'env:P' } as const }, 'sasl_username has 0 characters'],
  [{ schemaRegistry: { url: 'ftp://r', username: null, password: null } }, 'schema_registry is no http or https URL'],
  [{ schemaRegistry: { url: 'http://r', username: 'u', password: null } }, /^of the schema registry's user name/],
] as const)('%#', (source, message) => {
  let thrown: unknown;
  try {
    define(source as Partial<KafkaSource>);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(FaultError);
  const { fault } = thrown as FaultError;
  expect(fault.code).toBe('INVALID_DEFINITION');
  if (typeof message === 'string') expect(fault.message).toBe(message);
  else expect(fault.message).toMatch(message);
});
