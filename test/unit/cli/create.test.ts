import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../../src/base/fault.ts';
import type { SchemaSource } from '../../../src/catalog/schema-source.ts';
import type { TableDefinitionRequest } from '../../../src/catalog/table.ts';
import { defineTable } from '../../../src/catalog/validate.ts';
import { LONG, typeText } from '../../../src/column/type.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { parseStatement } from '../../../src/sql/parse.ts';
import type { KafkaConnection } from '../../../src/stream/kafka/types.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';
import { startServer } from '../http/roles.ts';
import { runWeir } from './run-weir.ts';

let door: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  door = await startServer();
});
afterAll(() => door.server.close());

let kafka: MemoryKafka;
let connections: KafkaConnection[];
beforeEach(() => {
  kafka = new MemoryKafka();
  connections = [];
  door.tables.length = 0;
  door.state.ingestion = [];
});

interface RunOptions {
  readonly stdin?: string;
  readonly tty?: boolean;
  readonly schemas?: SchemaSource;
}

/** `weir create` about the topic `payments`. */
const create = (args: readonly string[], { schemas, ...options }: RunOptions = {}) =>
  runWeir(door.url, ['create', '--from-kafka', '--brokers', 'k:9092', '--topic', 'payments', ...args], {
    ...options,
    replaced: {
      async openKafka(connection) {
        connections.push(connection);
        return kafka.open();
      },
      openSchemas: async () => schemas!,
    },
  });

/** What the server would make of the statement. */
function requestOf(text: string): TableDefinitionRequest {
  const options = { catalog: { tables: [], systemTables: [] }, parameters: [], nowMs: 0, timeZone: 'UTC' };
  const bound = bindStatement(parseStatement(text.replace(/;\n$/, '')), options);
  if (bound.kind !== 'createTable') throw new Error(bound.kind);
  defineTable(bound.request, { id: '0000000000aa', createdAtMs: 0 });
  return bound.request;
}

const columnsOf = ({ columns }: TableDefinitionRequest): string[] =>
  columns.map(({ name, type, nullable }) => `${name} ${typeText(type)}${nullable ? '' : ' NOT NULL'}`);

const payment = (index: number, more: object = {}): string =>
  JSON.stringify({
    id: `p-${index}`,
    created_at: new Date(1_700_000_000_000 + index).toISOString(),
    country: ['DE', 'FR', 'US'][index % 3],
    amount: index / 4,
    items: [{ sku: 'a', n: 1 }],
    ...more,
  });

