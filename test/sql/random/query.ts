/** Random queries over a table: plain, grouped, and over subqueries in FROM. */
import type { Draw } from './draw.ts';
import { Expressions, make } from './expression.ts';
import type { Atom, SqlType } from './table.ts';

export interface RandomQuery {
  readonly sql: string;
  /** The rows' order is fixed but for rows that are equal. */
  readonly isOrdered: boolean;
  readonly columns: readonly Atom[];
}

interface Source {
  readonly from: string;
  readonly atoms: readonly Atom[];
  /** Rows are at most. */
  readonly rowCount: number;
  /** The table itself: subqueries may read it again. */
  readonly isTable: boolean;
}

/** @param depth Subqueries in FROM inside one another. */
export function drawQuery(draw: Draw, source: Source, depth = 1): RandomQuery {
  const nested = depth > 0 && draw.chance(0.2);
  const from = nested ? subquerySource(draw, source, depth) : source;
  return draw.chance(0.5) ? plainQuery(draw, from, depth) : groupedQuery(draw, from, depth);
}

function subquerySource(draw: Draw, source: Source, depth: number): Source {
  const inner = drawQuery(draw, source, depth - 1);
  return { from: `(${inner.sql}) AS q${depth}`, atoms: inner.columns, rowCount: source.rowCount, isTable: false };
}

const expressionsOf = (draw: Draw, source: Source): Expressions =>
  new Expressions(draw, source.atoms, source.isTable ? source.from : null);

const aliasOf = (depth: number, index: number): string => `${'xyz'[depth]}${index}`;

function wherePart(draw: Draw, source: Source): string {
  return draw.chance(0.75) ? ` WHERE ${expressionsOf(draw, source).condition(draw.integer(0, 3))}` : '';
}

/** ORDER BY what is told and then every output, LIMIT and OFFSET; or nothing. */
function orderPart(
  draw: Draw,
  outputs: readonly Atom[],
  depth: number,
  extra: Atom | null,
): { sql: string; isOrdered: boolean } {
  if (draw.chance(0.4)) return { sql: '', isOrdered: false };
  const direction = (): string =>
    `${draw.pick(['', ' ASC', ' DESC'])}${draw.pick(['', '', ' NULLS FIRST', ' NULLS LAST'])}`;
  const shuffled = outputs.map((_, index) => index).sort(() => (draw.chance(0.5) ? 1 : -1));
  const ordinals = shuffled.sort((a, b) => Number(isRounded(outputs[a]!)) - Number(isRounded(outputs[b]!)));
  const keys = ordinals.map(index => `${draw.chance(0.5) ? aliasOf(depth, index) : index + 1}${direction()}`);
  if (extra !== null && !isRounded(extra)) keys.unshift(`${extra.sql}${direction()}`);
  const limit = draw.chance(0.6)
    ? ` LIMIT ${draw.oneOf(
        () => draw.integer(0, 5),
        () => draw.integer(1, 500),
      )}`
    : '';
  const offset = draw.chance(0.3) ? ` OFFSET ${draw.integer(0, 20)}` : '';
  return { sql: ` ORDER BY ${keys.join(', ')}${limit}${offset}`, isOrdered: true };
}

/** Its last bit may differ: it must not decide about order before others do. */
const isRounded = ({ type, exact }: Atom): boolean => type === 'DOUBLE' && !exact;

const renamed = (outputs: readonly Atom[], depth: number): Atom[] =>
  outputs.map((output, index) => ({ ...output, sql: aliasOf(depth, index) }));

const selectList = (outputs: readonly Atom[], depth: number): string =>
  outputs.map(({ sql }, index) => `${sql} AS ${aliasOf(depth, index)}`).join(', ');

function plainQuery(draw: Draw, source: Source, depth: number): RandomQuery {
  const expressions = expressionsOf(draw, source);
  const outputs = draw.list(1, 4, () =>
    draw.chance(0.5) ? draw.pick(source.atoms) : expressions.any(draw.integer(1, 3)),
  );
  const distinct = draw.chance(0.25) ? 'DISTINCT ' : '';
  const extra = distinct === '' && draw.chance(0.3) ? expressions.varying(1) : null;
  const order = orderPart(draw, outputs, depth, extra);
  const sql = `SELECT ${distinct}${selectList(outputs, depth)} FROM ${source.from}${wherePart(draw, source)}${order.sql}`;
  return { sql, isOrdered: order.isOrdered, columns: renamed(outputs, depth) };
}

