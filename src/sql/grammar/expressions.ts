/**
 * Expressions, by precedence climbing: `expression(floor)` reads operators that bind at least as tightly as `floor`.
 * A new operator is a row of `precedences` and, if its operands are not plain, an alternative of `expression`.
 */
import { type ParserMethod, type TokenType, tokenMatcher } from 'chevrotain';
import { fault, type Position } from '../../base/fault.ts';
import type { BinaryOperator, Expression, Query } from '../ast.ts';
import { inListLengthMax } from '../limits.ts';
import * as T from '../token.ts';
import { stringOf } from '../unquote.ts';
import { kw, positionOf } from './base.ts';
import { CallGrammar, plainCall, precedence } from './calls.ts';

const wordyFunctions = ['EXTRACT', 'POSITION', 'SUBSTRING', 'TRIM'];

const precedences = new Map<TokenType, number>([
  [kw('OR'), precedence.or],
  [kw('AND'), precedence.and],
  [kw('IS'), precedence.is],
  [kw('IN'), precedence.range],
  [kw('BETWEEN'), precedence.range],
  [kw('LIKE'), precedence.range],
  [kw('ILIKE'), precedence.range],
  [kw('AT'), precedence.at],
  [T.DoubleColon, precedence.cast],
]);
const signPrecedences: Readonly<Record<string, number>> = {
  '=': precedence.compare,
  '<>': precedence.compare,
  '!=': precedence.compare,
  '<': precedence.compare,
  '<=': precedence.compare,
  '>': precedence.compare,
  '>=': precedence.compare,
  '||': precedence.other,
  '->': precedence.other,
  '->>': precedence.other,
  '+': precedence.add,
  '-': precedence.add,
  '*': precedence.multiply,
  '/': precedence.multiply,
  '%': precedence.multiply,
  '^': precedence.power,
};

/** `a < b < c` is an error in PostgreSQL, as are chains of IN, BETWEEN and LIKE. */
const isChainable = (level: number): boolean => level !== precedence.compare && level !== precedence.range;

