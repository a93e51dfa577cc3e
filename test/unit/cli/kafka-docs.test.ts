/** docs/kafka.md says what is so: its statements bind, its defaults are the defaults. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemTables } from '../../../src/broker/system-tables.ts';
import { kafkaSource, kafkaWords } from '../../../src/catalog/kafka-source.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import { parseStatement } from '../../../src/sql/parse.ts';

const page = readFileSync(new URL('../../../docs/kafka.md', import.meta.url), 'utf8');
const statements = [...page.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.split(/;\s*$/m));

test.each(statements.map(text => text.trim()).filter(text => text !== ''))('%s', text => {
  const options = { catalog: { tables: [], systemTables }, parameters: [], nowMs: 0, timeZone: 'UTC' };
  expect(bindStatement(parseStatement(text), options)).toBeDefined();
});

test('options and their defaults', () => {
  const rows = page.match(/^\| `.*$/gm)!;
  const defaultOf = (name: string): string =>
    rows
      .find(row => row.startsWith(`| \`${name}\``))!
      .split('|')[2]!
      .trim();
  for (const [name, [first]] of Object.entries(kafkaWords))
    if (name !== 'sasl_mechanism') expect([name, defaultOf(name)]).toEqual([name, `\`${first}\``]);
  expect(defaultOf('start_from')).toBe(`\`${kafkaSource({ brokers: [], topic: '' }).startFrom}\``);
});
