/** SQL text → `Statement`, or a fault that says where and what was expected. */
import { EOF, type ILexingError, type IRecognitionException, type IToken, Lexer } from 'chevrotain';
import { type FaultError, fault, type Position } from '../base/fault.ts';
import { nearestName } from '../base/suggest.ts';
import type { Statement } from './ast.ts';
import { Grammar } from './grammar/statements.ts';
import { sqlTextLengthMax, tokenCountMax, treeDepthMax } from './limits.ts';
import { Semicolon, secretName, tokens } from './token.ts';

/** Building takes tens of milliseconds and is done once, at the first statement. The parser is reset by each. */
let machine: { readonly lexer: Lexer; readonly grammar: Grammar } | null = null;
function buildMachine(): { readonly lexer: Lexer; readonly grammar: Grammar } {
  machine ??= {
    lexer: new Lexer(tokens, { positionTracking: 'onlyStart', recoveryEnabled: false, skipValidations: true }),
    grammar: new Grammar(),
  };
  return machine;
}

/**
 * One statement; a `;` may end it. Time and memory grow with the text's length.
 * @throws {FaultError} SYNTAX_ERROR, UNSUPPORTED, LIMIT_EXCEEDED or INVALID_PARAMETER, with the position.
 */
export function parseStatement(sql: string): Statement {
  if (sql.length > sqlTextLengthMax)
    throw fault('LIMIT_EXCEEDED', `the statement has ${sql.length} characters; at most ${sqlTextLengthMax}`, {
      hint: 'send rows through POST /v1/tables/{table}/rows, and long lists as a table',
      details: { limit: sqlTextLengthMax },
    });
  const { lexer, grammar } = buildMachine();
  const lexed = lexer.tokenize(sql);
  if (lexed.errors.length > 0) throw lexingFault(sql, lexed.errors[0]!);
  if (lexed.tokens.length > tokenCountMax)
    throw fault(
      'LIMIT_EXCEEDED',
      `the statement has ${lexed.tokens.length} words and signs; at most ${tokenCountMax}`,
      {
        position: positionOf(lexed.tokens[tokenCountMax]!),
        details: { limit: tokenCountMax },
      },
    );
  const input = withoutEnd(lexed.tokens);
  if (input.length === 0) throw fault('SYNTAX_ERROR', 'the statement is empty', { position: positionAt(sql, 0) });
  grammar.text = sql;
  grammar.input = input;
  const body = grammar.statement();
  const error = grammar.errors[0];
  if (error !== undefined) throw syntaxFault(sql, input, error);
  const statement: Statement = { ...body, parameterCount: grammar.parameterCount };
  limitTree(statement);
  return statement;
}

/** Words and signs, as far as there are any. */
export const tokensOf = (sql: string): readonly IToken[] => buildMachine().lexer.tokenize(sql).tokens;

/** The tokens of one statement, without the `;` that end it. */
function withoutEnd(all: readonly IToken[]): IToken[] {
  let end = all.length;
  while (end > 0 && all[end - 1]!.tokenType === Semicolon) end--;
  const input = all.slice(0, end);
  const divider = input.findIndex(token => token.tokenType === Semicolon);
  if (divider !== -1)
    throw fault('UNSUPPORTED', 'one statement at a time', {
      position: positionOf(input[divider + 1]!),
      hint: 'send the statements one by one',
    });
  return input;
}

/** Later phases recurse over the tree, so its depth is limited here, without recursion. */
function limitTree(statement: Statement): void {
  const pending: { node: object; depth: number; at: Position | undefined }[] = [
    { node: statement, depth: 0, at: undefined },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const depth = next.depth + ('kind' in next.node ? 1 : 0);
    const at = (next.node as { at?: Position }).at ?? next.at;
    if (depth > treeDepthMax)
      throw fault('LIMIT_EXCEEDED', `the statement has an expression of more than ${treeDepthMax} levels`, {
        position: at,
        hint: 'use fewer operators in one expression; AND, OR and IN take many operands on one level',
        details: { limit: treeDepthMax },
      });
    for (const child of Object.values(next.node))
      if (typeof child === 'object' && child !== null) pending.push({ node: child, depth, at });
  }
}

// ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

const positionOf = (token: IToken): Position => ({
  line: token.startLine!,
  column: token.startColumn!,
  offset: token.startOffset,
});

function positionAt(sql: string, offset: number): Position {
  const lines = sql.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length, column: lines.at(-1)!.length + 1, offset };
}