const rangeWords: readonly TokenType[] = [kw('IN'), kw('BETWEEN'), kw('LIKE'), kw('ILIKE')];
export abstract class ExpressionGrammar extends CallGrammar {
  abstract readonly query: ParserMethod<[], Query>;
  protected readonly expressionList = this.RULE('expressionList', (): Expression[] => {
    const list: Expression[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => list.push(this.SUBRULE(this.expression)) });
    this.CONSUME(T.RightParen);
    return list;
  });

  override readonly expression = this.RULE('expression', (floor: number = 0): Expression => {
    this.descend();
    let left = this.SUBRULE(this.prefix, { ARGS: [floor] });
    let ceiling: number = precedence.cast;
    this.MANY({
      GATE: () => {
        const level = this.#infixPrecedence();
        return level >= floor && level <= ceiling;
      },
      DEF: () => {
        const level = this.#infixPrecedence();
        left = this.SUBRULE(this.infix, { ARGS: [left, level] });
        ceiling = isChainable(level) ? level : level - 1;
      },
    });
    this.ascend();
    return left;
  });

  /** An operator and what stands right of it. */
  private readonly infix = this.RULE('infix', (left: Expression, level: number): Expression => {
    const at = this.here();
    const tighter = { ARGS: [level + 1] as [number] };
    return this.OR<Expression>([
      {
        ALT: () => {
          const sign = this.CONSUME(T.BinarySign).image;
          const operator = (sign === '!=' ? '<>' : sign) as BinaryOperator;
          return { kind: 'binary', operator, left, right: this.SUBRULE(this.expression, tighter), at };
        },
      },
      {
        ALT: () => {
          const kind = this.choose(1, 'AND', 'OR') === 'AND' ? 'and' : 'or';
          const right = this.SUBRULE1(this.expression, tighter);
          return this.ACTION(() => chain(kind, left, right, at));
        },
      },
      { ALT: () => this.SUBRULE(this.isTail, { ARGS: [left, at] }) },
      { ALT: () => this.SUBRULE(this.rangeTail, { ARGS: [left, at] }) },
      {
        ALT: () => {
          this.CONSUME(T.DoubleColon);
          return { kind: 'cast', source: left, type: this.SUBRULE(this.type), at };
        },
      },
      {
        ALT: () => {
          this.words('AT', 'TIME', 'ZONE');
          return plainCall('timezone', [this.SUBRULE3(this.expression, tighter), left], at);
        },
      },
    ]);
  });

  private readonly prefix = this.RULE('prefix', (floor: number): Expression => {
    const at = this.here();
    return this.OR<Expression>([
      {
        GATE: () => floor <= precedence.not,
        ALT: () => {
          this.CONSUME(kw('NOT'));
          return { kind: 'not', arg: this.SUBRULE(this.expression, { ARGS: [precedence.not] }), at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(T.Minus);
          return negate(this.SUBRULE1(this.expression, { ARGS: [precedence.unary] }), at);
        },
      },
      {
        ALT: () => {
          this.CONSUME(T.Plus);
          return this.SUBRULE2(this.expression, { ARGS: [precedence.unary] });
        },
      },
      { ALT: () => this.SUBRULE(this.primary) },
    ]);
  });

  private readonly isTail = this.RULE('isTail', (arg: Expression, at: Position): Expression => {
    this.CONSUME(kw('IS'));
    const isNegated = this.OPTION(() => this.CONSUME(kw('NOT'))) !== undefined;
    return this.OR<Expression>([
      {
        ALT: () => {
          const word = this.choose(1, 'NULL', 'UNKNOWN', 'TRUE', 'FALSE');
          return {
            kind: 'is',
            arg,
            test: word === 'TRUE' ? 'true' : word === 'FALSE' ? 'false' : 'null',
            isNegated,
            at,
          };
        },
      },
      {
        ALT: () => {
          this.words('DISTINCT', 'FROM');
          const right = this.SUBRULE(this.expression, { ARGS: [precedence.is + 1] });
          return { kind: 'isDistinct', left: arg, right, isNegated, at };
        },
      },
    ]);
  });

  private readonly rangeTail = this.RULE('rangeTail', (arg: Expression, at: Position): Expression => {
    const isNegated = this.OPTION(() => this.CONSUME(kw('NOT'))) !== undefined;
    const operand = { ARGS: [precedence.range + 1] as [number] };
    return this.OR<Expression>([
      {
        ALT: () => {
          this.CONSUME(kw('IN'));
          const start = this.here();
          this.ACTION(() => {
            if (this.isNext('SELECT', 2))
              throw fault('UNSUPPORTED', 'IN (SELECT …) is not supported yet', { position: start });
          });
          const values = this.SUBRULE(this.expressionList);
          this.ACTION(() => limitList(values, start));
          return { kind: 'in', arg, values, isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('BETWEEN'));
          const low = this.SUBRULE(this.expression, operand);
          this.CONSUME(kw('AND'));
          return { kind: 'between', arg, low, high: this.SUBRULE1(this.expression, operand), isNegated, at };
        },
      },
      {
        ALT: () => {
          const isCaseInsensitive = this.choose(1, 'LIKE', 'ILIKE') === 'ILIKE';
          const pattern = this.SUBRULE2(this.expression, operand);
          const escapedBy = this.OPTION1(() => {
            this.CONSUME(kw('ESCAPE'));
            return this.SUBRULE3(this.expression, operand);
          });
          return { kind: 'like', arg, pattern, escape: escapedBy ?? null, isCaseInsensitive, isNegated, at };
        },
      },
    ]);
  });

  protected readonly primary = this.RULE('primary', (): Expression => {
    const at = this.here();
    const isWordyCall = (): boolean =>
      this.LA(2).tokenType === T.LeftParen && wordyFunctions.some(word => this.isNext(word));
    return this.OR<Expression>([
      { ALT: () => ({ kind: 'number', text: this.CONSUME(T.NumberLiteral).image, at }) },
      { ALT: () => ({ kind: 'string', value: stringOf(this.CONSUME(T.StringLiteral)), at }) },
      {
        ALT: () => {
          const word = this.choose(1, 'NULL', 'TRUE', 'FALSE');
          return word === 'NULL' ? { kind: 'null', at } : { kind: 'boolean', value: word === 'TRUE', at };
        },
      },
      { ALT: () => this.SUBRULE(this.parameter) },
      { ALT: () => this.SUBRULE(this.caseExpression) },
      {
        ALT: () => {
          this.CONSUME(kw('CAST'));
          this.CONSUME(T.LeftParen);
          const source = this.SUBRULE(this.expression);
          this.CONSUME(kw('AS'));
          const type = this.SUBRULE(this.type);
          this.CONSUME(T.RightParen);
          return { kind: 'cast', source, type, at };
        },
      },
      { ALT: () => this.SUBRULE(this.nowWord) },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      {
        // Joins' words that are also functions.
        GATE: () => this.LA(2).tokenType === T.LeftParen,
        ALT: () => {
          const word = this.choose(2, 'LEFT', 'RIGHT');
          return this.SUBRULE(this.callTail, { ARGS: [word.toLowerCase(), at] });
        },
      },
      {
        GATE: () => this.isNext('INTERVAL') && tokenMatcher(this.LA(2), T.StringLiteral),
        ALT: () => this.SUBRULE(this.interval),
        IGNORE_AMBIGUITIES: true,
      },
      { GATE: isWordyCall, ALT: () => this.SUBRULE(this.wordyCall), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.nameOrCall) },
    ]);
  });

  private readonly parenthesised = this.RULE('parenthesised', (): Expression => {
    const at = positionOf(this.CONSUME(T.LeftParen));
    const isQuery = (): boolean =>
      this.isNext('SELECT') || (this.isNext('VALUES') && this.LA(2).tokenType === T.LeftParen);
    const inner = this.OR<Expression>([
      {
        GATE: isQuery,
        ALT: () => ({ kind: 'subquery', query: this.SUBRULE(this.query), at }),
        IGNORE_AMBIGUITIES: true,
      },
      { ALT: () => this.SUBRULE1(this.expression) },
    ]);
    this.CONSUME(T.RightParen);
    return inner;
  });

  private readonly caseExpression = this.RULE('caseExpression', (): Expression => {
    const at = positionOf(this.CONSUME(kw('CASE')));
    const subject = this.OPTION(() => this.SUBRULE(this.expression)) ?? null;
    const branches: { when: Expression; then: Expression }[] = [];
    this.AT_LEAST_ONE(() => {
      this.CONSUME(kw('WHEN'));
      const when = this.SUBRULE1(this.expression);
      this.CONSUME(kw('THEN'));
      branches.push({ when, then: this.SUBRULE2(this.expression) });
    });
    const otherwise = this.OPTION1(() => {
      this.CONSUME(kw('ELSE'));
      return this.SUBRULE3(this.expression);
    });
    this.CONSUME(kw('END'));
    return { kind: 'case', subject, branches, otherwise: otherwise ?? null, at };
  });

  /** Precedence of the operator that comes next, or -1 where none does. */
  #infixPrecedence(): number {
    const token = this.LA(1);
    if (token.tokenType === kw('NOT')) return rangeWords.includes(this.LA(2).tokenType) ? precedence.range : -1;
    return precedences.get(token.tokenType) ?? signPrecedences[token.image] ?? -1;
  }
}

/** `a AND b AND c` is one node. The left node is still the parser's own, so it may grow. */
function chain(kind: 'and' | 'or', left: Expression, right: Expression, at: Position): Expression {
  if (left.kind !== kind) return { kind, args: [left, right], at };
  (left.args as Expression[]).push(right);
  return left;
}

/** The sign belongs to a number, so that -9223372036854775808 is a LONG. */
function negate(arg: Expression, at: Position): Expression {
  if (arg.kind !== 'number') return { kind: 'negate', arg, at };
  return { kind: 'number', text: arg.text.startsWith('-') ? arg.text.slice(1) : `-${arg.text}`, at };
}

function limitList(values: readonly Expression[], position: Position): void {
  if (values.length > inListLengthMax)
    throw fault('LIMIT_EXCEEDED', `an IN list of ${values.length} values; at most ${inListLengthMax}`, {
      position,
      details: { limit: inListLengthMax },
    });
}
