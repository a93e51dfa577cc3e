/** Primaries that look like calls: functions in all their spellings, parameters, INTERVAL and names. */
import type { IToken, ParserMethod } from 'chevrotain';
import { type FaultError, fault, type Position } from '../../base/fault.ts';
import type { Expression } from '../ast.ts';
import { parameterCountMax } from '../limits.ts';
import * as T from '../token.ts';
import { nameOf, stringOf } from '../unquote.ts';
import { GrammarBase, kw, positionOf } from './base.ts';

/** PostgreSQL's, loosest first (its manual, 4.1.6). */
export const precedence = {
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  compare: 5,
  range: 6,
  other: 7,
  add: 8,
  multiply: 9,
  power: 10,
  at: 11,
  unary: 12,
  cast: 13,
} as const;

const intervalUnits: ReadonlySet<string> = new Set(['year', 'month', 'week', 'day', 'hour', 'minute', 'second']);
const trimFunctions = { BOTH: 'btrim', LEADING: 'ltrim', TRAILING: 'rtrim' } as const;

export abstract class CallGrammar extends GrammarBase {
  abstract readonly expression: ParserMethod<[floor?: number], Expression>;
  #parameterCount = 0;
  #hasQuestionMarks = false;

  override reset(): void {
    super.reset();
    this.#parameterCount = 0;
    this.#hasQuestionMarks = false;
  }

  /** Values that the statement just parsed needs. */
  get parameterCount(): number {
    return this.#parameterCount;
  }

