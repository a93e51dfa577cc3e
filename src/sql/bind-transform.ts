/** A transform and its table's columns → `TransformPlan`: what messages become, names and types settled. */
import { fault, type Position } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import { foldName, matchName } from '../catalog/name.ts';
import type { MessageField, TableDefinitionRequest, Transform } from '../catalog/table.ts';
import { BYTES, INT, JSON_TYPE, LONG, STRING, TIMESTAMP, type Type, typeText } from '../column/type.ts';
import type { Expr } from '../plan/expr.ts';
import type { Node } from '../plan/node.ts';
import { messageColumns, type TransformColumn, type TransformPlan } from '../plan/transform.ts';
import type { Expression, FieldSyntax, Query } from './ast.ts';
import { type BoundQuery, bindQuery } from './bind-query.ts';
import { mergeProjects, pushFilters } from './optimize/filters.ts';
import { assign, type Output, type TargetColumn, transformColumn, transformContext } from './output.ts';
import { planRollup } from './rollup.ts';
import { messageName, parseTransform, type TransformSyntax, transformOf } from './transform-syntax.ts';
import { resolveType } from './type-name.ts';

/**
 * @throws {FaultError} of kind `invalid`, with its position in the transform's text: SYNTAX_ERROR, UNKNOWN_COLUMN,
 *   TYPE_MISMATCH, CONSTRAINT (a NOT NULL column is not given), UNSUPPORTED …
 */
export function bindTransform(transform: Transform, columns: readonly TargetColumn[]): TransformPlan {
  const syntax = parseTransform(transform.sql);
  return bindSyntax(syntax, transform.fields, columns);
}

/** The same for a transform inside a statement. */
export function bindTransformQuery(query: Query, columns: readonly TargetColumn[]): readonly MessageField[] {
  const syntax = transformOf(query);
  const fields = declaredFields(syntax.fields ?? []);
  bindSyntax(syntax, fields, columns);
  return fields;
}

/** The transform with the fields that its text declares, if it does. @throws {FaultError} INVALID_DEFINITION where both say different things */
export function settleFields(transform: Transform): Transform {
  const { fields, at } = parseTransform(transform.sql);
  if (fields === null) return transform;
  const declared = declaredFields(fields);
  const shape = (list: readonly MessageField[]): string =>
    list.map(({ name, type }) => `${name} ${typeText(type)}`).join(', ');
  if (transform.fields.length > 0 && shape(transform.fields) !== shape(declared))
    throw fault('INVALID_DEFINITION', 'the transform and its list of fields declare different ones', {
      position: at,
      hint: 'declare them once',
    });
  return { ...transform, fields: declared };
}

/**
 * A request that did not come as DDL, its transform bound to its columns.
 * @throws {FaultError} as `bindTransform`
 */
export function settleDefinition(request: TableDefinitionRequest): TableDefinitionRequest {
  const { source } = request;
  if (source?.kind !== 'kafka' || source.transform === null) return request;
  const transform = settleFields(source.transform);
  bindTransform(transform, targetsOf(request));
  return { ...request, source: { ...source, transform } };
}

/** The columns of a table to be, with the ids that it will have. */
export const targetsOf = ({ columns }: Pick<TableDefinitionRequest, 'columns'>): TargetColumn[] =>
  columns.map(({ name, type, nullable, defaultValue = null }, index) => ({
    ...{ id: index + 1, name, type, nullable, defaultValue },
  }));

const declaredFields = (fields: readonly FieldSyntax[]): MessageField[] =>
  fields.map(({ name, type }) => ({ name: name.text, type: resolveType(type) }));

const messageTypes: readonly (readonly [name: string, type: Type])[] = [
  [messageColumns.key, STRING],
  [messageColumns.keyBytes, BYTES],
  [messageColumns.headers, JSON_TYPE],
  [messageColumns.timestamp, TIMESTAMP],
  [messageColumns.partition, INT],
  [messageColumns.offset, LONG],
];

