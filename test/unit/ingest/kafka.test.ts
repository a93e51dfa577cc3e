/** Tables of a stream against the seam in memory; tests against the real broker are in test/integration. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kafkaSource } from '../../../src/catalog/kafka-source.ts';
import type { KafkaSource, SeekTarget, TableSettings } from '../../../src/catalog/table.ts';
import { LONG, STRING } from '../../../src/column/type.ts';
import { openSqliteMeta } from '../../../src/meta/sqlite.ts';
import type { MetaStore } from '../../../src/meta/store.ts';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { type Cluster, codeOf, openCluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';
import { noStreams } from '../../support/no-streams.ts';
import { seededRandom } from '../../support/random.ts';

let kafka: MemoryKafka;
let meta: MetaStore;
let disk: FaultDisk;
let cluster: Cluster;
let tableId: string;

const start = async (): Promise<void> => {
  cluster = await openCluster({
    meta,
    disk,
    streams: { ...noStreams, openKafka: async () => kafka.open() },
    shardCount: 2,
  });
};
const restart = async (): Promise<void> => {
  await cluster.close();
  await start();
};

beforeEach(async () => {
  kafka = new MemoryKafka();
  kafka.createTopic('events', 2);
  meta = await openSqliteMeta(':memory:');
  disk = new FaultDisk(seededRandom(1));
  await start();
});

afterEach(async () => {
  await cluster.close();
  await meta.close();
});

const create = async (source: Partial<KafkaSource> = {}, settings: Partial<TableSettings> = {}): Promise<void> => {
  const columns = [
    { name: 'id', type: LONG, nullable: false },
    { name: 'name', type: STRING, nullable: true },
  ];
  const definition = { name: 'events', columns, timeColumn: null, indexes: [], settings };
  const request = {
    definition: { ...definition, source: kafkaSource({ brokers: ['localhost:9092'], topic: 'events', ...source }) },
    ifNotExists: false,
  };
  tableId = (await cluster.controller.call('createTable', request)).id;
};

let ids = 0;
/** Produces so many messages with ids of their own; answers them. */
const produce = (partition: number, count: number): number[] => {
  const own = Array.from({ length: count }, () => ids++);
  kafka.produce('events', partition, ...own.map(id => JSON.stringify({ id, name: `n${id % 7}` })));
  return own;
};

const idsOf = async (): Promise<number[]> =>
  (await cluster.query('SELECT id FROM events ORDER BY id')).rows.map(([id]) => Number(id));
const states = () => cluster.ingest.call('state', null);

const untilIds = (want: readonly number[]) =>
  eventually(async () => expect(await idsOf()).toEqual([...want].sort((a, b) => a - b)));

const accountsOf = async () =>
  (await cluster.controller.call('audit', { tableId })).map(({ kind, ...entry }) => ({ kind, ...entry }));

test('messages are rows; each knows its partition and offset; a restart adds nothing and loses nothing', async () => {
  const want = [...produce(0, 250), ...produce(1, 30)];
  await create();
  await untilIds(want);
  await cluster.commit('events');
  want.push(...produce(0, 40));
  await untilIds(want);
  await restart();
  await untilIds(want);
  const { rows } = await cluster.query(
    'SELECT $partition, COUNT(*), MIN($offset), MAX($offset), COUNT(DISTINCT $offset) FROM events GROUP BY $partition ORDER BY 1',
  );
  expect(rows).toEqual([
    [0, 290n, 0n, 289n, 290n],
    [1, 30n, 0n, 29n, 30n],
  ]);
});

test('markers, aborted records, gaps, tombstones and bad messages are accounted for, and break nothing', async () => {
  await create();
  const want = produce(0, 3);
  kafka.produce('events', 0, 'control', 'aborted', 'gap', 'gap', null, 'not json', '{"id":"x"}');
  want.push(...produce(0, 1));
  await untilIds(want);
  await cluster.commit('events');
  const [entry] = await accountsOf();
  expect(entry).toMatchObject({
    ...{ kind: 'segment', partition: 0, startOffset: 0, endOffset: 11 },
    accounts: { taken: 4, filtered: 1, rejected: 2, control: 1, aborted: 1, gaps: 2, lost: 0, rowsIn: 4, rowsOut: 4 },
  });
  const rejects = await cluster.ingest.call('rejects', { tableId });
  expect(rejects.map(({ partition, offset, column }) => [partition, offset, column])).toEqual([
    [0, 8, null],
    [0, 9, 'id'],
  ]);
});