  protected readonly parameter = this.RULE(
    'parameter',
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.#parameterOf(this.CONSUME(T.QuestionMark)) },
        { ALT: () => this.#parameterOf(this.CONSUME(T.DollarNumber)) },
      ]),
  );

  #parameterOf(token: IToken): Expression {
    return this.ACTION(() => {
      const at = positionOf(token);
      const isQuestionMark = token.tokenType === T.QuestionMark;
      if (this.#parameterCount > 0 && this.#hasQuestionMarks !== isQuestionMark)
        throw parameterFault('a statement uses either ? or $1, not both', at);
      this.#hasQuestionMarks = isQuestionMark;
      const number = isQuestionMark ? this.#parameterCount + 1 : Number(token.image.slice(1));
      if (number < 1) throw parameterFault('parameters are numbered from $1', at);
      if (number > parameterCountMax) throw parameterFault(`more than ${parameterCountMax} parameters`, at);
      this.#parameterCount = Math.max(this.#parameterCount, number);
      return { kind: 'parameter', index: number - 1, at };
    });
  }

  protected readonly nowWord = this.RULE('nowWord', (): Expression => {
    const at = this.here();
    const word = this.choose(1, 'CURRENT_TIMESTAMP', 'LOCALTIMESTAMP', 'CURRENT_DATE');
    // A precision changes nothing: TIMESTAMP has milliseconds.
    this.OPTION(() => {
      this.CONSUME(T.LeftParen);
      this.OPTION1(() => this.CONSUME(T.NumberLiteral));
      this.CONSUME(T.RightParen);
    });
    return plainCall(word.toLowerCase(), [], at);
  });

  protected readonly interval = this.RULE('interval', (): Expression => {
    const at = positionOf(this.CONSUME(kw('INTERVAL')));
    const text = stringOf(this.CONSUME(T.StringLiteral));
    const unit = this.OPTION({
      GATE: () => intervalUnits.has(this.LA(1).image.toLowerCase()),
      DEF: () => this.CONSUME(T.Identifier).image.toLowerCase(),
    });
    return { kind: 'interval', text, unit: unit ?? null, at };
  });

  /** Functions whose arguments are divided by words. */
  protected readonly wordyCall = this.RULE(
    'wordyCall',
    (): Expression =>
      this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.extract) },
        { ALT: () => this.SUBRULE(this.positionCall) },
        { ALT: () => this.SUBRULE(this.substring) },
        { ALT: () => this.SUBRULE(this.trim) },
      ]),
  );

  private readonly extract = this.RULE('extract', (): Expression => {
    const at = positionOf(this.CONSUME(kw('EXTRACT')));
    this.CONSUME(T.LeftParen);
    const fieldAt = this.here();
    const field = this.OR<string>([
      { ALT: () => nameOf(this.CONSUME(T.Identifier)) },
      { ALT: () => stringOf(this.CONSUME(T.StringLiteral)) },
    ]);
    this.CONSUME(kw('FROM'));
    const source = this.SUBRULE(this.expression);
    this.CONSUME(T.RightParen);
    return plainCall('extract', [{ kind: 'string', value: field, at: fieldAt }, source], at);
  });

  private readonly positionCall = this.RULE('positionCall', (): Expression => {
    const at = positionOf(this.CONSUME(kw('POSITION')));
    this.CONSUME(T.LeftParen);
    const sought = this.SUBRULE(this.expression, { ARGS: [precedence.range + 1] });
    this.CONSUME(kw('IN'));
    const text = this.SUBRULE1(this.expression);
    this.CONSUME(T.RightParen);
    return plainCall('position', [sought, text], at);
  });

  private readonly substring = this.RULE('substring', (): Expression => {
    const at = positionOf(this.CONSUME(kw('SUBSTRING')));
    this.CONSUME(T.LeftParen);
    const args = [this.SUBRULE(this.expression)];
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(T.Comma) }, { ALT: () => this.choose(1, 'FROM', 'FOR') }]);
      args.push(this.SUBRULE1(this.expression));
    });
    this.CONSUME(T.RightParen);
    return plainCall('substring', args, at);
  });

  /** TRIM([BOTH | LEADING | TRAILING] [characters] [FROM] text), TRIM(text). */
  private readonly trim = this.RULE('trim', (): Expression => {
    const at = positionOf(this.CONSUME(kw('TRIM')));
    this.CONSUME(T.LeftParen);
    const side = this.OPTION(() => this.choose(1, 'BOTH', 'LEADING', 'TRAILING')) ?? 'BOTH';
    const first = this.OPTION1(() => this.SUBRULE(this.expression));
    const text = this.OPTION2(() => {
      this.CONSUME(kw('FROM'));
      return this.SUBRULE1(this.expression);
    });
    const end = this.CONSUME(T.RightParen);
    return this.ACTION(() => {
      const args = [text, first].filter(arg => arg !== undefined);
      if (args.length > 0) return plainCall(trimFunctions[side], args, at);
      throw fault('SYNTAX_ERROR', 'syntax error at or near ")"', {
        position: positionOf(end),
        hint: 'expected the text to trim',
      });
    });
  });

  /** `column`, `table.column`, `function(…)`, `DATE '…'`. */
  protected readonly nameOrCall = this.RULE('nameOrCall', (): Expression => {
    const first = this.CONSUME(T.Identifier);
    const at = positionOf(first);
    return this.OR<Expression>([
      { ALT: () => this.SUBRULE(this.callTail, { ARGS: [nameOf(first), at] }) },
      {
        ALT: () => {
          const text = this.CONSUME(T.StringLiteral);
          const source: Expression = { kind: 'string', value: stringOf(text), at: positionOf(text) };
          const type = { name: nameOf(first).toLowerCase(), args: [], isArray: false, at };
          return { kind: 'cast', source, type, at };
        },
      },
      {
        ALT: () => {
          const parts = [nameOf(first)];
          this.MANY(() => {
            this.CONSUME(T.Dot);
            parts.push(nameOf(this.CONSUME(T.Word)));
          });
          return { kind: 'name', parts, at };
        },
      },
    ]);
  });

  protected readonly callTail = this.RULE('callTail', (name: string, at: Position): Expression => {
    this.CONSUME(T.LeftParen);
    const args: Expression[] = [];
    const quantifier = this.OR([
      { ALT: () => this.CONSUME(T.Star).image },
      {
        ALT: () => {
          const word = this.OPTION(() => this.choose(1, 'DISTINCT', 'ALL'));
          this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
          return word ?? 'ALL';
        },
      },
    ]);
    this.CONSUME(T.RightParen);
    const filter = this.OPTION1({
      GATE: () => this.LA(2).tokenType === T.LeftParen,
      DEF: () => {
        this.CONSUME(kw('FILTER'));
        this.CONSUME1(T.LeftParen);
        this.CONSUME(kw('WHERE'));
        const condition = this.SUBRULE1(this.expression);
        this.CONSUME1(T.RightParen);
        return condition;
      },
    });
    const isStar = quantifier === '*';
    return { kind: 'call', name, args, isStar, isDistinct: quantifier === 'DISTINCT', filter: filter ?? null, at };
  });
}

export const plainCall = (name: string, args: readonly Expression[], at: Position): Expression => ({
  ...{ kind: 'call', name, args, at },
  ...{ isStar: false, isDistinct: false, filter: null },
});

const parameterFault = (message: string, position: Position): FaultError =>
  fault('INVALID_PARAMETER', message, { position });
