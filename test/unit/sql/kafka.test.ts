import { describe, expect, test } from 'vitest';
import { kafkaSource } from '../../../src/catalog/kafka-source.ts';
import { type KafkaSource, type TableDefinition, virtualColumns } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { decimal, JSON_TYPE, LONG, STRING } from '../../../src/column/type.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { bindTransform, settleDefinition } from '../../../src/sql/bind-transform.ts';
import { createTableText } from '../../../src/sql/create-text.ts';
import { parseStatement } from '../../../src/sql/parse.ts';
import { redactSecrets } from '../../../src/sql/redact.ts';
import { bind, catalog, checkFault, faultText, nowMs, payments, planOf } from './fixture.ts';

const kafka = (options: string, columns = 'a LONG', rest = ''): string =>
  `CREATE TABLE t (${columns}) FROM KAFKA (brokers = 'a:9092', topic = 'p'${options === '' ? '' : `, ${options}`})${rest}`;

function tableOf(sql: string): TableDefinition {
  const bound = bind(sql);
  if (bound.kind !== 'createTable') throw new Error(`a ${bound.kind} makes no table`);
  return defineTable(bound.request, { id: '00000000000a', createdAtMs: 0 });
}

const everything = `CREATE TABLE t (id LONG NOT NULL, "my col" STRING DEFAULT 'it''s', price DECIMAL(10,2) DEFAULT 1.5) FROM KAFKA (
  brokers = 'a:9092, [::1]:9093', topic = 'payments', format = avro, isolation = 'read_uncommitted',
  start_from = '2024-05-01T00:00:00Z', on_lost_offsets = 'fail', on_topic_recreated = 'fail', dead_letter_topic = 'dead',
  tls = true, tls_ca = 'file:/etc/ca.pem', tls_certificate = 'file:/etc/c.pem', tls_key = 'env:TLS_KEY',
  sasl_mechanism = 'scram-sha-512', sasl_username = 'weir', sasl_password = 'env:KAFKA_PASSWORD',
  schema_registry = 'https://registry:8081', schema_registry_username = 'r', schema_registry_password = 'file:/run/r'
) WITH (segment_rows = 10) AS SELECT n AS id, upper($key) AS "my col" /* kept */ FROM message (n INT, "odd name" STRING) WHERE n > 0;`;