describe('a proposal', () => {
  test('has types, the time column, indexes and the reasons', async () => {
    kafka.createTopic('payments', 2);
    for (let index = 0; index < 60; index++) kafka.produce('payments', index % 2, payment(index));
    const { out, err, exitCode } = await create(['--dry-run']);
    expect(exitCode).toBe(0);
    expect(out).toBe(`-- From 60 rows of the topic.
CREATE TABLE "payments" (
  "id"         STRING,
  "created_at" TIMESTAMP NOT NULL, -- the time of the event
  "country"    STRING,             -- 3 different values in 60
  "amount"     DOUBLE,
  "items"      JSON                -- nested: read its parts with -> and ->>
)
FROM KAFKA (
  brokers = 'k:9092',
  topic = 'payments',
  format = 'json'
)
WITH (
  time_column = 'created_at',
  index = 'country: inverted'
);
`);
    expect(err).toBe(`topic payments: 2 partitions, 60 offsets in all
  partition 0: offsets 0 to 30
  partition 1: offsets 0 to 30
read 60 messages of its end
format: json
`);
    expect(columnsOf(requestOf(out))).toContain('created_at TIMESTAMP NOT NULL');
    expect(door.opened).toEqual([]);
  });

  test('reads the end of every partition', async () => {
    kafka.createTopic('payments', 3);
    for (let index = 0; index < 50; index++) kafka.produce('payments', 0, '{"old": 1}');
    for (let index = 0; index < 10; index++) kafka.produce('payments', 0, '{"fresh": 1}');
    kafka.produce('payments', 1, '{"fresh": 2}', 'control', null, '{"fresh": 3}');
    const { out, err } = await create(['--dry-run', '--sample', '20']);
    expect(out).toContain('"fresh"');
    expect(out).not.toContain('"old"');
    expect(err).toContain('read 13 messages of its end');
    expect(err).toContain('1 message without a value');
  });

  test('integers since 1970 become times, in whatever unit', async () => {
    kafka.createTopic('payments', 1);
    const at = 1_700_000_000;
    kafka.produce('payments', 0, JSON.stringify({ ts: at, sent_at: at + 0.25, paid_at_ns: at * 1e9, amount: at }));
    const { out } = await create(['--dry-run']);
    const request = requestOf(out);
    expect(columnsOf(request)).toEqual([
      'ts TIMESTAMP NOT NULL',
      'sent_at TIMESTAMP',
      'paid_at_ns TIMESTAMP',
      'amount LONG',
    ]);
    expect(out).toContain('-- the time of the event, seconds since 1970');
    expect(out).toContain('CAST("ts" * 1000 AS TIMESTAMP) AS "ts"');
    expect(out).toContain('CAST(CAST("sent_at" * 1000 AS LONG) AS TIMESTAMP) AS "sent_at"');
    expect(out).toContain('CAST("paid_at_ns" / 1000000 AS TIMESTAMP) AS "paid_at_ns"');
    expect(request.source).toMatchObject({
      transform: { fields: [{ name: 'ts' }, { name: 'sent_at' }, { name: 'paid_at_ns' }, { name: 'amount' }] },
    });
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, `{"event_time": ${at * 1000}}`);
    expect((await create(['--dry-run'])).out).toContain('"event_time" TIMESTAMP NOT NULL');
  });

  test("without a time in the fields it is the message's own", async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, '{"a": 1}');
    const { out } = await create(['--dry-run']);
    const request = requestOf(out);
    expect(columnsOf(request)).toEqual(['message_time TIMESTAMP', 'a LONG']);
    expect(request.timeColumn).toBe('message_time');
    expect(out).toContain('$timestamp AS "message_time"');
  });

  test('names that SQL could not say, and fields that no column can be', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, JSON.stringify({ 'a"b': 1, "it's -- so": 2, A: 1, a: 2, $x: 1, '': 1, 'x\ny': 1 }));
    const { out } = await create(['--dry-run', '--name', 'odd']);
    expect(columnsOf(requestOf(out)).slice(1)).toEqual(['a"b LONG', "it's -- so LONG", 'A LONG']);
    expect(out.match(/^-- Left out: .*$/gm)).toHaveLength(4);
  });

  test('arrays of objects and values over several lines', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, '[{"a": 1}, {"a": 2.5, "b": "[x]"}]', '{\n  "a": 3\n}\n');
    const { out } = await create(['--dry-run']);
    expect(columnsOf(requestOf(out)).slice(1)).toEqual(['a DOUBLE', 'b STRING']);
    expect(out).toContain('-- From 3 rows');
  });

  test('CSV is known by its shape', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, '2024-01-02 03:04:05,"Café, Bar",12,007,true', '2024-01-02 03:04:06,x,12.5,008,');
    const { out, err } = await create(['--dry-run']);
    expect(err).toContain('format: csv');
    expect(columnsOf(requestOf(out))).toEqual([
      'column_1 TIMESTAMP NOT NULL',
      'column_2 STRING',
      'column_3 DOUBLE',
      'column_4 STRING',
      'column_5 BOOLEAN',
    ]);
  });

  test('bad messages are counted, with the first place of each reason', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, payment(1), 'oops', payment(2), '{"amount": ', 'oops', payment(3), payment(4));
    const { out, err } = await create(['--dry-run']);
    expect(out).toContain('-- From 4 rows of the topic; 3 messages did not fit.');
    expect(err).toMatch(
      /2 messages would be rejected: .*\(partition 0, offset 1\)\n1 message would be rejected: .*offset 3/,
    );
  });

  test('Avro by a registry', async () => {
    kafka.createTopic('payments', 1);
    // Schema 7, "ab", 3 as a zigzag varint, milliseconds.
    const bytes = Buffer.from([0, 0, 0, 0, 7, 4, 97, 98, 6, ...[0x80, 0xd0, 0x95, 0xff, 0xf9, 0x62]]);
    kafka.topics.get('payments')!.partitions[0]!.slots.push({ key: null, value: bytes, timestampMs: 0 });
    const schema = {
      type: 'record',
      name: 'Payment',
      fields: [
        { name: 'merchant', type: 'string' },
        { name: 'amount', type: 'long' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      ],
    };
    const schemas: SchemaSource = {
      schema: async id => (id === 7 ? { type: 'AVRO', text: JSON.stringify(schema), references: [] } : null),
    };
    const { out, err } = await create(['--dry-run', '--schema-registry', 'http://r:8081'], { schemas });
    expect(err).toContain('format: avro');
    const request = requestOf(out);
    expect(columnsOf(request)).toEqual(['merchant STRING', 'amount LONG', 'at TIMESTAMP NOT NULL']);
    expect(request.source).toMatchObject({ format: 'avro', schemaRegistry: { url: 'http://r:8081' } });
    expect((await create(['--dry-run'])).err).toContain('hint: give --schema-registry');
  });
});

