/** What holds for every function: rows do not see each other, NULL rows never fail, results have the form of their type. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import { decimal, INT, STRING, type Type, type TypeName, type Value } from '../../../src/column/type.ts';
import type { Vector } from '../../../src/column/vector.ts';
import { functionCatalogue, isFailure, resolveScalar, scalarFunction } from '../../../src/function/resolve.ts';
import { vectorOf, vectorValue } from '../../../src/function/vectors.ts';
import { context } from './calls.ts';

const small = fc.integer({ min: -9, max: 9 });
const interval = fc.record({ months: small, days: small, ms: fc.integer({ min: -1e8, max: 1e8 }) });
const words = fc.constantFrom('', 'a', 'ab', ' x ', 'ñ😀', 'month', 'hour', 'dow', 'epoch', 'a,b', ',', 'week');

const arbitraries: Partial<Record<TypeName, fc.Arbitrary<Value>>> = {
  BOOLEAN: fc.boolean(),
  INT: fc.oneof(small, fc.integer()),
  LONG: fc.oneof(fc.bigInt({ min: -9n, max: 9n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  FLOAT: fc.oneof(small.map(Math.fround), fc.float()),
  DOUBLE: fc.oneof(small, fc.double()),
  DECIMAL: fc.bigInt({ min: -99_999n, max: 99_999n }),
  TIMESTAMP: fc.oneof(fc.integer({ min: -1e13, max: 1e13 }), fc.constantFrom(8.64e15, -8.64e15)),
  DATE: fc.oneof(fc.integer({ min: -1e5, max: 1e5 }), fc.constantFrom(1e8, -1e8)),
  INTERVAL: interval,
  STRING: fc.oneof({ arbitrary: words, weight: 3 }, fc.string({ unit: 'grapheme', maxLength: 30 })),
  JSON: fc.json({ maxDepth: 2 }),
  BYTES: fc.uint8Array({ maxLength: 5 }),
};

const forms: Readonly<Record<TypeName, readonly Vector['form'][]>> = {
  BOOLEAN: ['bool'],
  INT: ['number'],
  LONG: ['number', 'bigint'],
  FLOAT: ['number'],
  DOUBLE: ['number'],
  DECIMAL: ['wide'],
  TIMESTAMP: ['number'],
  DATE: ['number'],
  INTERVAL: ['interval'],
  STRING: ['string'],
  JSON: ['string'],
  UUID: ['string'],
  BYTES: ['string'],
};

/** Types to call a signature with, generic parameters as INT and as STRING. */
function argTypesOf(signature: string): Type[][] {
  const inside = signature.slice(signature.indexOf('(') + 1, -1);
  const variadic = inside.endsWith('...');
  const params = inside === '' ? [] : inside.replace('...', '').split(',');
  if (variadic) params.push(params.at(-1)!);
  const isGeneric = (param: string): boolean => param === 'ANY' || param === 'TEXT' || param === 'SAME';
  const choices: Type[] = params.some(isGeneric) ? [INT, STRING] : [INT];
  return choices.map(generic =>
    params.map(param => {
      if (param === 'DECIMAL') return decimal(5, 2);
      return isGeneric(param) ? generic : { name: param as TypeName };
    }),
  );
}

/** The value, or the fault's message. */
function outcome(run: () => Value): { value: Value } | { failed: string } {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof FaultError) return { failed: error.message };
    throw error;
  }
}

const isNullBlind = new Set(['concat', 'concat_ws', 'greatest', 'least']);

for (const { name, signatures, summary } of functionCatalogue()) {
  if (summary.startsWith('Same as')) continue;
  test(name, () => {
    for (const signature of signatures)
      for (const argTypes of argTypesOf(signature)) {
        const resolved = resolveScalar(name, argTypes);
        if (isFailure(resolved)) throw new Error(`${signature} does not resolve`);
        const types = { args: resolved.argTypes, result: resolved.returns };
        const { evaluate } = scalarFunction(resolved.id);
        const run = (rows: readonly (readonly Value[])[]): Value[] => {
          const vectors = types.args.map((type, at) =>
            vectorOf(
              type,
              rows.map(row => row[at]!),
            ),
          );
          const result = evaluate(vectors, rows.length, context, types);
          expect(forms[types.result.name]).toContain(result.form);
          expect(result.length).toBe(rows.length);
          return rows.map((_, row) => vectorValue(result, types.result, row));
        };
        const rowOf = fc.tuple(...types.args.map(type => fc.option(arbitraries[type.name]!, { freq: 8 })));
        fc.assert(
          fc.property(fc.array(rowOf, { maxLength: 6 }), fc.boolean(), (given, constantTail) => {
            const rows = constantTail ? given.map(row => [row[0] ?? null, ...given[0]!.slice(1)]) : given;
            const args = rows.map(row => row.slice(0, types.args.length));
            const alone = args.map(row => outcome(() => run([row])[0]!));
            for (const [at, row] of args.entries())
              if (!isNullBlind.has(name) && row.includes(null)) expect(alone[at]).toEqual({ value: null });
            const together = outcome(() => run(args) as never);
            const failures = alone.flatMap(result => ('failed' in result ? [result.failed] : []));
            if (failures.length === 0)
              expect(together).toEqual({ value: alone.map(result => 'value' in result && result.value) });
            else expect(failures).toContain((together as { failed: string }).failed);
          }),
          { numRuns: 40 },
        );
      }
  });
}