function bindSyntax(
  syntax: TransformSyntax,
  fields: readonly MessageField[],
  columns: readonly TargetColumn[],
): TransformPlan {
  checkFields(fields, syntax);
  const named = namesIn(syntax);
  // An unknown name is told of with all that might have been meant.
  const isKnown = [...named].every(name => messageTypes.some(([known]) => known === name));
  const extra = messageTypes.filter(([name]) => !isKnown || named.has(name)).map(([name, type]) => ({ name, type }));
  const readable = [...fields, ...extra];
  const message = [...readable, { name: messageColumns.row, type: INT }];
  const query: Query = {
    body: syntax.select,
    ...{ orderBy: [], limit: null, offset: null },
  };
  const bound = bindQuery(query, {
    catalog: { tables: [], systemTables: [] },
    parameters: [],
    ...transformContext,
    relation: () => ({
      node: { kind: 'inline', name: messageName, columns: message },
      columns: readable.map(({ name, type }, index) => ({
        ...{ table: messageName, name, type, index },
        isHidden: index >= fields.length,
      })),
    }),
    finish: () => {
      throw fault('UNSUPPORTED', 'a subquery cannot be used in a transform', { position: syntax.at });
    },
  });
  const outputs = assignOutputs(bound, columns, syntax.at);
  const { source } = bound.node as Extract<Node, { kind: 'project' }>;
  if (source.kind === 'aggregate') return planRollup(outputs, source, syntax.select, message);
  if (source.kind !== 'inline' && source.kind !== 'filter' && source.kind !== 'unnest')
    throw fault('UNSUPPORTED', 'a transform cannot be so', { position: syntax.at });
  const row: Expr = { kind: 'column', type: INT, index: message.length - 1 };
  const exprs = outputs.map(output => assign(output, output.expr));
  return {
    message,
    columns: outputs.map((output): TransformColumn => transformColumn(output, 'key')),
    rows: mergeProjects(pushFilters({ kind: 'project', source, exprs: [...exprs, row] }, transformContext)),
    rollup: null,
  };
}

/** Each output with the column of its name. */
function assignOutputs(bound: BoundQuery, columns: readonly TargetColumn[], at: Position): Output[] {
  const { exprs } = bound.node as Extract<Node, { kind: 'project' }>;
  const outputs = bound.columns.map(({ name }, index): Output => {
    const position = bound.places[index]!;
    const [column, other] = matchName(columns, name);
    if (column === undefined || other !== undefined)
      throw fault('UNKNOWN_COLUMN', `the table has no column ${name}`, {
        position,
        hint:
          didYouMean(
            name,
            columns.map(candidate => candidate.name),
          ) ?? 'name each output by a column of the table: expression AS column',
      });
    return { column, expr: exprs[index]!, at: position };
  });
  outputs.forEach(({ column, at: position }, index) => {
    if (outputs.findIndex(output => output.column === column) !== index)
      throw fault('INVALID_DEFINITION', `column ${column.name} is given twice`, { position });
  });
  const missing = columns.find(
    column =>
      !column.nullable && column.defaultValue === null && !outputs.some(output => output.column.id === column.id),
  );
  if (missing !== undefined)
    throw fault(
      'CONSTRAINT',
      `column ${missing.name} is NOT NULL and has no default, and the transform does not give it`,
      {
        position: at,
        hint: `add an output AS ${missing.name}`,
      },
    );
  return outputs;
}

function checkFields(fields: readonly MessageField[], { fields: syntax, at }: TransformSyntax): void {
  const seen = new Set<string>();
  fields.forEach(({ name }, index) => {
    const position = syntax?.[index]?.name.at ?? at;
    if (name.startsWith('$'))
      throw fault('INVALID_DEFINITION', `field name ${name} is reserved`, {
        position,
        hint: 'names with $ are the message’s own, and need no declaration',
      });
    if (seen.has(foldName(name))) throw fault('INVALID_DEFINITION', `field ${name} is declared twice`, { position });
    seen.add(foldName(name));
  });
}

/** Functions whose answer depends on when they are asked. */
const clockFunctions: ReadonlySet<string> = new Set(['now', 'current_timestamp', 'localtimestamp', 'current_date']);

/**
 * The message's own columns (`$…`) that the transform names.
 * @throws {FaultError} UNSUPPORTED for NOW(): a message that is read again must give the same rows
 */
function namesIn({ select }: TransformSyntax): Set<string> {
  const names = new Set<string>();
  const pending: object[] = [select];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const { kind } = node as { readonly kind?: unknown };
    if (kind === 'name') {
      const name = (node as Extract<Expression, { kind: 'name' }>).parts.at(-1)!;
      if (name.startsWith('$')) names.add(name.toLowerCase());
    }
    if (kind === 'call') {
      const { name, at } = node as Extract<Expression, { kind: 'call' }>;
      if (clockFunctions.has(name.toLowerCase()))
        throw fault('UNSUPPORTED', `a transform cannot ask for the time: ${name}`, {
          position: at,
          hint: 'a message that is read again must give the same rows; $timestamp is the time of the message',
        });
    }
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) pending.push(child);
  }
  return names;
}
