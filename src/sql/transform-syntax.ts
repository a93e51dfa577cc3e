/** The shape of a transform: `SELECT … FROM message [(field TYPE, …)] [, UNNEST(…) AS item] [WHERE …] [GROUP BY …]`. */
import { fault, type Position } from '../base/fault.ts';
import type { Transform } from '../catalog/table.ts';
import { typeText } from '../column/type.ts';
import type { FieldSyntax, FromItem, Query, Select } from './ast.ts';
import { parseStatement } from './parse.ts';
import { nameText } from './unquote.ts';

/** What a transform reads. */
export const messageName = 'message';

export interface TransformSyntax {
  readonly select: Select;
  /** null: declared beside the text. */
  readonly fields: readonly FieldSyntax[] | null;
  readonly unnest: Extract<FromItem, { kind: 'unnest' }> | null;
  /** Where `message` stands. */
  readonly at: Position;
}

/** @throws {FaultError} SYNTAX_ERROR, UNSUPPORTED …, with its position in the text */
export function parseTransform(sql: string): TransformSyntax {
  const statement = parseStatement(sql);
  if (statement.kind !== 'query')
    throw unsupported('a transform is one SELECT', { line: 1, column: 1, offset: 0 }, 'write SELECT … FROM message');
  return transformOf(statement.query);
}

/** @throws {FaultError} UNSUPPORTED for what has no meaning, message by message */
export function transformOf({ body, orderBy, limit, offset }: Query): TransformSyntax {
  if (body.kind !== 'select')
    throw unsupported('a transform is one SELECT', body.at, 'write SELECT … FROM message (field TYPE, …)');
  const [message, second, third] = body.from;
  if (message?.kind !== 'table' || message.name.schema !== null || message.name.text.toLowerCase() !== messageName)
    throw unsupported('a transform reads FROM message', message?.at ?? body.at, 'write FROM message (field TYPE, …)');
  if (message.alias !== null) throw unsupported('message has no other name', message.at, 'leave its alias out');
  if (second !== undefined && second.kind !== 'unnest')
    throw unsupported('a transform joins nothing to a message', second.at, 'only UNNEST(…) may stand beside it');
  if (third !== undefined) throw unsupported('a transform has one UNNEST at most', third.at);
  const surplus =
    orderBy[0]?.expression.at ?? limit?.at ?? offset?.at ?? body.having?.at ?? (body.isDistinct ? body.at : null);
  if (surplus !== null)
    throw unsupported(
      'a transform sees a few messages at a time: it has no DISTINCT, HAVING, ORDER BY, LIMIT or OFFSET',
      surplus,
      'leave it to the queries',
    );
  return { select: body, fields: message.fields, unnest: second ?? null, at: message.name.at };
}

/** The transform with its fields declared in its text, as DDL has it. */
export function transformText({ sql, fields }: Transform): string {
  const syntax = parseTransform(sql);
  if (syntax.fields !== null) return sql;
  const isQuoted = sql[syntax.at.offset] === '"';
  const end = syntax.at.offset + messageName.length + (isQuoted ? 2 : 0);
  const declared = fields.map(({ name, type }) => `${nameText(name)} ${typeText(type)}`).join(', ');
  return `${sql.slice(0, end)} (${declared})${sql.slice(end)}`;
}

const unsupported = (message: string, position: Position, hint?: string): Error =>
  fault('UNSUPPORTED', message, { position, hint });
