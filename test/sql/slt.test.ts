import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultError } from '../../src/base/fault.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';
import { parseSlt, type Record, sltText } from './slt.ts';

const folder = new URL('.', import.meta.url);
/** `WEIR_REWRITE=1` writes what the first placement answers into the files; look at the difference before you keep it. */
const rewrite = process.env.WEIR_REWRITE === '1';

/** Which INSERTs of a file are followed by a commit: where its rows end up. */
const placements = {
  'one segment': { shardCount: 1, commitAfter: (insert: number, count: number) => insert === count - 1 },
  'many segments': { shardCount: 1, commitAfter: () => true },
  'consuming only': { shardCount: 1, commitAfter: () => false },
  'committed and consuming': { shardCount: 2, commitAfter: (insert: number, count: number) => insert < count - 1 },
  'many segments over four shards': { shardCount: 4, commitAfter: () => true },
};

for (const file of readdirSync(folder).filter(name => name.endsWith('.slt'))) {
  describe.each(Object.entries(placements))(`${file}, %s`, (name, { shardCount, commitAfter }) => {
    const records = parseSlt(readFileSync(new URL(file, folder), 'utf8'));
    const insertCount = records.filter(isInsert).length;
    let cluster: Cluster;
    let inserts = 0;
    beforeAll(async () => {
      cluster = await openCluster({ shardCount });
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

async function check(cluster: Cluster, record: Record): Promise<void> {
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
