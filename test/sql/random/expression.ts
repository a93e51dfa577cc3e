/**
 * Random expressions over what is in scope. Both engines read the same text; what they would read differently by design
 * (overflow, division by zero, rounding of doubles) is not made.
 */
import type { Draw } from './draw.ts';
import { type Atom, literals, quote, type SqlType } from './table.ts';

const numberTypes: readonly SqlType[] = ['INT', 'LONG', 'DOUBLE', 'DECIMAL'];
const allTypes: readonly SqlType[] = [...numberTypes, 'STRING', 'BOOLEAN', 'TIMESTAMP', 'DATE'];
const limits: Partial<Record<SqlType, number>> = { INT: 2 ** 30, LONG: 2 ** 62, DOUBLE: 2 ** 40 };
const compares = ['=', '<>', '<', '<=', '>', '>='];
const patterns = ['%', 'a%', '%b', '%a%', '_', '__', '%ó%', 'A_', '', "it's", '%中%', '_%_', 'beta', '%9%', '1%'].map(
  quote,
);
const fields = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'dow', 'isodow', 'doy', 'isoyear'];
const units = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const intervals = ['1 day', '36 hours', '1 month', '1 year', '90 minutes', '1 month 3 days', '250 milliseconds'];

export class Expressions {
  readonly draw: Draw;
  readonly atoms: readonly Atom[];
  readonly #from: string | null;

  /** @param from For subqueries: a table and the columns in scope are its own. */
  constructor(draw: Draw, atoms: readonly Atom[], from: string | null = null) {
    this.draw = draw;
    this.atoms = atoms;
    this.#from = from;
  }

  any(depth: number): Atom {
    return this.of(
      this.draw.pick(this.atoms.length > 0 && this.draw.chance(0.5) ? this.atoms.map(atom => atom.type) : allTypes),
      depth,
    );
  }

  /** Not a constant: as a key of GROUP BY or ORDER BY it must not be an ordinal. */
  varying(depth: number): Atom {
    for (let attempt = 0; attempt < 5; attempt++) {
      const made = this.any(depth);
      if (
        this.atoms.some(({ sql }) => made.sql.includes(sql)) &&
        /[a-z]/.test(made.sql) &&
        !made.sql.includes('(SELECT')
      )
        return made;
    }
    return this.draw.pick(this.atoms);
  }

  of(type: SqlType, depth: number): Atom {
    if (depth <= 0 || this.draw.chance(0.2)) return this.#leaf(type);
    switch (type) {
      case 'INT':
        return this.#int(depth);
      case 'LONG':
        return this.#long(depth);
      case 'DOUBLE':
        return this.#double(depth);
      case 'DECIMAL':
        return this.#decimal(depth);
      case 'STRING':
        return make(type, this.#string(depth));
      case 'BOOLEAN':
        return make(type, `(${this.condition(depth)})`);
      case 'TIMESTAMP':
        return make(type, this.#timestamp(depth));
      case 'DATE':
        return make(type, this.#date(depth));
    }
  }

  #leaf(type: SqlType): Atom {
    const fitting = this.atoms.filter(atom => atom.type === type);
    if (fitting.length > 0 && this.draw.chance(0.85)) return this.draw.pick(fitting);
    if (this.draw.chance(0.05)) return make(type, `CAST(NULL AS ${type === 'DECIMAL' ? 'DECIMAL(12, 2)' : type})`);
    const max = { INT: 1e5, LONG: 2 ** 60, DOUBLE: 1000, DECIMAL: 1e4 }[type as string] ?? 0;
    const sql = literals[type](this.draw);
    // A small literal is an INT wherever it stands; and a sign binds looser than `::`.
    return make(
      type,
      type === 'LONG' ? `CAST(${sql} AS LONG)` : sql.startsWith('-') ? `(${sql})` : sql,
      max,
      type !== 'LONG',
    );
  }

  // ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────

  /** a op b, or a alone where the result could be too large. */
  #combine(a: Atom, b: Atom, type: SqlType): Atom {
    const operator = this.draw.pick(['+', '-', '*']);
    const max = operator === '*' ? a.max * b.max : a.max + b.max;
    if (max >= limits[type]!) return a;
    return make(type, `(${a.sql} ${operator} ${b.sql})`, max, a.exact && b.exact && (operator !== '*' || max < 1e7));
  }

  #choice(type: SqlType, depth: number): Atom {
    const { draw } = this;
    const [a, b] = [this.of(type, depth - 1), this.of(type, depth - 1)];
    const max = Math.max(a.max, b.max);
    const sql = draw.oneOf(
      () => `CASE WHEN ${this.condition(depth - 1)} THEN ${a.sql} ELSE ${b.sql} END`,
      () => `CASE WHEN ${this.condition(depth - 1)} THEN ${a.sql} WHEN ${this.condition(depth - 1)} THEN ${b.sql} END`,
      () => `CASE ${this.#leaf('INT').sql} WHEN ${literals.INT(draw)} THEN ${a.sql} WHEN 3 THEN ${b.sql} END`,
      () => `COALESCE(${a.sql}, ${b.sql})`,
      () => `NULLIF(${a.sql}, ${b.sql})`,
      () => (type === 'BOOLEAN' ? `COALESCE(${a.sql}, ${b.sql})` : `GREATEST(${a.sql}, ${b.sql})`),
      () => (type === 'BOOLEAN' ? `COALESCE(${b.sql}, ${a.sql})` : `LEAST(${a.sql}, ${b.sql})`),
    );
    return make(type, sql, max, a.exact && b.exact);
  }

