/** SQL's words and signs. Adding a keyword is adding it to one of two lists. */

import type { CustomPatternMatcherReturn, TokenType } from 'chevrotain';
import { createToken, Lexer } from 'chevrotain';

/** Any keyword or plain or quoted identifier: what may follow AS or a dot. */
export const Word = createToken({ name: 'Word', pattern: Lexer.NA });
/** What names a table, a column, a function: an identifier, or a keyword that is not reserved. */
export const Identifier = createToken({ name: 'Identifier', label: 'a name', pattern: Lexer.NA, categories: Word });

const PlainIdentifier = createToken({
  name: 'PlainIdentifier',
  pattern: /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\$[A-Za-z_]\w*/,
  categories: Identifier,
});

export const QuotedIdentifier = createToken({
  name: 'QuotedIdentifier',
  pattern: /"[^"]*(?:""[^"]*)*"/,
  line_breaks: true,
  categories: Identifier,
});

/** As in PostgreSQL, only quotes make these a name (after AS or a dot they are one anyway). */
const reservedWords = `ALL AND ARRAY AS ASC BETWEEN BOTH CASE CAST CREATE CROSS CURRENT_DATE CURRENT_TIMESTAMP DEFAULT DESC
  DISTINCT ELSE END EXCEPT EXISTS FALSE FETCH FOR FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT INTO IS JOIN LEADING LEFT LIKE
  LIMIT LOCALTIMESTAMP NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER RIGHT SELECT SIMILAR TABLE THEN TO TRAILING TRUE UNION USING
  WHEN WHERE WINDOW WITH`;

/** Keywords where the grammar asks for them, names elsewhere. */
const openWords = `ADD ALTER AT BEGINNING BY COLUMN COMMIT DATA DESCRIBE DROP ESCAPE EXPLAIN EXTRACT FILTER FIRST IF INDEX INGESTION INSERT INTERVAL LAST
  NEXT NULLS ONLY PARTITION PAUSE PLAN POSITION PRECISION RENAME RESUME ROW ROWS SEEK SET SHOW SUBSTRING TABLES TIME TIMESTAMP TRIM TYPE UNKNOWN
  UNNEST VALUES VARYING WITHOUT ZONE`;

function createKeywords(words: string, category: TokenType): Record<string, TokenType> {
  const entries = words.split(/\s+/).map(word => [
    word,
    createToken({
      name: word,
      label: word,
      pattern: new RegExp(word, 'i'),
      longer_alt: PlainIdentifier,
      categories: category,
    }),
  ]);
  return Object.fromEntries(entries);
}

const reserved = createKeywords(reservedWords, Word);
const open = createKeywords(openWords, Identifier);

/** A keyword's token by its upper-case word. */
export function keyword(word: string): TokenType {
  const token = reserved[word] ?? open[word];
  if (token === undefined) throw new Error(`${word} is not a keyword of the grammar`);
  return token;
}

/** Names of options, and of whatever else, whose value is nobody's business: neither lists of queries nor errors repeat it. */
export const secretName = /password|secret|tls_key/i;

/** Whether a name stands without quotes wherever a name may. */
export const isPlainName = (name: string): boolean =>
  /^[A-Za-z_]\w*$/.test(name) && !Object.hasOwn(reserved, name.toUpperCase());

/** `a OP b` where OP is one token. */
export const BinarySign = createToken({ name: 'BinarySign', label: 'an operator', pattern: Lexer.NA });
const sign = (name: string, label: string, pattern: RegExp, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, pattern, categories });

export const Plus = sign('Plus', '+', /\+/, [BinarySign]);
export const Minus = sign('Minus', '-', /-/, [BinarySign]);
export const Star = sign('Star', '*', /\*/, [BinarySign]);
const Slash = sign('Slash', '/', /\/(?!\*)/, [BinarySign]);
const Percent = sign('Percent', '%', /%/, [BinarySign]);
const Caret = sign('Caret', '^', /\^/, [BinarySign]);
const Concat = sign('Concat', '||', /\|\|/, [BinarySign]);
const Arrow = sign('Arrow', '->', /->(?!>)/, [BinarySign]);
const TextArrow = sign('TextArrow', '->>', /->>/, [BinarySign]);
export const Equal = sign('Equal', '=', /=/, [BinarySign]);
const NotEqual = sign('NotEqual', '<>', /<>|!=/, [BinarySign]);
const LessEqual = sign('LessEqual', '<=', /<=/, [BinarySign]);
const GreaterEqual = sign('GreaterEqual', '>=', />=/, [BinarySign]);
const Less = sign('Less', '<', /</, [BinarySign]);
const Greater = sign('Greater', '>', />/, [BinarySign]);
export const DoubleColon = sign('DoubleColon', '::', /::/);
export const LeftParen = sign('LeftParen', '(', /\(/);
export const RightParen = sign('RightParen', ')', /\)/);
export const LeftBracket = sign('LeftBracket', '[', /\[/);
export const RightBracket = sign('RightBracket', ']', /\]/);
export const Comma = sign('Comma', ',', /,/);
export const Dot = sign('Dot', '.', /\./);
export const Semicolon = sign('Semicolon', ';', /;/);
export const QuestionMark = sign('QuestionMark', '?', /\?/);
export const DollarNumber = sign('DollarNumber', '$1', /\$\d+/);

export const NumberLiteral = createToken({
  name: 'NumberLiteral',
  label: 'a number',
  pattern: /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w$])/,
});

export const StringLiteral = createToken({
  name: 'StringLiteral',
  label: 'a string',
  pattern: /'[^']*(?:''[^']*)*'/,
  line_breaks: true,
});

/** `E'…'`, with backslash escapes; a string literal to the grammar. */
export const EscapeString = createToken({
  name: 'EscapeString',
  pattern: /[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'/,
  line_breaks: true,
  categories: StringLiteral,
});

/** Block comments nest, as in PostgreSQL. */
function matchBlockComment(text: string, offset: number): CustomPatternMatcherReturn | null {
  if (!text.startsWith('/*', offset)) return null;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = offset;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return [text.slice(offset, mark.lastIndex)];
  }
  return null;
}

const skipped: TokenType[] = [
  createToken({ name: 'Space', pattern: /[\s\ufeff]+/, line_breaks: true, group: Lexer.SKIPPED }),
  createToken({ name: 'LineComment', pattern: /--[^\n\r]*/, group: Lexer.SKIPPED }),
  createToken({
    name: 'BlockComment',
    pattern: matchBlockComment,
    start_chars_hint: ['/'],
    line_breaks: true,
    group: Lexer.SKIPPED,
  }),
];

/** Chevrotain takes the first that matches, and IN begins INTO. */
function keywordsLongestFirst(): TokenType[] {
  return [...Object.values(reserved), ...Object.values(open)].sort((a, b) => b.name.length - a.name.length);
}

/** In the order in which they are tried. */
export const tokens: TokenType[] = [
  ...skipped,
  EscapeString,
  StringLiteral,
  QuotedIdentifier,
  NumberLiteral,
  DollarNumber,
  ...keywordsLongestFirst(),
  PlainIdentifier,
  DoubleColon,
  TextArrow,
  Arrow,
  Concat,
  NotEqual,
  LessEqual,
  GreaterEqual,
  Less,
  Greater,
  Equal,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  Caret,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  Comma,
  Dot,
  Semicolon,
  QuestionMark,
  Word,
  Identifier,
  BinarySign,
];