function lexingFault(sql: string, error: ILexingError): FaultError {
  const rest = sql.slice(error.offset, error.offset + 2);
  const position = positionAt(sql, error.offset);
  const syntax = (message: string): FaultError => fault('SYNTAX_ERROR', message, { position });
  if (rest.startsWith("'") || /^e'/i.test(rest)) return syntax('unterminated quoted string');
  if (rest.startsWith('"')) return syntax('unterminated quoted identifier');
  if (rest === '/*') return syntax('unterminated comment');
  if (/^\.?\d/.test(rest)) return syntax('trailing junk after a numeric literal');
  return syntax(`syntax error at or near "${String.fromCodePoint(sql.codePointAt(error.offset)!)}"`);
}

/** What SQL has and the grammar does not yet, by the word at which it stops. */
const unsupported: Readonly<Record<string, string>> = {
  JOIN: 'joins are',
  INNER: 'joins are',
  LEFT: 'joins are',
  RIGHT: 'joins are',
  FULL: 'joins are',
  CROSS: 'joins are',
  NATURAL: 'joins are',
  UNION: 'UNION is',
  INTERSECT: 'INTERSECT is',
  EXCEPT: 'EXCEPT is',
  WITH: 'WITH queries are',
  OVER: 'window functions are',
  WINDOW: 'window functions are',
  EXISTS: 'EXISTS is',
  ARRAY: 'arrays are',
  SIMILAR: 'SIMILAR TO is',
};

const statementWords = [
  ...['SELECT', 'VALUES', 'EXPLAIN', 'INSERT', 'CREATE', 'ALTER', 'DROP', 'SHOW', 'DESCRIBE'],
  ...['PAUSE', 'RESUME', 'COMMIT', 'SEEK'],
];
const clauseWords = [
  ...statementWords,
  ...['FROM', 'WHERE', 'GROUP', 'BY', 'HAVING', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'AND', 'OR', 'NOT', 'NULL'],
  ...['BETWEEN', 'LIKE', 'ILIKE', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'DISTINCT', 'INTO', 'TABLE', 'DESC', 'ASC'],
  ...['DEFAULT', 'WITH', 'FILTER', 'EXISTS', 'ESCAPE', 'NULLS', 'FIRST', 'LAST', 'TABLES'],
  ...['COLUMN', 'INDEX', 'RENAME', 'USING'],
  ...['INGESTION', 'PARTITION', 'BEGINNING', 'TIMESTAMP', 'UNNEST'],
];

/** Longest part of the offending word that a message repeats. */
const quotedLengthMax = 60;

function syntaxFault(sql: string, input: readonly IToken[], error: IRecognitionException): FaultError {
  const { token } = error;
  const atEnd = token.tokenType === EOF;
  const position = atEnd ? positionAt(sql, sql.length) : positionOf(token);
  const what = unsupported[token.tokenType.name];
  if (what !== undefined) return fault('UNSUPPORTED', `${what} not supported yet`, { position });
  const index = atEnd ? input.length : input.indexOf(token);
  const hint = misspelling(token, input[index - 1]) ?? (error.message === '' ? undefined : `expected ${error.message}`);
  const isSecret = input.slice(Math.max(0, index - 2), index).some(before => secretName.test(before.image));
  const image = isSecret
    ? '…'
    : token.image.length > quotedLengthMax
      ? `${token.image.slice(0, quotedLengthMax)}…`
      : token.image;
  const where = atEnd ? 'at end of input' : `at or near "${image}"`;
  return fault('SYNTAX_ERROR', `syntax error ${where}`, { position, hint });
}

/** Shorter words are aliases rather than keywords with a slip. */
const shortestSlip = 3;

/** The word that does not fit, or the one before it (taken for an alias), may be a keyword with a slip. */
function misspelling(token: IToken, previous: IToken | undefined): string | undefined {
  if (isPlainName(token)) {
    const word = nearestName(token.image, previous === undefined ? statementWords : clauseWords);
    if (word !== null) return `did you mean ${word}?`;
  }
  if (previous === undefined || !isPlainName(previous) || previous.image.length < shortestSlip) return undefined;
  const word = nearestName(previous.image, clauseWords);
  return word === null ? undefined : `did you mean ${word} instead of ${previous.image}?`;
}

const isPlainName = (token: IToken): boolean => token.tokenType.name === 'PlainIdentifier';