test('a partition without rows in its offsets is published all the same, and goes on behind them', async () => {
  await create();
  kafka.produce('events', 1, 'control', 'aborted', 'control');
  await eventually(async () => expect((await states())[1]!.freshness.ingestedOffset).toBe(3));
  await cluster.commit('events');
  expect((await states())[1]).toMatchObject({ committedEnd: 3 });
  const want = produce(1, 2);
  await untilIds(want);
  await restart();
  await untilIds(want);
});

describe('partitions', () => {
  test('that come while running are read from their beginning', async () => {
    const want = produce(0, 5);
    await create({ startFrom: 'latest' });
    await eventually(async () => expect(await states()).toHaveLength(2));
    want.length = 0;
    kafka.addPartition('events');
    want.push(...produce(2, 7), ...produce(0, 1));
    await untilIds(want);
  });

  test('are paused and resumed, and stay so over a restart', async () => {
    await create();
    const want = produce(0, 5);
    await untilIds(want);
    await cluster.ingest.call('pause', { tableId, partition: null });
    const later = produce(0, 5);
    await restart();
    await eventually(async () => {
      const { trailer } = await cluster.query('SELECT COUNT(*) FROM events');
      expect(trailer.freshness.events!.partitions.map(({ state }) => state)).toEqual(['paused', 'paused']);
    });
    expect(await idsOf()).toEqual([]);
    await eventually(async () =>
      expect((await states())[0]!.freshness).toMatchObject({ state: 'paused', endOffset: 10 }),
    );
    expect((await states())[0]!.freshness.lagMs, 'five messages wait').toBeGreaterThan(0);
    await cluster.ingest.call('resume', { tableId, partition: null });
    await untilIds([...want, ...later]);
  });
});

describe('what fails', () => {
  test('a broker that is gone shows in answers with its cause, and heals', async () => {
    await create();
    const want = produce(0, 5);
    await untilIds(want);
    kafka.down = 'broker localhost:9092 cannot be reached';
    await eventually(async () => {
      const { trailer } = await cluster.query('SELECT COUNT(*) FROM events');
      expect(trailer.freshness.events!.partitions[0]).toMatchObject({ state: 'failed', cause: kafka.down });
    });
    want.push(...produce(0, 5));
    kafka.down = null;
    await untilIds(want);
    await eventually(async () => expect((await states())[0]!.freshness).toMatchObject({ cause: null }));
  });

  test('a topic that is not there is told of, before any partition is known', async () => {
    await create({ topic: 'nowhere' });
    await eventually(async () => {
      const { trailer } = await cluster.query('SELECT COUNT(*) FROM events');
      expect(trailer.freshness.events!.partitions).toMatchObject([{ partition: -1, state: 'failed' }]);
    });
    kafka.createTopic('nowhere', 1);
    await eventually(async () => expect(await states()).toMatchObject([{ partition: 0, freshness: { cause: null } }]));
  });

  test('offsets that retention deleted are skipped and counted, or stop the partition, as the table says', async () => {
    await create();
    const before = produce(0, 4);
    await untilIds(before);
    await cluster.commit('events');
    await cluster.close();
    produce(0, 6);
    const after = produce(0, 2);
    kafka.deleteBefore('events', 0, 10);
    await start();
    await untilIds([...before, ...after]);
    const [state] = await states();
    expect(state).toMatchObject({ offsetsLost: 6, notice: expect.stringContaining('6 offsets from 4 on') });
    await cluster.commit('events');
    expect((await accountsOf()).map(({ accounts }) => accounts.lost)).toContain(6);
  });

  test('with on_lost_offsets = fail the partition stops, says so, and others go on', async () => {
    await create({ onLostOffsets: 'fail' });
    const want = produce(0, 2);
    await untilIds(want);
    await cluster.commit('events');
    await cluster.close();
    produce(0, 3);
    kafka.deleteBefore('events', 0, 4);
    await start();
    want.push(...produce(1, 3));
    await untilIds(want);
    await eventually(async () => expect((await states())[0]!.freshness).toMatchObject({ state: 'failed' }));
    expect((await states())[0]!.lastFault!.code).toBe('OFFSETS_LOST');
    await cluster.ingest.call('seek', { tableId, partition: 0, to: { kind: 'beginning' } });
    want.push(want[1]! + 3);
    await untilIds(want);
  });

  test('a topic that is made again is read from its beginning; the rows of the old one stay', async () => {
    await create();
    const old = produce(0, 8);
    await untilIds(old);
    kafka.topics.delete('events');
    await eventually(async () => expect((await states())[0]!.freshness.state).toBe('failed'));
    kafka.createTopic('events', 2);
    const fresh = produce(0, 5);
    await untilIds([...old, ...fresh]);
    await restart();
    await untilIds([...old, ...fresh]);
    expect((await accountsOf()).map(({ kind }) => kind)).toContain('restart');
  });

  test('a log that was cut keeps what was read, and reads on from the cut', async () => {
    await create();
    const old = produce(0, 8);
    await untilIds(old);
    kafka.cut('events', 0, 5);
    await eventually(async () => expect((await states())[0]!.notice).toContain('was cut at offset 5'));
    const fresh = produce(0, 2);
    await untilIds([...old, ...fresh]);
  });

  test('dead letters have the messages, with where they were and why', async () => {
    kafka.createTopic('dead', 1);
    await create({ deadLetterTopic: 'dead' });
    kafka.produce('events', 0, 'broken', '{"id":1}');
    await eventually(async () => expect(kafka.values('dead', 0)).toEqual(['broken']));
  });
});