  #int(depth: number): Atom {
    const { draw } = this;
    const int = (): Atom => this.of('INT', depth - 1);
    return draw.oneOf(
      () => this.#combine(int(), int(), 'INT'),
      () => this.#combine(int(), int(), 'INT'),
      () => this.#divide(int(), int(), 'INT'),
      () => this.#choice('INT', depth),
      () => map(int(), sql => `(-${sql})`),
      () => map(int(), sql => `ABS(${sql})`),
      () => make('INT', `LENGTH(${this.of('STRING', depth - 1).sql})`, 1e4),
      () => make('INT', `STRPOS(${this.of('STRING', depth - 1).sql}, ${literals.STRING(draw)})`, 1e4),
      () => make('INT', `CAST(EXTRACT(${draw.pick(fields)} FROM ${this.of('TIMESTAMP', depth - 1).sql}) AS INT)`, 1e4),
      () =>
        make(
          'INT',
          `CAST(EXTRACT(${draw.pick(fields.slice(0, 5))} FROM ${this.of('DATE', depth - 1).sql}) AS INT)`,
          1e4,
        ),
      () => make('INT', `CAST(${this.of('DATE', depth - 1).sql} - ${this.of('DATE', depth - 1).sql} AS INT)`, 1e6),
    );
  }

  #divide(a: Atom, b: Atom, type: SqlType): Atom {
    const sql = `(${a.sql} ${this.draw.pick(['/', '%'])} NULLIF(${b.sql}, 0))`;
    return make(type, sql, Math.max(a.max, b.max), true);
  }

  #long(depth: number): Atom {
    const long = (): Atom => this.of(this.draw.pick(['LONG', 'LONG', 'INT']), depth - 1);
    return this.draw.oneOf(
      () => this.#combine(this.of('LONG', depth - 1), long(), 'LONG'),
      () => this.#divide(this.of('LONG', depth - 1), long(), 'LONG'),
      () => this.#choice('LONG', depth),
      () => map(this.of('LONG', depth - 1), sql => `(-${sql})`),
      () => map(this.of('LONG', depth - 1), sql => `ABS(${sql})`),
      () => map(this.of('INT', depth - 1), sql => `CAST(${sql} AS LONG)`, 'LONG'),
      () => make('LONG', `CAST(${this.of('DOUBLE', depth - 1).sql} AS LONG)`, 2 ** 62),
      () => make('LONG', `CAST(${this.#leaf('DECIMAL').sql} AS LONG)`, 1e12),
    );
  }

  #double(depth: number): Atom {
    const double = (): Atom => this.of('DOUBLE', depth - 1);
    const rounded = (a: Atom, sql: string): Atom => make('DOUBLE', sql, a.max, false);
    return this.draw.oneOf(
      () => this.#combine(double(), double(), 'DOUBLE'),
      () => this.#combine(double(), this.of('INT', depth - 1), 'DOUBLE'),
      () => this.#choice('DOUBLE', depth),
      () => map(double(), sql => `(-${sql})`),
      () => map(double(), sql => `ABS(${sql})`),
      () => map(double(), sql => `FLOOR(${sql})`),
      () => map(double(), sql => `CEIL(${sql})`),
      () => map(this.of('INT', depth - 1), sql => `CAST(${sql} AS DOUBLE)`, 'DOUBLE'),
      () => rounded(make('DOUBLE', '', 1e15), `(${double().sql} / NULLIF(${this.of('INT', depth - 1).sql}, 0))`),
      () => rounded(make('DOUBLE', '', 1e6), `SQRT(ABS(${double().sql}))`),
    );
  }

  #decimal(depth: number): Atom {
    const { draw } = this;
    const leaf = this.#leaf('DECIMAL');
    return draw.oneOf(
      () =>
        leaf.exact
          ? make(
              'DECIMAL',
              `(${leaf.sql} ${draw.pick(['+', '-', '*'])} ${literals.DECIMAL(draw).replace('-', '')})`,
              1e9,
              false,
            )
          : leaf,
      () => (leaf.exact ? make('DECIMAL', `(${leaf.sql} * ${draw.integer(2, 9)})`, 1e6, false) : leaf),
      () => map(leaf, sql => `(-${sql})`),
      () => map(leaf, sql => `ABS(${sql})`),
      () => map(leaf, sql => `${draw.pick(['FLOOR', 'CEIL', 'ROUND'])}(${sql})`),
      () => map(leaf, sql => `ROUND(${sql}, 1)`),
      () => this.#choice('DECIMAL', Math.min(depth, 1)),
      () => make('DECIMAL', `CAST(${this.of('INT', depth - 1).sql} AS DECIMAL(12, 2))`, 2 ** 31),
      () => (leaf.exact ? map(leaf, sql => `CAST(${sql} AS DECIMAL(12, 1))`) : leaf),
    );
  }

  // ── text and time ─────────────────────────────────────────────────────────────────────────────────────────

  #string(depth: number): string {
    const { draw } = this;
    const text = (): string => this.of('STRING', depth - 1).sql;
    const count = (): number => draw.integer(0, 4);
    return draw.oneOf(
      () => `UPPER(${text()})`,
      () => `LOWER(${text()})`,
      () => `(${text()} || ${text()})`,
      () => `SUBSTR(${text()}, ${count() + 1}, ${count()})`,
      () => `SUBSTRING(${text()} FROM ${count() + 1})`,
      () => `LEFT(${text()}, ${count()})`,
      () => `RIGHT(${text()}, ${count()})`,
      () => `REPLACE(${text()}, ${draw.pick(["'a'", "'ó'", "'be'"])}, ${literals.STRING(draw)})`,
      () => `LPAD(${text()}, ${count()}, 'xż')`,
      () => `REVERSE(${text()})`,
      () => `TRIM(${text()})`,
      () => `MD5(${text()})`,
      () => `REPEAT(${text()}, ${draw.integer(0, 2)})`,
      () => `CONCAT(${text()}, ${text()})`,
      () => `CONCAT_WS('-', ${text()}, ${text()})`,
      () => `SPLIT_PART(${text()}, 'a', ${draw.integer(1, 2)})`,
      () => `CAST(${this.of(draw.pick(['INT', 'LONG', 'DATE', 'BOOLEAN']), depth - 1).sql} AS STRING)`,
      () => this.#choice('STRING', depth).sql,
      () => this.#choice('STRING', depth).sql,
    );
  }

  #timestamp(depth: number): string {
    const { draw } = this;
    const time = (): string => this.of('TIMESTAMP', depth - 1).sql;
    return draw.oneOf(
      () => `DATE_TRUNC('${draw.pick(units)}', ${time()})`,
      () => `DATE_TRUNC('${draw.pick(units)}', ${time()})`,
      () => `(${time()} ${draw.pick(['+', '-'])} INTERVAL '${draw.pick(intervals)}')`,
      () => `CAST(${this.of('DATE', depth - 1).sql} AS TIMESTAMP)`,
      () => this.#choice('TIMESTAMP', depth).sql,
    );
  }

  #date(depth: number): string {
    return this.draw.oneOf(
      () => `CAST(${this.of('TIMESTAMP', depth - 1).sql} AS DATE)`,
      () => `(${this.of('DATE', depth - 1).sql} ${this.draw.pick(['+', '-'])} ${this.draw.integer(0, 40)})`,
      () => this.#choice('DATE', depth).sql,
    );
  }

  // ── conditions ────────────────────────────────────────────────────────────────────────────────────────────

  condition(depth: number): string {
    const { draw } = this;
    if (depth <= 0) return this.#test(0);
    const inner = (): string => this.condition(depth - 1);
    return draw.oneOf(
      () => `(${inner()} AND ${inner()})`,
      () => `(${inner()} OR ${inner()})`,
      () => `(NOT ${inner()})`,
      () => this.#test(depth - 1),
      () => this.#test(depth - 1),
      () => this.#test(depth - 1),
      () => this.#test(0),
      () => this.#test(0),
    );
  }

  #test(depth: number): string {
    const { draw } = this;
    const not = draw.chance(0.3) ? 'NOT ' : '';
    return draw.oneOf(
      () => this.#comparison(depth),
      () => this.#comparison(depth),
      () => this.#comparison(depth),
      () => this.#range(depth, not),
      () => this.#list(depth, not),
      () => this.#list(depth, not),
      () => `(${this.of('STRING', depth).sql} ${not}${draw.pick(['LIKE', 'LIKE', 'ILIKE'])} ${draw.pick(patterns)})`,
      () => `(${this.of('STRING', depth).sql} ${not}LIKE 'a!%%' ESCAPE '!')`,
      () => `(${this.any(depth).sql} IS ${not}NULL)`,
      () => `(${this.of('BOOLEAN', depth).sql} IS ${not}${draw.pick(['TRUE', 'FALSE', 'NULL'])})`,
      () => this.of('BOOLEAN', 0).sql,
      () => this.#distinctness(depth, not),
      () => `${draw.pick(['STARTS_WITH', 'CONTAINS'])}(${this.of('STRING', depth).sql}, ${literals.STRING(draw)})`,
      () => (this.#from === null ? this.#comparison(depth) : this.#subqueryTest(this.#from)),
    );
  }

  #pair(depth: number): readonly [Atom, Atom] {
    const type = this.draw.pick(allTypes);
    const left = this.of(type, depth);
    const isNumber = numberTypes.includes(type);
    if (this.draw.chance(0.5)) return [left, this.#literal(type)];
    return [left, this.of(isNumber && this.draw.chance(0.3) ? this.draw.pick(numberTypes) : type, depth)];
  }

  /** As queries spell it: times without the type's name, too. */
  #literal(type: SqlType): Atom {
    const sql = literals[type](this.draw);
    return make(
      type,
      (type === 'TIMESTAMP' || type === 'DATE') && this.draw.chance(0.5) ? sql.replace(/^\w+ /, '') : sql,
    );
  }

  #comparison(depth: number): string {
    const [left, right] = this.#pair(depth);
    const operator = this.draw.pick(compares);
    return this.draw.chance(0.8) ? `(${left.sql} ${operator} ${right.sql})` : `(${right.sql} ${operator} ${left.sql})`;
  }

  #distinctness(depth: number, not: string): string {
    const [left, right] = this.#pair(depth);
    return `(${left.sql} IS ${not}DISTINCT FROM ${right.sql})`;
  }

  #range(depth: number, not: string): string {
    const [value, low] = this.#pair(depth);
    return `(${value.sql} ${not}BETWEEN ${low.sql} AND ${this.#literal(value.type).sql})`;
  }

  #list(depth: number, not: string): string {
    const type = this.draw.pick(allTypes);
    const values = this.draw.list(1, 5, () => (this.draw.chance(0.05) ? 'NULL' : this.#literal(type).sql));
    return `(${this.of(type, depth).sql} ${not}IN (${values.join(', ')}))`;
  }

  #subqueryTest(from: string): string {
    const atom = this.draw.pick(this.atoms.filter(({ type }) => type !== 'BOOLEAN'));
    const where = new Expressions(this.draw, this.atoms).condition(1);
    return `(${atom.sql} ${this.draw.pick(compares)} (SELECT ${this.draw.pick(['MIN', 'MAX'])}(${atom.sql}) FROM ${from} WHERE ${where}))`;
  }
}

export const make = (type: SqlType, sql: string, max = 0, exact = true): Atom => ({ sql, type, max, exact });
const map = (atom: Atom, wrap: (sql: string) => string, type = atom.type): Atom => ({
  ...atom,
  type,
  sql: wrap(atom.sql),
});