test('Protobuf by a registry', async () => {
  kafka.createTopic('payments', 1);
  // Schema 8, its first message: "ab", 3.
  const bytes = Buffer.from([0, 0, 0, 0, 8, 0, 0x0a, 2, 97, 98, 0x10, 3]);
  kafka.topics.get('payments')!.partitions[0]!.slots.push({ key: null, value: bytes, timestampMs: 0 });
  const text = 'syntax = "proto3"; message Payment { string merchant = 1; int64 amount = 2; }';
  const schemas: SchemaSource = { schema: async () => ({ type: 'PROTOBUF', text, references: [] }) };
  const { out, err } = await create(['--dry-run', '--schema-registry', 'http://r:8081'], { schemas });
  expect(err).toContain('format: protobuf');
  expect(columnsOf(requestOf(out))).toEqual(['message_time TIMESTAMP', 'merchant STRING', 'amount LONG']);
});

describe('creating', () => {
  /** The server answers the statement by a table that has read everything at once. */
  async function expectStatement(): Promise<void> {
    const { out } = await create(['--dry-run']);
    const definition = defineTable(requestOf(out), { id: '0000000000aa', createdAtMs: 0 });
    const freshness = { partition: 0, ingestedOffset: 2, endOffset: 2, observedAtMs: 0, lagMs: 0, watermarkMs: null };
    const run = async (): Promise<void> => {
      door.tables.push(definition);
      door.state.ingestion = [
        {
          ...{ tableId: definition.id, partition: 0, table: 'payments', source: 'kafka', committedEnd: 0 },
          freshness: { ...freshness, state: 'consuming', cause: null },
          ...{ consumingRows: 0, rowsIngested: 2, rowsRejected: 0, rowsFiltered: 0, offsetsLost: 0, logSizeBytes: 0 },
          ...{ lastFault: null, notice: null, auditMismatches: 0 },
        },
      ];
    };
    door.answers.set(out.replace(/;\n$/, ''), { columns: [], parts: [run] });
    door.answers.set('SELECT COUNT(*) FROM "payments"', { columns: [{ name: 'count', type: LONG }], parts: [[[2n]]] });
  }
  beforeEach(() => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, payment(1), payment(2));
  });

  test('with --yes', async () => {
    await expectStatement();
    const { err, exitCode } = await create(['--yes']);
    expect(err).toMatch(/created payments: 2 rows so far, and every message from now on\n$/);
    expect([exitCode, door.tables.length]).toEqual([0, 1]);
  });

  test('asks on a terminal: Enter is yes, n and the end of input are no', async () => {
    await expectStatement();
    for (const stdin of ['n\n', 'what\n', '']) {
      const { err } = await create([], { stdin, tty: true });
      expect(err).toContain('Create it? [Y/n] ');
      expect(err).toMatch(/nothing was created\n$/);
      expect(door.tables).toHaveLength(0);
    }
    const { err } = await create([], { stdin: '\n', tty: true });
    expect(err).toContain('reading payments: 2 messages');
    expect(err).toContain('created payments');
    expect(door.tables).toHaveLength(1);
  });

  test('elsewhere it only prints, and says how to go on', async () => {
    const { out, err, exitCode } = await create([]);
    expect(out).toContain('CREATE TABLE "payments"');
    expect(err).toContain('run it again with --yes');
    expect([exitCode, door.tables.length]).toEqual([0, 0]);
  });

  test('a name that is taken is told before anything is read', async () => {
    await expectStatement();
    await create(['--yes']);
    connections.length = 0;
    const { err, exitCode } = await create(['--yes']);
    expect(err).toContain('there is a table payments already (TABLE_EXISTS)\nhint: give another name');
    expect([exitCode, connections.length]).toEqual([1, 0]);
  });
});

