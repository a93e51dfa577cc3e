/**
 * Relations between answers, which need no other engine (Rigger and Su: "Finding Bugs in Database Systems via Query
 * Partitioning", 2020; "Detecting Optimization Bugs … via Non-Optimizing Reference Engine Construction", 2020).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Expressions } from './random/expression.ts';
import { openWorld, type World } from './random/world.ts';

const predicatesPerTable = 20;
const predicateCount = Number(process.env.WEIR_QUERIES ?? 60);
const { WEIR_SEED } = process.env;
const seeds = WEIR_SEED
  ? WEIR_SEED.split(',').map(Number)
  : Array.from({ length: Math.ceil(predicateCount / predicatesPerTable) }, (_, index) => 1001 + index);

describe.each(seeds)('table %i', seed => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(seed);
  }, 60_000);
  afterAll(async () => {
    await world?.cluster.close();
  });

  const predicateOf = (number: number): string =>
    new Expressions(world.draw(number), world.table.columns, 't').condition(3);
  const label = (number: number, predicate: string): string => `WEIR_SEED=${seed}, predicate ${number}: ${predicate}`;

  async function ask(sql: string): Promise<bigint[]> {
    const { rows } = await world.cluster.query(sql);
    expect(rows).toHaveLength(1);
    return rows[0]!.map(value => (value ?? 0n) as bigint);
  }

  test('a predicate, its negation and its being NULL part the table', async () => {
    const totals = 'SELECT COUNT(*), COUNT(s), SUM(i), SUM(n), SUM(CAST(l AS DECIMAL(38, 0))), SUM(LENGTH(r)) FROM t';
    const whole = await ask(totals);
    for (let number = 0; number < predicatesPerTable; number++) {
      const predicate = predicateOf(number);
      const parts = [
        await ask(`${totals} WHERE ${predicate}`),
        await ask(`${totals} WHERE NOT (${predicate})`),
        await ask(`${totals} WHERE (${predicate}) IS NULL`),
      ];
      const sums = whole.map((_, column) => parts.reduce((sum, part) => sum + part[column]!, 0n));
      expect(sums, label(number, predicate)).toEqual(whole);
    }
  }, 60_000);

  test('a predicate keeps as many rows as those for which it is true', async () => {
    for (let number = 0; number < predicatesPerTable; number++) {
      const predicate = predicateOf(number);
      const kept = await ask(`SELECT COUNT(*) FROM t WHERE ${predicate}`);
      const counted = await ask(`SELECT SUM(CASE WHEN ${predicate} THEN 1 ELSE 0 END) FROM t`);
      const filtered = await ask(`SELECT COUNT(*) FILTER (WHERE ${predicate}) FROM t`);
      expect([counted, filtered], label(number, predicate)).toEqual([kept, kept]);
    }
  }, 60_000);
});
