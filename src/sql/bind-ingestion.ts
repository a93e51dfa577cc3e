/** PAUSE, RESUME, COMMIT and SEEK INGESTION. */
import { fault, type Position } from '../base/fault.ts';
import type { SeekTarget } from '../catalog/table.ts';
import { TIMESTAMP, type Value } from '../column/type.ts';
import type { FunctionContext } from '../function/scalar.ts';
import type { SeekSyntax, StatementBody } from './ast.ts';
import type { BoundStatement } from './bound.ts';
import { resolveStoredTable, type SqlCatalog } from './catalog.ts';
import { coerce, openLiteral } from './operand.ts';

/** @throws {FaultError} UNKNOWN_TABLE, SYNTAX_ERROR (a seek without its target), UNSUPPORTED, INVALID_LITERAL */
export function bindIngestion(
  { action, name, partition, to }: Extract<StatementBody, { kind: 'ingestion' }>,
  catalog: SqlCatalog,
  context: FunctionContext,
): BoundStatement {
  const { id: tableId, name: table, source } = resolveStoredTable(catalog, name);
  if (action === 'seek' && to === null)
    throw fault('SYNTAX_ERROR', 'SEEK INGESTION needs a place to go to', {
      position: name.at,
      hint: "add TO OFFSET n, TO TIMESTAMP '…', TO BEGINNING or TO END",
    });
  if (action !== 'commit' && source.kind === 'log')
    throw fault('UNSUPPORTED', `rows are pushed into ${table}: there is nothing to ${action}`, {
      position: name.at,
      hint: 'PAUSE, RESUME and SEEK are for tables FROM KAFKA',
    });
  if (to?.kind === 'offset' && partition === null)
    throw fault('SYNTAX_ERROR', 'an offset is of one partition', {
      position: to.at,
      hint: `write SEEK INGESTION ${table} PARTITION n TO OFFSET ${to.text}`,
    });
  return {
    ...{ kind: 'ingestion', action, tableId, table },
    partition: partition === null ? null : wholeNumber(partition.text, 'a partition', partition.at),
    to: to === null ? null : seekTarget(to, context),
  };
}

function seekTarget({ kind, text, at }: SeekSyntax, context: FunctionContext): SeekTarget {
  switch (kind) {
    case 'offset':
      return { kind, offset: wholeNumber(text, 'an offset', at) };
    case 'time': {
      const { value } = coerce(openLiteral(text, at), TIMESTAMP, 'implicit', context) as { readonly value: Value };
      return { kind, timeMs: value as number };
    }
    default:
      return { kind };
  }
}

function wholeNumber(text: string, what: string, position: Position): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw fault('INVALID_LITERAL', `${what} is a whole number, not ${text}`, { position });
}
