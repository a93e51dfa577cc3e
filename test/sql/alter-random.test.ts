/** Random changes, rows and seals, beside a table that is a list of maps: whatever happened in whatever order, the answers agree. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  typeText,
  type Value,
} from '../../src/column/type.ts';
import { type Cluster, openCluster } from '../support/cluster.ts';

const dayMs = 86_400_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster({ shardCount: 2 });
});
afterAll(() => cluster.close());

/** A number, a text, or nothing: what a cell means, whatever its type is by now. */
type Meaning = number | string | null;

const meaningOf = (value: Value, { name, scale }: Type): Meaning => {
  if (value === null || typeof value === 'string') return value;
  if (name === 'DECIMAL') return Number(value) / 10 ** scale!;
  return name === 'DATE' ? Number(value) * dayMs : Number(value);
};

interface ModelColumn {
  name: string;
  type: Type;
  defaultValue: Meaning;
}

const wider: Readonly<Record<string, readonly Type[]>> = {
  INT: [LONG, DOUBLE, decimal(14, 2)],
  LONG: [decimal(22, 1)],
  FLOAT: [DOUBLE],
  DATE: [TIMESTAMP],
  DECIMAL: [decimal(30, 2), decimal(31, 2)],
};

const types = [INT, FLOAT, DATE, STRING, decimal(8, 2)];

/** SQL of a small number in a column of that type. */
function literal(value: number | null, { name }: Type): string {
  if (value === null) return 'NULL';
  if (name === 'STRING') return `'s${value}'`;
  if (name === 'DATE' || name === 'TIMESTAMP') return `DATE '${new Date(value * dayMs).toISOString().slice(0, 10)}'`;
  return String(value);
}
const meant = (value: number | null, { name }: Type): Meaning =>
  value === null
    ? null
    : name === 'STRING'
      ? `s${value}`
      : name === 'DATE' || name === 'TIMESTAMP'
        ? value * dayMs
        : value;

const small = fc.option(fc.integer({ min: -50, max: 50 }), { freq: 4 });
const pick = fc.nat({ max: 1000 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('insert' as const), values: fc.array(small, { maxLength: 8 }), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'check' as const), values: fc.constant([]), pick }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('add' as const, 'drop' as const, 'rename' as const, 'widen' as const, 'default' as const),
      values: fc.array(small, { minLength: 1, maxLength: 1 }),
      pick,
    }),
  },
);

let tables = 0;

class Model {
  readonly name = `r${tables++}`;
  /** The first column numbers the rows. */
  readonly columns: ModelColumn[] = [];
  readonly rows: Map<ModelColumn, Meaning>[] = [];
  #names = 0;

  async insert(values: readonly (number | null)[], seed: number): Promise<void> {
    const given = this.columns.filter((_, index) => (seed >> index) % 3 !== 0).slice(0, values.length);
    const cells = given.map((column, index) => literal(values[index]!, column.type));
    await cluster.query(
      `INSERT INTO ${this.name} (${['id', ...given.map(({ name }) => name)].join(', ')}) VALUES (${[this.rows.length, ...cells].join(', ')})`,
    );
    const row = new Map(this.columns.map(column => [column, column.defaultValue]));
    given.forEach((column, index) => void row.set(column, meant(values[index]!, column.type)));
    this.rows.push(row);
  }

  /** One change, where there is something to change. */
  async alter(
    kind: 'add' | 'drop' | 'rename' | 'widen' | 'default',
    value: number | null,
    seed: number,
  ): Promise<void> {
    const alter = (action: string) => cluster.query(`ALTER TABLE ${this.name} ${action}`);
    if (kind === 'add') {
      const type = types[seed % types.length]!;
      const column = { name: `c${this.#names++ % 6}`, type, defaultValue: meant(value, type) };
      if (this.columns.some(({ name }) => name === column.name)) return;
      await alter(`ADD ${column.name} ${typeText(type)} DEFAULT ${literal(value, type)}`);
      for (const row of this.rows) row.set(column, column.defaultValue);
      this.columns.push(column);
      return;
    }
    const column = this.columns[seed % Math.max(1, this.columns.length)];
    if (!column) return;
    if (kind === 'drop') {
      await alter(`DROP ${column.name}`);
      this.columns.splice(this.columns.indexOf(column), 1);
    } else if (kind === 'rename') {
      const to = `d${this.#names++}`;
      await alter(`RENAME ${column.name} TO ${to}`);
      column.name = to;
    } else if (kind === 'widen') {
      const next = wider[column.type.name]?.filter(
        ({ name, precision }) =>
          name !== 'DECIMAL' ||
          column.type.name !== 'DECIMAL' ||
          (column.type.scale === 2 && precision! > column.type.precision!),
      );
      const type = next?.[seed % Math.max(1, next.length)];
      if (!type) return;
      await alter(`ALTER ${column.name} TYPE ${typeText(type)}`);
      column.type = type;
    } else {
      await alter(`ALTER ${column.name} SET DEFAULT ${literal(value, column.type)}`);
      column.defaultValue = meant(value, column.type);
    }
  }

  async check(): Promise<void> {
    const { columns, rows } = await cluster.query(`SELECT * FROM ${this.name} ORDER BY id`);
    expect(columns.map(({ name, type }) => `${name} ${typeText(type)}`)).toEqual([
      'id INT',
      ...this.columns.map(({ name, type }) => `${name} ${typeText(type)}`),
    ]);
    const wanted = this.rows.map((row, id) => [id, ...this.columns.map(column => row.get(column)!)]);
    expect(rows.map(row => row.map((value, index) => meaningOf(value, columns[index]!.type)))).toEqual(wanted);
    for (const column of this.columns) await this.#checkFilter(column);
  }

  /** Around a value in the middle: by zone maps, stored values and missing ones. */
  async #checkFilter(column: ModelColumn): Promise<void> {
    const { name, type } = column;
    const counts = await cluster.query(
      `SELECT COUNT(*) FROM ${this.name} WHERE ${name} >= ${literal(3, type)} AND ${name} < ${literal(40, type)}`,
    );
    const [low, high] = [meant(3, type)!, meant(40, type)!];
    const holds = (value: Meaning): boolean => value !== null && value >= low && value < high;
    expect(counts.rows).toEqual([[BigInt(this.rows.filter(row => holds(row.get(column)!)).length)]]);
  }
}

test('a table that changed in any order has what a simple table has', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
      const model = new Model();
      await cluster.query(`CREATE TABLE ${model.name} (id INT)`);
      for (const { kind, values, pick: seed } of steps)
        if (kind === 'insert') await model.insert(values, seed);
        else if (kind === 'commit') await cluster.commit(model.name);
        else if (kind === 'check') await model.check();
        else await model.alter(kind, values[0]!, seed);
      await model.check();
      await cluster.commit(model.name);
      await model.check();
      await cluster.query(`DROP TABLE ${model.name}`);
    }),
    { numRuns: Number(process.env.WEIR_ALTER_RUNS ?? 25) },
  );
});
