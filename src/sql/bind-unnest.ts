/** UNNEST in FROM: the element is one more column beside those of the table before it. */
import { JSON_TYPE } from '../column/type.ts';
import type { Node } from '../plan/node.ts';
import { typesOf } from '../plan/shape.ts';
import type { FromItem } from './ast.ts';
import type { ExpressionBinder } from './bind-expression.ts';
import type { ScopeColumn } from './scope.ts';

export interface BoundFrom {
  readonly node: Node;
  readonly columns: readonly ScopeColumn[];
}

/** @throws {FaultError} TYPE_MISMATCH for what is neither JSON nor text of it */
export function bindUnnest(
  from: BoundFrom,
  { argument, alias }: Extract<FromItem, { kind: 'unnest' }>,
  binder: ExpressionBinder,
): BoundFrom {
  const expr = binder.coerce(binder.bind(argument), JSON_TYPE, 'explicit');
  const table = alias?.name ?? 'unnest';
  const name = alias?.columns[0]?.text ?? table;
  const index = typesOf(from.node).length;
  return {
    node: { kind: 'unnest', source: from.node, expr, type: JSON_TYPE },
    columns: [...from.columns, { table, name, type: JSON_TYPE, index, isHidden: false }],
  };
}