describe('FROM KAFKA', () => {
  test('what is left out is as most tables want it', () => {
    expect(tableOf(kafka('')).source).toEqual(kafkaSource({ brokers: ['a:9092'], topic: 'p' }));
  });

  test('everything at once', () => {
    expect(tableOf(everything).source).toEqual({
      kind: 'kafka',
      brokers: ['a:9092', '[::1]:9093'],
      topic: 'payments',
      format: 'avro',
      tls: { ca: 'file:/etc/ca.pem', certificate: 'file:/etc/c.pem', key: 'env:TLS_KEY' },
      sasl: { mechanism: 'scram-sha-512', username: 'weir', password: 'env:KAFKA_PASSWORD' },
      schemaRegistry: { url: 'https://registry:8081', username: 'r', password: 'file:/run/r' },
      isolation: 'read_uncommitted',
      startFrom: Date.UTC(2024, 4, 1),
      onLostOffsets: 'fail',
      onTopicRecreated: 'fail',
      unknownFields: 'ignore',
      deadLetterTopic: 'dead',
      transform: {
        sql: 'SELECT n AS id, upper($key) AS "my col" /* kept */ FROM message (n INT, "odd name" STRING) WHERE n > 0',
        fields: [
          { name: 'n', type: { name: 'INT' } },
          { name: 'odd name', type: STRING },
        ],
      },
    } satisfies KafkaSource);
  });

  test('SHOW CREATE TABLE makes the same table again', () => {
    const table = tableOf(everything);
    const text = createTableText(table);
    expect(tableOf(text)).toEqual(table);
    const tables = [...catalog.tables, table];
    const shown = bindStatement(parseStatement('SHOW CREATE TABLE T'), {
      ...{ catalog: { ...catalog, tables }, parameters: [], nowMs, timeZone: 'UTC' },
    });
    expect(shown).toEqual({ kind: 'showCreateTable', sql: text });
    expect(tableOf(createTableText(payments))).toMatchObject({
      columns: payments.columns,
      settings: payments.settings,
    });
    const transform = { sql: 'SELECT n FROM "message", UNNEST(x) AS y', fields: [{ name: 'n', type: LONG }] };
    const source = kafkaSource({ brokers: ['a:1'], topic: 't', transform });
    expect(createTableText({ ...table, source })).toContain('FROM "message" (n LONG), UNNEST(x) AS y');
  });

  test.each([
    [kafka("topik = 'x'"), 'INVALID_DEFINITION 1:70 unknown option topik (did you mean topic?)'],
    [kafka('partitions = 2'), /^INVALID_DEFINITION 1:70 unknown option partitions \(options: brokers, topic, /],
    [kafka("format = 'jsn'"), 'INVALID_DEFINITION 1:79 option format has no value jsn (did you mean json?)'],
    [kafka("format = 'avro'"), /^INVALID_DEFINITION 1:79 avro messages need a schema registry/],
    [kafka("start_from = 'yesterday'"), /^INVALID_DEFINITION 1:83 option start_from has no value yesterday/],
    [kafka("start_from = '2024-99-01'"), /^INVALID_LITERAL 1:83 /],
    [kafka('tls = maybe'), 'INVALID_DEFINITION 1:76 option tls must be true or false'],
    [kafka("tls = false, tls_ca = 'env:CA'"), /^INVALID_DEFINITION 1:76 tls is off, and an option of it is given/],
    [kafka("tls_key = 'env:K'"), /^INVALID_DEFINITION .* of the client's certificate and key one is given/],
    [kafka("sasl_username = 'u'"), /^INVALID_DEFINITION 1:30 SASL needs sasl_password/],
    [kafka("schema_registry = 'http://me:hunter2@r'"), /^INVALID_DEFINITION 1:88 the URL of the schema registry has a/],
    [kafka("schema_registry = 'hunter2'"), /^INVALID_DEFINITION 1:88 schema_registry is no http or https URL/],
    [kafka("schema_registry_username = 'u'"), /no schema registry/],
    [kafka("dead_letter_topic = 'p'"), /^INVALID_DEFINITION 1:90 the dead-letter topic is the topic itself/],
    [kafka("dead_letter_topic = 'a b'"), /^INVALID_DEFINITION 1:90 "a b" is not the name of a topic/],
    [
      `CREATE TABLE t (a LONG) FROM KAFKA (brokers = 'a', topic = 'p')`,
      /^INVALID_DEFINITION 1:47 "a" is not host:port/,
    ],
    [`CREATE TABLE t (a LONG) FROM KAFKA (brokers = '', topic = 'p')`, /^INVALID_DEFINITION 1:47 0 brokers are named/],
    [`CREATE TABLE t (a LONG) FROM KAFAK (x = 1)`, /^UNSUPPORTED 1:30 tables FROM KAFAK .*did you mean KAFKA\?/],
    [
      `CREATE TABLE t (a LONG) AS SELECT 1 AS a FROM message ()`,
      /^UNSUPPORTED 1:28 AS SELECT is what messages of a topic/,
    ],
    [
      kafka("unknown_fields = 'add'", 'a LONG', ' AS SELECT a FROM message (a LONG)'),
      /^INVALID_DEFINITION 1:87 a transform names all that there is/,
    ],
  ] as const)('%s', (sql, want) => checkFault(sql, want));

  test.each(['sasl_password', 'tls_key', 'schema_registry_password'])(
    'a literal %s is refused, and not repeated',
    name => {
      const rest =
        "tls_certificate = 'env:C', sasl_username = 'u', schema_registry = 'http://r', schema_registry_username = 'u'";
      const given = ['sasl_password', 'tls_key', 'schema_registry_password'];
      const options = given.map(key => `${key} = '${key === name ? 'hunter2' : 'env:OK'}'`).join(', ');
      const text = faultText(() => bind(kafka(`${rest}, ${options}`)));
      expect(text).toMatch(new RegExp(`^INVALID_DEFINITION 1:\\d+ ${name} is written out`));
      expect(text).not.toContain('hunter2');
    },
  );
});

describe('secrets in text', () => {
  test.each([
    ["sasl_password = 'hunter2', x = 1", "sasl_password = '…', x = 1"],
    ["sasl_password = /* here */ E'hun\\'ter2' ", "sasl_password = /* here */ '…' "],
    ["tls_key='a''b' , \"PASSWORD\" = hunter2", "tls_key='…' , \"PASSWORD\" = '…'"],
    ["password = 'env:NAME', secret = 'file:/run/x'", "password = 'env:NAME', secret = 'file:/run/x'"],
    ["WHERE name = 'password'", "WHERE name = 'password'"],
    ["password = 'open", "password = 'open"],
    ["password = 'a\\', other = 'b'", "password = '…', other = 'b'"],
  ])('%s', (sql, want) => expect(redactSecrets(sql)).toBe(want));

  test('a syntax error does not repeat what may be one', () => {
    expect(faultText(() => parseStatement(kafka("sasl_password 'hunter2'")))).not.toContain('hunter2');
    expect(faultText(() => parseStatement(kafka("sasl_password = = 'hunter2'")))).not.toContain('hunter2');
  });
});

describe('transforms', () => {
  const bound = (select: string, columns = 'a LONG NOT NULL, b STRING, c LONG') => kafka('', columns, ` AS ${select}`);
  const at = (sql: string, part: string): number => sql.indexOf(part) + 1;

  test.each([
    [
      'SELECT x AS a, y AS bb FROM message (x LONG, y STRING)',
      'y AS bb',
      /^UNKNOWN_COLUMN .* the table has no column bb \(did you mean b/,
    ],
    ['SELECT x AS a, z AS b FROM message (x LONG, y STRING)', 'z AS', /^UNKNOWN_COLUMN .* unknown column z/],
    [
      'SELECT x AS b FROM message (x STRING)',
      'message (',
      /^CONSTRAINT .* column a is NOT NULL and has no default, and the/,
    ],
    [
      'SELECT y AS a FROM message (y STRING)',
      'y AS',
      /^TYPE_MISMATCH .* column a is LONG, the expression STRING \(CAST/,
    ],
    ['SELECT x AS a, x AS A FROM message (x LONG)', 'x AS A', /^INVALID_DEFINITION .* column a is given twice/],
    ['SELECT x AS a, $ofset AS c FROM message (x LONG)', '$ofset', /^UNKNOWN_COLUMN .* \(did you mean \$offset\?\)/],
    ['SELECT $row AS a FROM message ()', '$row', /^UNKNOWN_COLUMN/],
    ['SELECT x AS a FROM message (x LONG, X INT)', 'X INT', /^INVALID_DEFINITION .* field X is declared twice/],
    ['SELECT x AS a FROM message (x LOGN)', 'LOGN', /^INVALID_DEFINITION .* unknown type LOGN/],
    ['SELECT x AS a FROM mesage (x LONG)', 'mesage', /^UNSUPPORTED .* a transform reads FROM message/],
    ['SELECT x AS a FROM message (x LONG) ORDER BY x', 'x', /^UNSUPPORTED .* it has no DISTINCT, HAVING, ORDER BY/],
    ['SELECT x AS a FROM message (x LONG), payments', 'payments', /^UNSUPPORTED .* joins nothing/],
    ['SELECT now() AS a FROM message ()', 'now()', /^UNSUPPORTED .* cannot ask for the time: now/],
    ['SELECT (SELECT 1) AS a FROM message ()', 'message', /^UNSUPPORTED .* a subquery cannot be used in a transform/],
    ['SELECT SUM(x) AS a FROM message (x LONG)', 'SUM', /^UNSUPPORTED .* groups by something/],
    [
      'SELECT x AS a, AVG(x) AS c FROM message (x LONG) GROUP BY x',
      'AVG',
      /^UNSUPPORTED .* cannot keep AVG: .*merge without loss/,
    ],
    [
      'SELECT x AS a, COUNT(DISTINCT x) AS c FROM message (x LONG) GROUP BY x',
      'COUNT',
      /^UNSUPPORTED .* COUNT\(DISTINCT …\)/,
    ],
    [
      'SELECT x AS a, SUM(x) + 1 AS c FROM message (x LONG) GROUP BY x',
      '+ 1',
      /^UNSUPPORTED .* a key or one aggregate/,
    ],
    [
      'SELECT x AS a FROM message (x LONG, y STRING) GROUP BY x, y',
      'y',
      /^UNSUPPORTED .* a key of GROUP BY is no output/,
    ],
    ['SELECT x AS a, COUNT(*) AS b FROM message (x LONG) GROUP BY x', 'COUNT', /^TYPE_MISMATCH .* \(declare it LONG\)/],
    [
      'SELECT x AS a, SUM(y) AS c FROM message (x LONG, y DOUBLE) GROUP BY x',
      'SUM',
      /^TYPE_MISMATCH .* \(declare it DOUBLE\)/,
    ],
  ] as const)('%s', (select, part, want) => {
    const sql = bound(select);
    const text = faultText(() => bind(sql));
    expect(text).toMatch(want);
    if (part !== 'x' && part !== 'y' && part !== 'message') expect(text).toContain(` 1:${at(sql, part)} `);
  });

  test('JSON brings its fields beside the text, or in it, but not two kinds', () => {
    const columns = [{ name: 'a', type: LONG, nullable: true }];
    const request = (sql: string, fields: readonly { name: string; type: typeof LONG }[]) => ({
      ...{ name: 't', columns, timeColumn: null, indexes: [], settings: {} },
      source: kafkaSource({ brokers: ['a:1'], topic: 't', transform: { sql, fields } }),
    });
    const fields = [{ name: 'x', type: LONG }];
    const settled = settleDefinition(request('SELECT x AS a FROM message (x LONG)', []));
    expect(settled.source).toMatchObject({ transform: { fields } });
    const given = request('SELECT x AS a FROM message', fields);
    expect(settleDefinition(given).source).toEqual(given.source);
    const both = request('SELECT x AS a FROM message (x STRING)', fields);
    expect(faultText(() => settleDefinition(both))).toMatch(
      /^INVALID_DEFINITION 1:20 the transform and its list of fields/,
    );
    expect(faultText(() => settleDefinition(request('SELECT x AS b FROM message', fields)))).toMatch(
      /^UNKNOWN_COLUMN 1:8/,
    );
  });

  test('* is the declared fields; sums of DECIMAL keep their digits', () => {
    const column = (name: string, id: number, type = LONG) => ({ id, name, type, nullable: true, defaultValue: null });
    const fields = [
      { name: 'a', type: LONG },
      { name: 'b', type: LONG },
    ];
    const plan = bindTransform({ sql: 'SELECT * FROM message WHERE $partition = 1', fields }, [
      column('b', 4),
      column('a', 9),
    ]);
    expect(plan.columns.map(({ id }) => id)).toEqual([9, 4]);
    expect(plan.message.map(({ name }) => name)).toEqual(['a', 'b', '$partition', '$row']);
    const sum = (column: number, field: number) => () =>
      bindTransform(
        {
          sql: 'SELECT k, SUM(v) AS s FROM message GROUP BY k',
          fields: [
            { name: 'k', type: LONG },
            { name: 'v', type: decimal(9, field) },
          ],
        },
        [
          { ...{ id: 1, name: 'k', type: LONG }, nullable: true, defaultValue: null },
          { id: 2, name: 's', type: decimal(20, column), nullable: true, defaultValue: null },
        ],
      );
    expect(sum(2, 2)().columns[1]).toMatchObject({ merge: 'sum' });
    expect(faultText(sum(1, 2))).toMatch(/^TYPE_MISMATCH/);
  });
});

describe('steering ingestion', () => {
  const topic: TableDefinition = {
    ...payments,
    id: 'aaaaaaaaaaaa',
    name: 'topic',
    source: kafkaSource({ brokers: ['a:1'], topic: 't' }),
  };
  const steer = (sql: string) =>
    bindStatement(parseStatement(sql), {
      ...{ catalog: { ...catalog, tables: [...catalog.tables, topic] }, parameters: [], nowMs, timeZone: 'UTC' },
    });
  const base = { kind: 'ingestion', tableId: topic.id, table: 'topic', partition: null, to: null };

  test.each([
    ['PAUSE INGESTION Topic', { action: 'pause' }],
    ['resume ingestion topic partition 3', { action: 'resume', partition: 3 }],
    ['COMMIT INGESTION topic', { action: 'commit' }],
    [
      'SEEK INGESTION topic PARTITION 0 TO OFFSET 123',
      { action: 'seek', partition: 0, to: { kind: 'offset', offset: 123 } },
    ],
    [
      "SEEK INGESTION topic TO TIMESTAMP '2024-01-02'",
      { action: 'seek', to: { kind: 'time', timeMs: Date.UTC(2024, 0, 2) } },
    ],
    ['SEEK INGESTION topic TO BEGINNING', { action: 'seek', to: { kind: 'beginning' } }],
    ['SEEK INGESTION topic PARTITION 1 TO END', { action: 'seek', partition: 1, to: { kind: 'end' } }],
  ])('%s', (sql, want) => expect(steer(sql)).toEqual({ ...base, ...want }));

  test.each([
    ['PAUSE INGESTION payments', /^UNSUPPORTED 1:17 rows are pushed into payments: there is nothing to pause/],
    ['PAUSE INGESTION system.queries', /^UNSUPPORTED 1:17 /],
    ['PAUSE INGESTION topik', /^UNKNOWN_TABLE 1:17 .*did you mean topic/],
    ['PAUSE INGESTIN topic', /^SYNTAX_ERROR 1:7 .*did you mean INGESTION/],
    ['PAUSE INGESTION topic TO END', /^SYNTAX_ERROR 1:23 /],
    ['SEEK INGESTION topic', /^SYNTAX_ERROR 1:16 SEEK INGESTION needs a place to go to/],
    ['SEEK INGESTION topic TO OFFSET 5', /^SYNTAX_ERROR 1:25 an offset is of one partition .*PARTITION n TO OFFSET 5/],
    ['SEEK INGESTION topic PARTITION 1.5 TO END', /^INVALID_LITERAL 1:32 a partition is a whole number, not 1.5/],
    ["SEEK INGESTION topic TO TIMESTAMP 'soon'", /^INVALID_LITERAL 1:25 /],
  ] as const)('%s', (sql, want) => expect(faultText(() => steer(sql))).toMatch(want));

  test('its words stay names', () => {
    expect(planOf('SELECT pause, "timestamp" FROM (SELECT 1 AS pause, 2 AS timestamp) commit').columns).toHaveLength(2);
  });
});

describe('UNNEST in queries', () => {
  test.each([
    ['SELECT 1 FROM UNNEST(1)', /^SYNTAX_ERROR 1:15 UNNEST stands behind the table that it reads/],
    ['SELECT 1 FROM payments, UNNEST(amount) AS a', /^TYPE_MISMATCH 1:32 cannot cast type LONG to JSON/],
    ['SELECT 1 FROM payments, UNNEST(extra) AS a, UNNEST(a) AS b', /^UNSUPPORTED 1:45 one UNNEST at most/],
    ['SELECT 1 FROM payments (a INT)', /^SYNTAX_ERROR 1:15 the columns of payments are known/],
    ['SELECT merchant FROM payments, UNNEST(extra) AS merchant', /^AMBIGUOUS_NAME/],
  ] as const)('%s', (sql, want) => checkFault(sql, want));

  test('what is asked of the table alone is asked below it', () => {
    const { fragments } = planOf(
      "SELECT item FROM payments, UNNEST(extra) AS item WHERE amount > 1 AND item->>'a' = 'b'",
    );
    expect(fragments[1]).toMatchObject({
      kind: 'project',
      source: {
        kind: 'filter',
        source: { kind: 'unnest', type: JSON_TYPE, source: { kind: 'scan', filter: { kind: 'compare' } } },
      },
    });
  });
});

test('every stored table knows when its rows came', () => {
  const { fragments } = planOf('SELECT $ingested_at FROM payments');
  expect(fragments[1]).toMatchObject({ columns: [{ id: virtualColumns.ingestedAt, type: { name: 'TIMESTAMP' } }] });
});
