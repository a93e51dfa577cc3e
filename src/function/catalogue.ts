/** Every scalar function that Weir knows. */
import { assert } from '../base/assert.ts';
import { arithmetic } from './arithmetic.ts';
import { jsonFunctions } from './json-functions.ts';
import { math } from './math.ts';
import { picks } from './pick.ts';
import { rounding } from './rounding.ts';
import type { ScalarFunction } from './scalar.ts';
import type { Definition } from './signature.ts';
import { temporal } from './temporal.ts';
import { textFunctions } from './text-functions.ts';
import { timeFunctions } from './time-functions.ts';

/** Other names of the same function: PostgreSQL's own doubles, and SQL's. */
const aliases: Readonly<Record<string, string>> = {
  mod: 'modulo',
  char_length: 'length',
  character_length: 'length',
  substring: 'substr',
  trim: 'btrim',
  ceiling: 'ceil',
  pow: 'power',
  log10: 'log',
  date_part: 'extract',
  current_timestamp: 'now',
};

const definitions: readonly Definition[] = [
  ...arithmetic,
  ...temporal,
  ...rounding,
  ...math,
  ...picks,
  ...textFunctions,
  ...timeFunctions,
  ...jsonFunctions,
];

const byId = new Map<string, Definition>();
const byName = new Map<string, Definition[]>();
for (const definition of definitions) {
  assert(!byId.has(definition.id), `${definition.id} is defined twice`);
  byId.set(definition.id, definition);
  const overloads = byName.get(definition.name);
  if (overloads) overloads.push(definition);
  else byName.set(definition.name, [definition]);
}

export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return Object.hasOwn(aliases, lower) ? aliases[lower]! : lower;
}

/** All overloads of a name or alias in any case; none for an unknown one. */
export const definitionsOf = (name: string): readonly Definition[] => byName.get(canonicalName(name)) ?? [];

export const functionNames = (): string[] => [...byName.keys(), ...Object.keys(aliases)];

/** The function of an id that `resolveScalar` answered; ids in plans come from there, so another one is a bug. */
export function scalarFunction(id: string): ScalarFunction {
  const definition = byId.get(id);
  assert(definition !== undefined, `no function ${id}`);
  return definition;
}

export interface CatalogueEntry {
  readonly name: string;
  /** Readable: `substr(STRING,INT)`. */
  readonly signatures: readonly string[];
  readonly summary: string;
}

/** For documentation and completion: every name, aliases too, in order. */
export function functionCatalogue(): CatalogueEntry[] {
  const entries = functionNames().map(name => {
    const overloads = definitionsOf(name);
    const target = canonicalName(name);
    return {
      name,
      signatures: overloads.map(({ id }) => name + id.slice(target.length)),
      summary: target === name ? overloads[0]!.summary : `Same as ${target}. ${overloads[0]!.summary}`,
    };
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
