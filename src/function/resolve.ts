/**
 * Which function a call means: PostgreSQL's rules for overloads (its manual, chapter 10, "Type Conversion").
 *
 * The binder spells special syntax as calls:
 * | SQL                       | call                                                       |
 * | ------------------------- | ---------------------------------------------------------- |
 * | `a + b`, `-a`, `a || b` … | `operatorFunctions['+']` (a, b), `negate` (a), `textcat` (a, b) |
 * | `a -> b`, `a ->> b`       | `json_get` (a, b), `json_get_text` (a, b)                  |
 * | `EXTRACT(f FROM x)`       | `extract` ('f', x)                                         |
 * | `POSITION(a IN b)`        | `position` (a, b)                                          |
 * | `SUBSTRING(s FROM a FOR n)` | `substring` (s, a, n)                                    |
 * | `TRIM(BOTH c FROM s)`     | `btrim` (s, c); LEADING `ltrim`, TRAILING `rtrim`          |
 * | `CURRENT_TIMESTAMP`       | `now` ()                                                   |
 */

import { closestNames } from '../base/suggest.ts';
import { DOUBLE, decimal, LONG, STRING, type Type, type TypeName } from '../column/type.ts';
import { canonicalName, definitionsOf, functionNames } from './catalogue.ts';
import { canCastImplicitly, categoryOf, commonType, decimalOf, decimalPrecisionMax, isPreferred } from './coercion.ts';
import type { ResolvedCall } from './scalar.ts';
import type { Definition, Param } from './signature.ts';

/** An argument's type; null for a NULL, a string literal or a parameter whose type is still open. */
export type ArgType = Type | null;

export type ResolveFailure =
  | { readonly kind: 'unknown'; readonly suggestions: readonly string[] }
  /** The name is known, the arguments do not fit, or fit several. `candidates` are readable signatures. */
  | { readonly kind: 'mismatch'; readonly candidates: readonly string[] };

export interface ResolvedAggregate {
  /** Lower case: count, sum, min, max, avg. */
  readonly function: string;
  readonly argTypes: readonly Type[];
  readonly returns: Type;
}

export const isFailure = (resolved: object): resolved is ResolveFailure => 'kind' in resolved;

/** The function behind each binary operator. */
export const operatorFunctions = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '||': 'textcat',
  '->': 'json_get',
  '->>': 'json_get_text',
} as const satisfies Record<string, string>;

const operatorNames: ReadonlySet<string> = new Set(Object.values(operatorFunctions));

/** A definition with one parameter for each argument. */
interface Candidate {
  readonly definition: Definition;
  readonly params: readonly Param[];
}

const isTypeName = (param: Param): param is TypeName => param !== 'ANY' && param !== 'TEXT' && param !== 'SAME';

/** The definition's parameters stretched to `argCount`, or null where they cannot be. */
function paramsFor(definition: Definition, argCount: number): readonly Param[] | null {
  const { params, variadic } = definition;
  if (params.length === argCount) return params;
  if (!variadic || argCount < params.length) return null;
  return [...params, ...Array<Param>(argCount - params.length).fill(params.at(-1)!)];
}

const accepts = (param: Param, arg: ArgType): boolean =>
  !isTypeName(param) || arg === null || canCastImplicitly(arg, { name: param });

const exactCount = (candidate: Candidate, args: readonly ArgType[]): number =>
  candidate.params.filter((param, index) => param === args[index]?.name).length;

/** Arguments that need a cast, but to the preferred type of their category. */
const preferredCount = (candidate: Candidate, args: readonly ArgType[]): number =>
  candidate.params.filter((param, index) => {
    const arg = args[index];
    return arg && (param === arg.name || (isTypeName(param) && isPreferred(param)));
  }).length;

function keepBest(candidates: readonly Candidate[], score: (candidate: Candidate) => number): readonly Candidate[] {
  const scores = candidates.map(score);
  const best = Math.max(...scores);
  return candidates.filter((_, index) => scores[index] === best);
}

/** Unknown arguments lean to STRING; else to the only category that is left; in it, to the preferred type. */
function settleUnknowns(candidates: readonly Candidate[], args: readonly ArgType[]): readonly Candidate[] {
  let left = candidates;
  for (let index = 0; index < args.length; index++) {
    if (args[index] !== null) continue;
    const names = left.map(candidate => candidate.params[index]!).filter(isTypeName);
    const categories = new Set(names.map(categoryOf));
    const category = categories.has('string') ? 'string' : categories.size === 1 ? [...categories][0]! : null;
    if (category === null) continue;
    left = left.filter(candidate => {
      const param = candidate.params[index]!;
      return isTypeName(param) && categoryOf(param) === category;
    });
    const preferred = left.filter(candidate => isPreferred(candidate.params[index] as TypeName));
    if (preferred.length > 0) left = preferred;
  }
  return left;
}

/** All the known arguments have one type: then the unknown ones have it too. */
function assumeSameType(args: readonly ArgType[]): readonly ArgType[] {
  const known = args.filter(arg => arg !== null);
  return known.length > 0 && known.every(arg => arg.name === known[0]!.name) ? args.map(arg => arg ?? known[0]!) : args;
}

