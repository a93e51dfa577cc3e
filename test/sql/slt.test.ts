import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import { type Cluster, type ClusterOptions, openCluster } from '../support/cluster.ts';
import { everyIndex } from '../support/every-index.ts';
import { openTcpCluster } from '../support/tcp-cluster.ts';
import { parseSlt, type Record, sltText } from './slt.ts';

const folder = new URL('.', import.meta.url);
/** `WEIR_REWRITE=1` writes what the first placement answers into the files; look at the difference before you keep it. */
const rewrite = process.env.WEIR_REWRITE === '1';

interface Placement {
  readonly cluster: ClusterOptions;
  /** A broker and so many servers of their own, over TCP. */
  readonly serverCount?: number;
  /** Which INSERTs of a file are followed by a commit: where its rows end up. */
  readonly commitAfter: (insert: number, count: number) => boolean;
  /** Files that say themselves what this placement changes. */
  readonly without?: readonly string[];
}

const everyInsert = (): boolean => true;

const placements: { readonly [name: string]: Placement } = {
  'one segment': { cluster: { shardCount: 1 }, commitAfter: (insert, count) => insert === count - 1 },
  'many segments': { cluster: { shardCount: 1 }, commitAfter: everyInsert },
  'consuming only': { cluster: { shardCount: 1 }, commitAfter: () => false },
  'committed and consuming': { cluster: { shardCount: 2 }, commitAfter: (insert, count) => insert < count - 1 },
  'many segments over four shards': { cluster: { shardCount: 4 }, commitAfter: everyInsert },
  'segments that are being merged': {
    cluster: { shardCount: 2, controllerSettings: { mergeIntervalMs: 1 } },
    commitAfter: everyInsert,
  },
  'many segments over two servers': { cluster: { shardCount: 1 }, serverCount: 2, commitAfter: everyInsert },
  'two servers, and consuming': {
    cluster: { shardCount: 2 },
    serverCount: 2,
    commitAfter: (insert, count) => insert < count - 1,
  },
  'every index on every column': {
    cluster: { shardCount: 1, intercept: everyIndex },
    commitAfter: everyInsert,
    without: ['alter.slt'],
  },
};

for (const file of readdirSync(folder).filter(name => name.endsWith('.slt'))) {
  const here = Object.entries(placements).filter(([, { without }]) => !without?.includes(file));
  describe.each(here)(`${file}, %s`, (name, { cluster: options, serverCount, commitAfter }) => {
    const records = parseSlt(readFileSync(new URL(file, folder), 'utf8'));
    const insertCount = records.filter(isInsert).length;
    let cluster: Pick<Cluster, 'query' | 'commit' | 'close'>;
    let inserts = 0;
    beforeAll(async () => {
      cluster = serverCount ? await openTcpCluster({ ...options, serverCount }) : await openCluster(options);
    });
    afterAll(async () => {
      await cluster.close();
    });

    for (const record of records) {
      test(`line ${record.line}: ${record.sql.replaceAll(/\s+/g, ' ').slice(0, 100)}`, async () => {
        await check(cluster, record);
        if (isInsert(record) && commitAfter(inserts++, insertCount)) await cluster.commit(tableOf(record.sql));
      });
    }
    if (rewrite && name === 'one segment')
      afterAll(() => writeFileSync(new URL(file, folder), rewritten(file, records)));
  });
}

const isInsert = (record: Record): boolean => record.kind === 'ok' && /^INSERT/i.test(record.sql);
const tableOf = (sql: string): string => /^INSERT INTO (\w+)/i.exec(sql)![1]!;
const answers = new Map<Record, string[]>();

async function check(cluster: Pick<Cluster, 'query'>, record: Record): Promise<void> {
  if (record.kind === 'error') {
    const error = await cluster.query(record.sql).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof FaultError))
      throw new Error(`expected ${record.code}, got ${error ?? 'an answer'}`, { cause: error });
    expect(error.fault.code, error.fault.message).toBe(record.code);
    const { message, hint, position } = error.fault;
    const where = position ? `line ${position.line}, column ${position.column}` : '';
    for (const text of record.expected) expect([message, hint, where].join('\n')).toContain(text);
    return;
  }
  const { columns, rows } = await cluster.query(record.sql);
  if (record.kind === 'ok') return;
  const lines = rows.map(row => row.map((value, index) => sltText(columns[index]!.type, value)).join(' | '));
  const sort = (list: readonly string[]): readonly string[] => (record.rowsort ? list.toSorted() : list);
  answers.set(record, [...sort(lines)]);
  if (!rewrite) expect(sort(lines)).toEqual(sort(record.expected));
}

function rewritten(file: string, records: readonly Record[]): string {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  for (const record of records.toReversed()) {
    const answer = answers.get(record);
    if (!answer) continue;
    const start = lines.indexOf('----', record.line);
    lines.splice(start + 1, record.expected.length, ...answer);
  }
  return lines.join('\n');
}