describe('errors', () => {
  test('no broker, no topic, an empty one', async () => {
    expect((await create(['--dry-run'])).err).toMatch(/there is no topic .*\nhint: is it spelled so/);
    kafka.createTopic('payments', 1);
    expect((await create(['--dry-run'])).err).toMatch(/topic payments is empty .*\nhint: produce some messages first/);
    kafka.produce('payments', 0, payment(1));
    kafka.deleteBefore('payments', 0, 1);
    expect((await create(['--dry-run'])).err).toContain(
      'topic payments is empty: its retention has deleted what it had',
    );
    kafka.down = 'connection refused';
    const { err, exitCode } = await create(['--dry-run']);
    expect(err).toMatch(/connection refused \(UNAVAILABLE\)\nhint: is Kafka running there/);
    expect(exitCode).toBe(1);
  });

  test('messages of no known format', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, 'hello', 'you');
    expect((await create(['--dry-run'])).err).toContain('neither JSON nor CSV');
    expect((await create(['--dry-run', '--format', 'json'])).err).toMatch(/none of 2 messages is a row of format json/);
  });

  test('secrets are references, and no text shows another', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, payment(1));
    const sasl = ['--sasl-mechanism', 'scram-sha-256', '--sasl-username', 'sam', '--sasl-password'];
    const { out } = await create(['--dry-run', '--tls-ca', 'file:/ca.pem', ...sasl, 'env:SECRET']);
    expect(requestOf(out).source).toMatchObject({
      tls: { ca: 'file:/ca.pem' },
      sasl: { mechanism: 'scram-sha-256', username: 'sam', password: 'env:SECRET' },
    });
    expect(connections[0]).toMatchObject({ sasl: { password: 'env:SECRET' } });
    const plain = await create(['--dry-run', ...sasl, 'hunter2']);
    expect(plain.err).toContain('sasl_password is written out');
    expect(plain.out + plain.err).not.toContain('hunter2');
  });

  test('what the table may not be called', async () => {
    expect((await create(['--dry-run', '--name', 'a b'])).err).toContain('is not a table name');
    await expect(create(['--sample', '0'])).rejects.toThrow('whole number from 1');
  });

  test('a broker that only says why it cannot read', async () => {
    kafka.createTopic('payments', 1);
    kafka.produce('payments', 0, payment(1));
    const open = kafka.open;
    const refused = fault('FORBIDDEN', 'not authorized to read').fault;
    const { err } = await runWeir(
      door.url,
      ['create', '--from-kafka', '--brokers', 'k:9092', '--topic', 'payments', '--dry-run'],
      {
        replaced: {
          openKafka: async () => ({
            ...open(),
            openReader: () => ({
              assign: (_partition, _position, listener) => listener.trouble(refused),
              unassign() {},
              async close() {},
            }),
          }),
        },
      },
    );
    expect(err).toContain('not authorized to read (FORBIDDEN)');
  });
});