test('the watermark is that of the published rows after a restart, before any new row comes', async () => {
  await cluster.query(
    `CREATE TABLE events (id LONG, ts TIMESTAMP) FROM KAFKA (brokers = 'localhost:9092', topic = 'events', format = 'json') WITH (time_column = 'ts')`,
  );
  kafka.produce('events', 0, '{"id":1,"ts":"2024-05-01T00:00:00Z"}', '{"id":2,"ts":"2024-05-02T00:00:00Z"}');
  await untilIds([1, 2]);
  await cluster.commit('events');
  await restart();
  const { trailer } = await cluster.query('SELECT COUNT(*) FROM events');
  expect(trailer.freshness.events!.watermarkMs).toBe(Date.parse('2024-05-02T00:00:00Z'));
});

test('a table that cannot be opened says so, and keeps no other from its rows', async () => {
  const openKafka = async () => {
    if (openFails) throw new Error('the code of streams cannot be loaded');
    return kafka.open();
  };
  let openFails = false;
  await create();
  await untilIds(produce(0, 2));
  await cluster.close();
  openFails = true;
  cluster = await openCluster({ meta, disk, streams: { ...noStreams, openKafka }, shardCount: 1 });
  expect(await states()).toMatchObject([{ partition: -1, freshness: { state: 'failed', cause: expect.any(String) } }]);
  await cluster.query('CREATE TABLE pushed (id LONG)');
  await cluster.query('INSERT INTO pushed VALUES (1)');
  expect((await cluster.query('SELECT COUNT(*) FROM pushed')).rows).toEqual([[1n]]);
  openFails = false;
  await cluster.ingest.call('refresh', null);
  await eventually(async () => expect(await idsOf()).toHaveLength(2));
});

describe('seek', () => {
  const seek = (to: SeekTarget, partition: number | null = 0) =>
    cluster.ingest.call('seek', { tableId, partition, to });

  test('back reads again, and no row is there twice; forward passes over', async () => {
    await create();
    const want = produce(0, 10);
    await untilIds(want);
    await cluster.commit('events');
    want.push(...produce(0, 10));
    await untilIds(want);
    await cluster.commit('events');
    want.push(...produce(0, 5));
    await untilIds(want);
    expect(await seek({ kind: 'offset', offset: 15 })).toEqual({ partitions: [{ partition: 0, offset: 10 }] });
    await untilIds(want);
    expect(await seek({ kind: 'offset', offset: 23 })).toEqual({ partitions: [{ partition: 0, offset: 10 }] });
    await untilIds(want);
    await seek({ kind: 'beginning' }, null);
    await untilIds(want);
    await cluster.ingest.call('pause', { tableId, partition: 0 });
    produce(0, 5);
    await seek({ kind: 'end' });
    await cluster.ingest.call('resume', { tableId, partition: 0 });
    want.push(...produce(0, 1));
    await untilIds(want);
    await restart();
    await untilIds(want);
    expect(await codeOf(seek({ kind: 'offset', offset: 1_000 }))).toBe('INVALID_REQUEST');
    expect(await codeOf(seek({ kind: 'offset', offset: 1 }, 9))).toBe('NOT_FOUND');
    want.push(...produce(0, 1));
    await untilIds(want);
  });

  test('is refused where rows would go that the stream no longer has', async () => {
    await create();
    const want = produce(0, 10);
    await untilIds(want);
    await cluster.commit('events');
    kafka.deleteBefore('events', 0, 4);
    expect(await codeOf(seek({ kind: 'offset', offset: 6 }))).toBe('OFFSETS_LOST');
    want.push(...produce(0, 2));
    await untilIds(want);
  });
});

