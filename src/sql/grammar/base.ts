/** What all parts of the grammar share: names, types, nesting, and the wording of what was expected. */
import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import { fault, type Position } from '../../base/fault.ts';
import { joinWords } from '../../base/suggest.ts';
import type { Name, TableName, TypeSyntax } from '../ast.ts';
import { nestingDepthMax } from '../limits.ts';
import * as T from '../token.ts';
import { nameOf } from '../unquote.ts';

export const kw = T.keyword;

export const positionOf = (token: IToken): Position => ({
  line: token.startLine!,
  column: token.startColumn!,
  offset: token.startOffset,
});

/** What the parser would have taken, as the text of Chevrotain's own error; `parse.ts` makes the fault. */
const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) => firstLabels(expectedPathsPerAlt.flat()),
  buildEarlyExitMessage: ({ expectedIterationPaths }) => firstLabels(expectedIterationPaths),
};

/** A longer list of what might stand there helps nobody. */
const expectedLabelsMax = 5;

const labelOf = (type: TokenType): string => type.LABEL ?? type.name;
function firstLabels(paths: readonly (readonly TokenType[])[]): string {
  const labels = [...new Set(paths.map(path => labelOf(path[0]!)))];
  return labels.length <= expectedLabelsMax ? joinWords(labels) : '';
}

/**
 * Rules are fields, so that Chevrotain finds them; actions must bear being run once over empty tokens, while it records
 * the grammar. Numbers after CONSUME, OR … tell apart the several uses within one rule.
 */
export abstract class GrammarBase extends EmbeddedActionsParser {
  /** Of the statement that is parsed, for parts that are kept as they are written. */
  text = '';
  #depth = 0;

  /** @param isChecked Looks for ambiguities while building: half of its time, and a matter for tests. */
  constructor(isChecked: boolean) {
    super(T.tokens, {
      maxLookahead: 1,
      recoveryEnabled: false,
      skipValidations: !isChecked,
      errorMessageProvider: expectations,
    });
  }

  override reset(): void {
    super.reset();
    this.#depth = 0;
  }

  /** Goes one level down; every rule that can hold itself does so, and comes up again with `ascend`. */
  protected descend(): void {
    this.ACTION(() => {
      if (++this.#depth <= nestingDepthMax) return;
      throw fault('LIMIT_EXCEEDED', `the statement nests deeper than ${nestingDepthMax} levels`, {
        position: positionOf(this.LA(1)),
        hint: 'use fewer parentheses inside one another',
        details: { limit: nestingDepthMax },
      });
    });
  }

  protected ascend(): void {
    this.ACTION(() => this.#depth--);
  }

  /** Where the next token stands. */
  protected here(): Position {
    return positionOf(this.LA(1));
  }

  /** Where the last token ends. */
  protected lastEnd(): number {
    const token = this.LA(0);
    return token.startOffset + token.image.length;
  }

  protected isNext(word: string, ahead = 1): boolean {
    return this.LA(ahead).tokenType === kw(word);
  }

  /** Consumes these keywords, one after the other. */
  protected words(...names: readonly string[]): void {
    for (const name of names) this.CONSUME(kw(name));
  }

  /** Consumes one of these keywords and says which. */
  protected choose<W extends string>(index: number, ...names: readonly W[]): W {
    const alternatives = names.map(name => ({ ALT: () => this.consume(index, kw(name)) }));
    const token: Partial<IToken> = this.or(index, alternatives);
    // While the grammar is recorded there is no token.
    return (token.tokenType?.name ?? names[0]) as W;
  }

  protected readonly name = this.RULE('name', (): Name => {
    const token = this.CONSUME(T.Identifier);
    return { text: nameOf(token), at: positionOf(token) };
  });

  protected readonly nameList = this.RULE('nameList', (): Name[] => {
    const names: Name[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => names.push(this.SUBRULE(this.name)) });
    this.CONSUME(T.RightParen);
    return names;
  });

  protected readonly tableName = this.RULE('tableName', (): TableName => {
    const first = this.SUBRULE(this.name);
    const second = this.OPTION(() => {
      this.CONSUME(T.Dot);
      return nameOf(this.CONSUME(T.Word));
    });
    return second === undefined ? { ...first, schema: null } : { schema: first.text, text: second, at: first.at };
  });

  protected readonly type = this.RULE('type', (): TypeSyntax => {
    const first = this.CONSUME(T.Identifier);
    const words = [nameOf(first).toLowerCase()];
    this.OPTION(() => words.push(this.choose(0, 'PRECISION', 'VARYING').toLowerCase()));
    const args: number[] = [];
    this.OPTION1(() => {
      this.CONSUME(T.LeftParen);
      this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => args.push(Number(this.CONSUME(T.NumberLiteral).image)) });
      this.CONSUME(T.RightParen);
    });
    this.OPTION2({
      GATE: () => this.isNext('TIME', 2),
      DEF: () => {
        words.push(this.choose(1, 'WITH', 'WITHOUT').toLowerCase(), 'time', 'zone');
        this.words('TIME', 'ZONE');
      },
    });
    let isArray = false;
    this.MANY(() => {
      this.CONSUME(T.LeftBracket);
      this.CONSUME(T.RightBracket);
      isArray = true;
    });
    return { name: words.join(' '), args, isArray, at: positionOf(first) };
  });
}
