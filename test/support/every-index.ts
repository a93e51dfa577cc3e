/** Tables that get every index that their columns can have, whatever their statements say: no answer may change. */
import type { IndexKind, TableDefinitionRequest } from '../../src/catalog/table.ts';
import { indexableTypes } from '../../src/catalog/validate.ts';
import type { ClusterOptions } from './cluster.ts';

const kinds = Object.keys(indexableTypes) as IndexKind[];

export const withEveryIndex = (definition: TableDefinitionRequest): TableDefinitionRequest => ({
  ...definition,
  indexes: definition.columns.flatMap(({ name, type }) =>
    kinds.filter(kind => indexableTypes[kind].includes(type.name)).map(kind => ({ column: name, kind })),
  ),
});

interface Callable {
  call(name: string, input: unknown, options?: unknown): Promise<unknown>;
}

/** Between the broker and the controller. */
export const everyIndex: NonNullable<ClusterOptions['intercept']> = (role, client) => {
  if (role !== 'controller') return client;
  const { call } = client as Callable;
  const indexed: Callable['call'] = (name, input, options) => {
    if (name !== 'createTable') return call.call(client, name, input, options);
    const { definition, ...rest } = input as { definition: TableDefinitionRequest };
    return call.call(client, name, { ...rest, definition: withEveryIndex(definition) }, options);
  };
  return { ...client, call: indexed };
};