test('fields that the table does not have become columns, if it says so', async () => {
  await create({ unknownFields: 'add' });
  const want = produce(0, 3);
  await untilIds(want);
  kafka.produce('events', 0, '{"id":100000,"price":2.5,"city":"Bern"}', '{"id":100001}');
  await untilIds([...want, 100_000, 100_001]);
  await restart();
  await eventually(async () => {
    const { rows } = await cluster.query('SELECT id, price, city FROM events WHERE id >= 100000 ORDER BY id');
    expect(rows).toEqual([
      [100_000n, 2.5, 'Bern'],
      [100_001n, null, null],
    ]);
  });
});

test('a segment that does not add up is not published but read again, and stays an alarm', async () => {
  await create();
  const want = produce(0, 5);
  await untilIds(want);
  await cluster.close();
  let lies = 1;
  const intercept = <C>(role: string, client: C): C => {
    if (role !== 'shard') return client;
    const { call } = client as { call(name: string, ...rest: unknown[]): Promise<object> };
    return {
      ...client,
      async call(name: string, ...rest: unknown[]) {
        const output = await call.call(client, name, ...rest);
        return name === 'roll' && lies-- > 0 ? { ...output, rowCount: 4 } : output;
      },
    };
  };
  cluster = await openCluster({
    meta,
    disk,
    streams: { ...noStreams, openKafka: async () => kafka.open() },
    intercept,
  });
  await untilIds(want);
  expect(await codeOf(cluster.ingest.call('commit', { tableId, partition: 0 }))).toBe('INTERNAL');
  // Until it has started anew, a commit is told the same, or finds nothing to do.
  await eventually(async () => {
    await cluster.commit('events');
    expect((await accountsOf()).map(({ startOffset, endOffset }) => [startOffset, endOffset])).toEqual([[0, 5]]);
  });
  await untilIds(want);
  expect((await states())[0]!.auditMismatches).toBe(1);
});

test('a table that is small for its stream seals and goes on, exactly', async () => {
  await create({}, { segmentRows: 300 });
  const want: number[] = [];
  for (let round = 0; round < 10; round++) want.push(...produce(round % 2, 500));
  await untilIds(want);
  await cluster.commit('events');
  await restart();
  await untilIds(want);
  const entries = await accountsOf();
  expect(entries.length).toBeGreaterThan(6);
  expect(entries.reduce((sum, { accounts }) => sum + accounts.taken, 0)).toBe(want.length);
});

describe('transforms', () => {
  const createTransformed = async (columns: string, transform: string): Promise<void> => {
    await cluster.query(
      `CREATE TABLE events (${columns}) FROM KAFKA (brokers = 'localhost:9092', topic = 'events', format = 'json') AS ${transform}`,
    );
    tableId = (await cluster.controller.call('catalog', null)).tables[0]!.id;
  };

  test('compute, filter and unnest; what fails is rejected alone, and every offset is accounted for', async () => {
    await createTransformed(
      'id LONG NOT NULL, ratio DOUBLE, item STRING, at_offset LONG',
      `SELECT id, 100.0 / share AS ratio, item->>'name' AS item, "$offset" AS at_offset
       FROM message (id LONG, share INT, items JSON), UNNEST(items) AS item WHERE id < 50`,
    );
    kafka.produce(
      'events',
      0,
      '{"id":1,"share":4,"items":[{"name":"a"},{"name":"b"}]}',
      '{"id":2,"share":0,"items":[{"name":"c"}]}',
      '{"id":3,"share":1,"items":[]}',
      '{"id":60,"share":1,"items":[{"name":"d"}]}',
      '{"share":1,"items":[{"name":"e"}]}',
      'broken',
      '{"id":4,"share":2,"items":[{"name":"f"}]}',
    );
    await eventually(async () => {
      const { rows } = await cluster.query('SELECT id, ratio, item, at_offset, $offset FROM events ORDER BY id, item');
      expect(rows).toEqual([
        [1n, 25, 'a', 0n, 0n],
        [1n, 25, 'b', 0n, 0n],
        [4n, 50, 'f', 6n, 6n],
      ]);
    });
    await cluster.commit('events');
    const [entry] = await accountsOf();
    expect(entry!.accounts).toMatchObject({ taken: 2, filtered: 3, rejected: 2, rowsIn: 3, rowsOut: 3 });
    const rejects = await cluster.ingest.call('rejects', { tableId });
    expect(rejects.map(({ offset, reason }) => [offset, reason])).toEqual([
      [1, expect.stringContaining('division by zero')],
      [5, expect.any(String)],
    ]);
  });

  test('roll up with exact counts, and again when a segment seals', async () => {
    kafka.batchSize = 10;
    await createTransformed(
      'name STRING, messages LONG, total LONG, largest LONG',
      `SELECT name, COUNT(*) AS messages, SUM(id) AS total, MAX(id) AS largest FROM message (id LONG, name STRING) GROUP BY name`,
    );
    const want = produce(0, 700);
    const sums = async () =>
      (await cluster.query('SELECT SUM(messages), SUM(total), MAX(largest) FROM events')).rows[0]!;
    const exact = [700n, want.reduce((sum, id) => sum + BigInt(id), 0n), BigInt(want.at(-1)!)];
    await eventually(async () => expect(await sums()).toEqual(exact));
    const before = Number((await cluster.query('SELECT COUNT(*) FROM events')).rows[0]![0]);
    expect(before).toBeGreaterThan(7);
    await cluster.commit('events');
    expect(await sums()).toEqual(exact);
    const { rows } = await cluster.query('SELECT name, messages FROM events ORDER BY name');
    expect(rows).toEqual(Array.from({ length: 7 }, (_, index) => [`n${index}`, 100n]));
    const [entry] = await accountsOf();
    expect(entry!.accounts).toMatchObject({ taken: 700, rowsIn: 700, rowsOut: 7 });
    await restart();
    expect(await sums()).toEqual(exact);
  });
});