function groupedQuery(draw: Draw, source: Source, depth: number): RandomQuery {
  const expressions = expressionsOf(draw, source);
  const keys = draw.list(0, 3, () => (draw.chance(0.5) ? draw.pick(source.atoms) : expressions.varying(2)));
  const calls = draw.list(1, 4, () => aggregateCall(draw, expressions, source.rowCount));
  const groups = new Expressions(draw, [...keys, ...calls]);
  const combined = draw.chance(0.3) ? [groups.any(2)] : [];
  const outputs = [...keys, ...calls, ...combined].filter(
    (_, index, { length }) => length === 1 || index === length - 1 || draw.chance(0.9),
  );
  const groupBy = keys.map(key => {
    const output = outputs.indexOf(key);
    if (output < 0) return key.sql;
    return draw.oneOf(
      () => key.sql,
      () => String(output + 1),
      () => aliasOf(depth, output),
    );
  });
  const group = keys.length === 0 ? '' : ` GROUP BY ${groupBy.join(', ')}`;
  const having = draw.chance(0.3) ? ` HAVING ${groups.condition(1)}` : '';
  const order = orderPart(draw, outputs, depth, draw.chance(0.3) ? draw.pick([...keys, ...calls]) : null);
  const sql = `SELECT ${selectList(outputs, depth)} FROM ${source.from}${wherePart(draw, source)}${group}${having}${order.sql}`;
  return { sql, isOrdered: order.isOrdered, columns: renamed(outputs, depth) };
}

const summable: readonly SqlType[] = ['INT', 'LONG', 'DOUBLE', 'DECIMAL'];

function aggregateCall(draw: Draw, expressions: Expressions, rowCount: number): Atom {
  const filter = draw.chance(0.25) ? ` FILTER (WHERE ${expressions.condition(1)})` : '';
  const distinct = draw.chance(0.25) ? 'DISTINCT ' : '';
  const argument = (): Atom => expressions.any(draw.integer(0, 2));
  const addend = (): Atom => expressions.of(draw.pick(summable), draw.integer(0, 2));
  return draw.oneOf(
    () => make('LONG', `COUNT(*)${filter}`, rowCount),
    () => make('LONG', `COUNT(${distinct}${argument().sql})${filter}`, rowCount),
    () => extreme(draw, argument(), filter),
    () => extreme(draw, argument(), filter),
    () => sumOf(addend(), distinct, filter, rowCount),
    () => sumOf(addend(), distinct, filter, rowCount),
    () => averageOf(addend(), distinct, filter),
  );
}

const extreme = (draw: Draw, atom: Atom, filter: string): Atom =>
  atom.type === 'BOOLEAN'
    ? make('LONG', `COUNT(${atom.sql})${filter}`, 1e6)
    : { ...atom, sql: `${draw.pick(['MIN', 'MAX'])}(${atom.sql})${filter}` };

/** Sums that may pass 64 bits are of DECIMAL; doubles whose sum depends on the order are not added. */
function sumOf(atom: Atom, distinct: string, filter: string, rowCount: number): Atom {
  const max = atom.max * rowCount;
  if (atom.type === 'DOUBLE' && (!atom.exact || max > 2 ** 40)) return extremeOf(atom, filter);
  if (atom.type === 'LONG' && max >= 2 ** 62)
    return make('DECIMAL', `SUM(${distinct}CAST(${atom.sql} AS DECIMAL(38, 0)))${filter}`, max, false);
  const type = atom.type === 'INT' ? 'LONG' : atom.type;
  return make(type, `SUM(${distinct}${atom.sql})${filter}`, max, atom.type !== 'DECIMAL' && atom.exact);
}

function averageOf(atom: Atom, distinct: string, filter: string): Atom {
  if (atom.type === 'DOUBLE' && !atom.exact) return extremeOf(atom, filter);
  return make('DOUBLE', `AVG(${distinct}${atom.sql})${filter}`, atom.max, false);
}

const extremeOf = (atom: Atom, filter: string): Atom => ({ ...atom, sql: `MAX(${atom.sql})${filter}` });
