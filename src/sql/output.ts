/** Outputs of a transform, as the columns of their names take them. */
import { fault, type Position } from '../base/fault.ts';
import type { ColumnDefinition } from '../catalog/table.ts';
import { typeText } from '../column/type.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { Expr } from '../plan/expr.ts';
import type { TransformColumn } from '../plan/transform.ts';
import { canAssign } from './bind-insert.ts';
import { isLiteral } from './fold.ts';
import { coerce, openLiteral, typed } from './operand.ts';

/** What it needs of a column that the table has, or will have. */
export type TargetColumn = Pick<ColumnDefinition, 'id' | 'name' | 'type' | 'nullable' | 'defaultValue'>;

/** An output, and the column that it is for. */
export interface Output {
  readonly column: TargetColumn;
  readonly expr: Expr;
  readonly at: Position;
}

/** Where and when constants are folded: a transform cannot ask for either. */
export const transformContext: FunctionContext = { nowMs: 0, timeZone: 'UTC' };

export const transformColumn = (
  { column: { id, name, type, nullable } }: Output,
  merge: TransformColumn['merge'],
): TransformColumn => ({ id, name, type, nullable, merge });

/** The value as the column takes it. @throws {FaultError} TYPE_MISMATCH */
export function assign({ column, at }: Output, expr: Expr): Expr {
  // A string literal takes the type that is asked for.
  if (isLiteral(expr) && expr.type.name === 'STRING')
    return coerce(openLiteral(expr.value as string | null, at), column.type, 'explicit', transformContext);
  if (!canAssign(expr.type, column.type))
    throw fault(
      'TYPE_MISMATCH',
      `column ${column.name} is ${typeText(column.type)}, the expression ${typeText(expr.type)}`,
      {
        position: at,
        hint: 'CAST the expression',
      },
    );
  return coerce(typed(expr, at), column.type, 'explicit', transformContext);
}