describe('a table that changes', () => {
  test('goes on reading: columns that come, go and widen, without a message lost or twice', async () => {
    await create();
    const want = produce(0, 5);
    await untilIds(want);
    await cluster.query("ALTER TABLE events ADD extra STRING DEFAULT 'old', ALTER id TYPE DECIMAL(21, 0)");
    want.push(...produce(0, 3), ids);
    kafka.produce('events', 0, JSON.stringify({ id: ids++, name: 'x', extra: 'new' }));
    await untilIds(want);
    await cluster.query("ALTER TABLE events DROP name, ALTER extra SET DEFAULT 'later'");
    want.push(...produce(1, 2));
    await untilIds(want);
    const counts = async () =>
      (await cluster.query('SELECT extra, COUNT(*) FROM events GROUP BY extra ORDER BY extra')).rows;
    // Those of the second definition took its default when they were read, as those before have it.
    const expected = [
      ['later', 2n],
      ['new', 1n],
      ['old', 8n],
    ];
    expect(await counts()).toEqual(expected);
    await cluster.commit('events');
    expect(await counts()).toEqual(expected);
    await restart();
    await untilIds(want);
    expect(await counts()).toEqual(expected);
  });

  test('keeps what its transform gives, and may change beside it', async () => {
    await cluster.query(
      `CREATE TABLE events (id INT, name STRING, beside STRING DEFAULT 'a')
       FROM KAFKA (brokers = 'localhost:9092', topic = 'events', format = 'json')
       AS SELECT id, UPPER(name) AS name FROM message (id INT, name STRING)`,
    );
    const all = async () => (await cluster.query('SELECT id, name, beside FROM events ORDER BY id')).rows;
    kafka.produce('events', 0, '{"id":1,"name":"x"}');
    await eventually(async () => expect(await all()).toEqual([[1, 'X', 'a']]));
    await expect(cluster.query('ALTER TABLE events DROP name')).rejects.toMatchObject({
      fault: { code: 'UNSUPPORTED', message: expect.stringContaining('the table has no column name') },
    });
    expect(await codeOf(cluster.query('ALTER TABLE events RENAME id TO number'))).toBe('UNSUPPORTED');
    await cluster.query("ALTER TABLE events ALTER beside SET DEFAULT 'b', ALTER id TYPE LONG, RENAME beside TO aside");
    kafka.produce('events', 0, '{"id":2,"name":"y"}');
    const changed = async () => (await cluster.query('SELECT id, name, aside FROM events ORDER BY id')).rows;
    const expected = [
      [1n, 'X', 'a'],
      [2n, 'Y', 'b'],
    ];
    await eventually(async () => expect(await changed()).toEqual(expected));
    await cluster.commit('events');
    expect(await changed()).toEqual(expected);
  });

  test('two who change it at once both do', async () => {
    await create();
    const adds = Array.from({ length: 8 }, (_, index) => cluster.query(`ALTER TABLE events ADD c${index} INT`));
    await Promise.all(adds);
    const { columns, version } = (await cluster.controller.call('catalog', null)).tables[0]!;
    expect([columns.length, version]).toEqual([10, 9]);
  });
});