function choose(candidates: readonly Candidate[], name: string, args: readonly ArgType[]): Candidate | null {
  const isOperator = operatorNames.has(name);
  const assumed = isOperator && args.length === 2 ? assumeSameType(args) : args;
  const exact = candidates.filter(candidate => exactCount(candidate, assumed) === args.length);
  if (exact.length === 1) return exact[0]!;
  let left: readonly Candidate[] = candidates.filter(candidate =>
    candidate.params.every((param, index) => accepts(param, args[index]!)),
  );
  if (left.length > 1) left = keepBest(left, candidate => exactCount(candidate, args));
  if (left.length > 1) left = keepBest(left, candidate => preferredCount(candidate, args));
  if (left.length > 1 && args.includes(null)) left = settleUnknowns(left, args);
  if (left.length > 1 && args.includes(null)) {
    const guess = assumeSameType(args);
    left = left.filter(candidate => candidate.params.every((param, index) => accepts(param, guess[index]!)));
  }
  return left.length === 1 ? left[0]! : null;
}

/** A text becomes this DECIMAL where nothing else is known of it. */
const looseDecimal = decimal(decimalPrecisionMax, 9);

/** What each argument is cast to; null where `SAME` arguments have no common type. */
function castTypes(params: readonly Param[], args: readonly ArgType[]): readonly Type[] | null {
  const same = commonType(args.filter((_, index) => params[index] === 'SAME'));
  if (same === null) return null;
  const aDecimal = args.find(arg => arg?.name === 'DECIMAL') ?? looseDecimal;
  return params.map((param, index) => {
    const arg = args[index] ?? null;
    if (param === 'ANY') return arg ?? STRING;
    if (param === 'TEXT') return STRING;
    if (param === 'SAME') return same;
    if (param === 'DECIMAL') return arg === null ? aDecimal : decimalOf(arg);
    return { name: param };
  });
}

/** Written as calls, but bound as expressions of their own. */
const syntaxNames: readonly string[] = ['coalesce', 'nullif'];

/** Names near one that is no function's. */
export const functionSuggestions = (name: string): string[] =>
  closestNames(name, [...functionNames(), ...aggregateNames, ...syntaxNames]);

export const isFunctionName = (name: string): boolean =>
  definitionsOf(name).length > 0 || syntaxNames.includes(name.toLowerCase());

/** O(overloads of the name × arguments). The name's case does not matter. */
export function resolveScalar(name: string, args: readonly ArgType[]): ResolvedCall | ResolveFailure {
  const definitions = definitionsOf(name);
  if (definitions.length === 0) return { kind: 'unknown', suggestions: functionSuggestions(name) };
  const candidates: Candidate[] = [];
  for (const definition of definitions) {
    const params = paramsFor(definition, args.length);
    if (params !== null) candidates.push({ definition, params });
  }
  const chosen = choose(candidates, canonicalName(name), args);
  const argTypes = chosen && castTypes(chosen.params, args);
  if (!chosen || !argTypes) return { kind: 'mismatch', candidates: definitions.map(definition => definition.id) };
  return { id: chosen.definition.id, argTypes, returns: chosen.definition.returns(argTypes) };
}

export const aggregateNames: readonly string[] = ['count', 'sum', 'min', 'max', 'avg'];

const aggregateSignatures: Readonly<Record<string, readonly string[]>> = {
  count: ['count(*)', 'count(ANY)'],
  sum: ['sum(INT)', 'sum(LONG)', 'sum(FLOAT)', 'sum(DOUBLE)', 'sum(DECIMAL)'],
  avg: ['avg(INT)', 'avg(LONG)', 'avg(FLOAT)', 'avg(DOUBLE)', 'avg(DECIMAL)'],
  min: ['min(any type but BOOLEAN and JSON)'],
  max: ['max(any type but BOOLEAN and JSON)'],
};

export const isAggregateName = (name: string): boolean => aggregateNames.includes(name.toLowerCase());

function sumType(type: Type): Type | null {
  switch (type.name) {
    case 'INT':
    case 'LONG':
      return LONG;
    case 'FLOAT':
    case 'DOUBLE':
      return DOUBLE;
    case 'DECIMAL':
      return decimal(decimalPrecisionMax, type.scale!);
    default:
      return null;
  }
}

function aggregateType(name: string, args: readonly ArgType[], distinct: boolean): Type | null {
  const [arg] = args;
  if (name === 'count')
    return args.length > 1 || (distinct && (args.length === 0 || arg?.name === 'JSON')) ? null : LONG;
  if (args.length !== 1) return null;
  if (name === 'sum') return arg ? sumType(arg) : null;
  if (name === 'avg') return arg && sumType(arg) ? DOUBLE : null;
  const type = arg ?? STRING;
  return type.name === 'BOOLEAN' || type.name === 'JSON' ? null : type;
}

/**
 * `count` takes no argument (rows) or one of any type; SUM of INT or LONG is LONG, of FLOAT or DOUBLE DOUBLE, of
 * DECIMAL(p,s) DECIMAL(38,s); AVG is DOUBLE; MIN and MAX keep the type. Arguments keep their own type.
 */
export function resolveAggregate(
  name: string,
  args: readonly ArgType[],
  distinct: boolean,
): ResolvedAggregate | ResolveFailure {
  const lower = name.toLowerCase();
  if (!isAggregateName(lower)) return { kind: 'unknown', suggestions: closestNames(name, aggregateNames) };
  const returns = aggregateType(lower, args, distinct);
  if (returns === null) return { kind: 'mismatch', candidates: aggregateSignatures[lower]! };
  return { function: lower, argTypes: args.map(arg => arg ?? STRING), returns };
}

export { functionCatalogue, scalarFunction } from './catalogue.ts';
export { canCastExplicitly, canCastImplicitly, commonType, comparisonType } from './coercion.ts';
export { callText } from './signature.ts';
