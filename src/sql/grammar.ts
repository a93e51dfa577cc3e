/**
 * The grammar. Embedded actions build the AST directly; `parse.ts` owns lexing, errors and limits.
 *
 * Expressions are parsed by precedence climbing: `expression(floor)` reads operators that bind at least as tightly as `floor`.
 * A new operator is a row of `precedences` and, if its operands are not plain, an alternative of `expression`.
 */
import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, type TokenType } from 'chevrotain';
import type { Position } from '../base/fault.ts';
import { fault } from '../base/fault.ts';
import type {
  Alias,
  BinaryOperator,
  ColumnSyntax,
  Expression,
  FromItem,
  InsertCell,
  Name,
  Option,
  OrderItem,
  Query,
  Select,
  SelectItem,
  StatementBody,
  TableName,
  TypeSyntax,
  Values,
} from './ast.ts';
import { inListLengthMax, nestingDepthMax } from './limits.ts';
import { joinWords } from './suggest.ts';
import * as T from './token.ts';
import { nameOf, stringOf } from './unquote.ts';

const kw = T.keyword;

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
const intervalUnits: ReadonlySet<string> = new Set(['year', 'month', 'week', 'day', 'hour', 'minute', 'second']);

/** What the parser would have taken, as the text of Chevrotain's own error; `parse.ts` makes the fault. */
const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) => firstLabels(expectedPathsPerAlt.flat()),
  buildEarlyExitMessage: ({ expectedIterationPaths }) => firstLabels(expectedIterationPaths),
};
const labelOf = (type: TokenType): string => type.LABEL ?? type.name;
function firstLabels(paths: readonly (readonly TokenType[])[]): string {
  const labels = [...new Set(paths.map(path => labelOf(path[0]!)))];
  return labels.length <= 5 ? joinWords(labels) : '';
}

const positionOf = (token: IToken): Position => ({
  line: token.startLine!,
  column: token.startColumn!,
  offset: token.startOffset,
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Grammar extends EmbeddedActionsParser {
  #depth = 0;
  #nextParameter = 0;
  #hasQuestionMarks = false;

  constructor() {
    super(T.tokens, { maxLookahead: 1, recoveryEnabled: false, errorMessageProvider: expectations });
    this.performSelfAnalysis();
  }

  override reset(): void {
    super.reset();
    this.#depth = 0;
    this.#nextParameter = 0;
    this.#hasQuestionMarks = false;
  }

  /** Values that the statement just parsed needs. */
  get parameterCount(): number {
    return this.#nextParameter;
  }

  // ── statements ────────────────────────────────────────────────────────────────────────────────────────────

  readonly statement = this.RULE(
    'statement',
    (): StatementBody =>
      this.OR<StatementBody>([
        { ALT: () => ({ kind: 'query', query: this.SUBRULE(this.query) }) },
        { ALT: () => this.SUBRULE(this.explain) },
        { ALT: () => this.SUBRULE(this.insert) },
        { ALT: () => this.SUBRULE(this.createTable) },
        { ALT: () => this.SUBRULE(this.dropTable) },
        {
          ALT: () => {
            this.CONSUME(kw('SHOW'));
            this.CONSUME(kw('TABLES'));
            return { kind: 'showTables' };
          },
        },
        {
          ALT: () => {
            this.OR1([{ ALT: () => this.CONSUME(kw('DESCRIBE')) }, { ALT: () => this.CONSUME(kw('DESC')) }]);
            this.OPTION(() => this.CONSUME(kw('TABLE')));
            return { kind: 'describe', name: this.SUBRULE(this.tableName) };
          },
        },
      ]),
  );

  private readonly explain = this.RULE('explain', (): StatementBody => {
    this.CONSUME(kw('EXPLAIN'));
    this.OPTION(() => {
      this.CONSUME(kw('PLAN'));
      this.CONSUME(kw('FOR'));
    });
    return { kind: 'explain', query: this.SUBRULE(this.query) };
  });

  private readonly insert = this.RULE('insert', (): StatementBody => {
    this.CONSUME(kw('INSERT'));
    this.CONSUME(kw('INTO'));
    const name = this.SUBRULE(this.tableName);
    const columns = this.OPTION(() => this.SUBRULE(this.nameList)) ?? null;
    this.CONSUME(kw('VALUES'));
    const rows: { cells: InsertCell[]; at: Position }[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => rows.push(this.SUBRULE(this.insertRow)) });
    return { kind: 'insert', name, columns, rows };
  });

  private readonly insertRow = this.RULE('insertRow', (): { cells: InsertCell[]; at: Position } => {
    const at = positionOf(this.CONSUME(T.LeftParen));
    const cells: InsertCell[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () =>
        this.OR([
          {
            ALT: () => {
              this.CONSUME(kw('DEFAULT'));
              cells.push(null);
            },
          },
          { ALT: () => cells.push(this.SUBRULE(this.expression)) },
        ]),
    });
    this.CONSUME(T.RightParen);
    return { cells, at };
  });

  private readonly createTable = this.RULE('createTable', (): StatementBody => {
    this.CONSUME(kw('CREATE'));
    this.CONSUME(kw('TABLE'));
    let ifNotExists = false;
    this.OPTION({
      GATE: () => this.LA(2).tokenType === kw('NOT'),
      DEF: () => {
        this.CONSUME(kw('IF'));
        this.CONSUME(kw('NOT'));
        this.CONSUME(kw('EXISTS'));
        ifNotExists = true;
      },
    });
    const name = this.SUBRULE(this.tableName);
    const columns: ColumnSyntax[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => columns.push(this.SUBRULE(this.columnSyntax)) });
    this.CONSUME(T.RightParen);
    const source =
      this.OPTION1(() => {
        this.CONSUME(kw('FROM'));
        const sourceName = this.SUBRULE(this.name);
        const sourceOptions = this.OPTION2(() => this.SUBRULE(this.optionList)) ?? [];
        return { name: sourceName, options: sourceOptions };
      }) ?? null;
    const options =
      this.OPTION3(() => {
        this.CONSUME(kw('WITH'));
        return this.SUBRULE1(this.optionList);
      }) ?? [];
    return { kind: 'createTable', name, ifNotExists, columns, source, options };
  });

  private readonly columnSyntax = this.RULE('columnSyntax', (): ColumnSyntax => {
    const name = this.SUBRULE(this.name);
    const type = this.SUBRULE(this.type);
    let isNullable = true;
    let defaultValue: Expression | null = null;
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(kw('NOT'));
            this.CONSUME(kw('NULL'));
            isNullable = false;
          },
        },
        { ALT: () => this.CONSUME1(kw('NULL')) },
        {
          ALT: () => {
            this.CONSUME(kw('DEFAULT'));
            defaultValue = this.SUBRULE(this.expression);
          },
        },
      ]),
    );
    return { name, type, isNullable, defaultValue };
  });

  private readonly optionList = this.RULE('optionList', (): Option[] => {
    const options: Option[] = [];
    this.CONSUME(T.LeftParen);
    this.MANY_SEP({ SEP: T.Comma, DEF: () => options.push(this.SUBRULE(this.optionItem)) });
    this.CONSUME(T.RightParen);
    return options;
  });

  private readonly optionItem = this.RULE('optionItem', (): Option => {
    const word = this.CONSUME(T.Word);
    this.CONSUME(T.Equal);
    const name = this.ACTION(() => ({ text: nameOf(word), at: positionOf(word) }));
    const at = this.ACTION(() => positionOf(this.LA(1)));
    const value = this.OR<string | boolean>([
      { ALT: () => stringOf(this.CONSUME(T.StringLiteral)) },
      { ALT: () => this.CONSUME(T.NumberLiteral).image },
      {
        ALT: () => {
          this.CONSUME(kw('TRUE'));
          return true;
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('FALSE'));
          return false;
        },
      },
      { ALT: () => nameOf(this.CONSUME(T.Identifier)) },
    ]);
    return { name, value, at };
  });

  private readonly dropTable = this.RULE('dropTable', (): StatementBody => {
    this.CONSUME(kw('DROP'));
    this.CONSUME(kw('TABLE'));
    let ifExists = false;
    this.OPTION({
      GATE: () => this.LA(2).tokenType === kw('EXISTS'),
      DEF: () => {
        this.CONSUME(kw('IF'));
        this.CONSUME(kw('EXISTS'));
        ifExists = true;
      },
    });
    return { kind: 'dropTable', name: this.SUBRULE(this.tableName), ifExists };
  });

  // ── queries ───────────────────────────────────────────────────────────────────────────────────────────────

  readonly query = this.RULE('query', (): Query => {
    this.ACTION(() => this.#descend());
    const body = this.OR<Select | Values>([
      { ALT: () => this.SUBRULE(this.select) },
      { ALT: () => this.SUBRULE(this.values) },
    ]);
    const orderBy: OrderItem[] = [];
    this.OPTION(() => {
      this.CONSUME(kw('ORDER'));
      this.CONSUME(kw('BY'));
      this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => orderBy.push(this.SUBRULE(this.orderItem)) });
    });
    const tail: Mutable<Pick<Query, 'limit' | 'offset'>> = { limit: null, offset: null };
    let hasLimit = false;
    let hasOffset = false;
    this.MANY(() =>
      this.OR1([
        {
          GATE: () => !hasLimit,
          ALT: () => {
            hasLimit = true;
            tail.limit = this.SUBRULE(this.limit);
          },
        },
        {
          GATE: () => !hasOffset,
          ALT: () => {
            hasOffset = true;
            this.CONSUME(kw('OFFSET'));
            tail.offset = this.SUBRULE(this.expression);
            this.OPTION1(() => this.SUBRULE(this.rowWord));
          },
        },
      ]),
    );
    this.ACTION(() => this.#depth--);
    return { body, orderBy, ...tail };
  });

  /** LIMIT n, LIMIT ALL, FETCH FIRST n ROWS ONLY; null: all. */
  private readonly limit = this.RULE('limit', (): Expression | null =>
    this.OR<Expression | null>([
      {
        ALT: () => {
          this.CONSUME(kw('LIMIT'));
          return this.OR1<Expression | null>([
            {
              ALT: () => {
                this.CONSUME(kw('ALL'));
                return null;
              },
            },
            { ALT: () => this.SUBRULE(this.expression) },
          ]);
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('FETCH'));
          this.OR2([{ ALT: () => this.CONSUME(kw('FIRST')) }, { ALT: () => this.CONSUME(kw('NEXT')) }]);
          const at = this.ACTION(() => positionOf(this.LA(1)));
          const count = this.OPTION({
            GATE: () => this.LA(1).tokenType !== kw('ROW') && this.LA(1).tokenType !== kw('ROWS'),
            DEF: () => this.SUBRULE(this.primary),
          });
          this.SUBRULE(this.rowWord);
          this.CONSUME(kw('ONLY'));
          return count ?? { kind: 'number', text: '1', at };
        },
      },
    ]),
  );

  private readonly rowWord = this.RULE('rowWord', () =>
    this.OR([{ ALT: () => this.CONSUME(kw('ROW')) }, { ALT: () => this.CONSUME(kw('ROWS')) }]),
  );

  private readonly orderItem = this.RULE('orderItem', (): OrderItem => {
    const expression = this.SUBRULE(this.expression);
    let isDescending = false;
    let nullsFirst: boolean | null = null;
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(kw('ASC')) },
        {
          ALT: () => {
            this.CONSUME(kw('DESC'));
            isDescending = true;
          },
        },
      ]);
    });
    this.OPTION1(() => {
      this.CONSUME(kw('NULLS'));
      this.OR1([
        {
          ALT: () => {
            this.CONSUME(kw('FIRST'));
            nullsFirst = true;
          },
        },
        {
          ALT: () => {
            this.CONSUME(kw('LAST'));
            nullsFirst = false;
          },
        },
      ]);
    });
    return { expression, isDescending, nullsFirst };
  });

  private readonly values = this.RULE('values', (): Values => {
    const at = positionOf(this.CONSUME(kw('VALUES')));
    const rows: Expression[][] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => rows.push(this.SUBRULE(this.expressionList)) });
    return { kind: 'values', rows, at };
  });

  private readonly select = this.RULE('select', (): Select => {
    const at = positionOf(this.CONSUME(kw('SELECT')));
    let isDistinct = false;
    this.OPTION(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(kw('DISTINCT'));
            isDistinct = true;
          },
        },
        { ALT: () => this.CONSUME(kw('ALL')) },
      ]),
    );
    const items: SelectItem[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.selectItem)) });
    const from: FromItem[] = [];
    this.OPTION1(() => {
      this.CONSUME(kw('FROM'));
      this.AT_LEAST_ONE_SEP1({ SEP: T.Comma, DEF: () => from.push(this.SUBRULE(this.fromItem)) });
    });
    const where =
      this.OPTION2(() => {
        this.CONSUME(kw('WHERE'));
        return this.SUBRULE(this.expression);
      }) ?? null;
    const groupBy: Expression[] = [];
    this.OPTION3(() => {
      this.CONSUME(kw('GROUP'));
      this.CONSUME(kw('BY'));
      this.AT_LEAST_ONE_SEP2({ SEP: T.Comma, DEF: () => groupBy.push(this.SUBRULE1(this.expression)) });
    });
    const having =
      this.OPTION4(() => {
        this.CONSUME(kw('HAVING'));
        return this.SUBRULE2(this.expression);
      }) ?? null;
    return { kind: 'select', isDistinct, items, from, where, groupBy, having, at };
  });

  private readonly selectItem = this.RULE(
    'selectItem',
    (): SelectItem =>
      this.OR<SelectItem>([
        {
          ALT: () => ({ kind: 'star', table: null, at: positionOf(this.CONSUME(T.Star)) }),
        },
        {
          GATE: () => this.LA(2).tokenType === T.Dot && this.LA(3).tokenType === T.Star,
          ALT: () => {
            const table = this.SUBRULE(this.name);
            this.CONSUME(T.Dot);
            this.CONSUME1(T.Star);
            return { kind: 'star', table: table.text, at: table.at };
          },
          IGNORE_AMBIGUITIES: true,
        },
        {
          ALT: () => {
            const expression = this.SUBRULE(this.expression);
            const alias = this.OPTION(() => this.SUBRULE(this.alias)) ?? null;
            return { kind: 'expression', expression, alias };
          },
        },
      ]),
  );

  /** AS takes any word; without it a keyword must not be reserved. */
  private readonly alias = this.RULE('alias', (): string =>
    this.OR([
      {
        ALT: () => {
          this.CONSUME(kw('AS'));
          return nameOf(this.CONSUME(T.Word));
        },
      },
      { ALT: () => nameOf(this.CONSUME(T.Identifier)) },
    ]),
  );

  private readonly fromItem = this.RULE('fromItem', (): FromItem => {
    const at = this.ACTION(() => positionOf(this.LA(1)));
    return this.OR<FromItem>([
      {
        ALT: () => {
          this.CONSUME(T.LeftParen);
          const query = this.SUBRULE(this.query);
          this.CONSUME(T.RightParen);
          const alias = this.OPTION(() => this.SUBRULE(this.tableAlias)) ?? null;
          return { kind: 'subquery', query, alias, at };
        },
      },
      {
        ALT: () => {
          const name = this.SUBRULE(this.tableName);
          const alias = this.OPTION1(() => this.SUBRULE1(this.tableAlias)) ?? null;
          return { kind: 'table', name, alias, at };
        },
      },
    ]);
  });

  private readonly tableAlias = this.RULE('tableAlias', (): Alias => {
    const name = this.SUBRULE(this.alias);
    const columns = this.OPTION(() => this.SUBRULE(this.nameList)) ?? [];
    return { name, columns };
  });

  // ── names and types ───────────────────────────────────────────────────────────────────────────────────────

  private readonly name = this.RULE('name', (): Name => {
    const token = this.CONSUME(T.Identifier);
    return { text: nameOf(token), at: positionOf(token) };
  });

  private readonly nameList = this.RULE('nameList', (): Name[] => {
    const names: Name[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => names.push(this.SUBRULE(this.name)) });
    this.CONSUME(T.RightParen);
    return names;
  });

  private readonly tableName = this.RULE('tableName', (): TableName => {
    const first = this.SUBRULE(this.name);
    const second = this.OPTION(() => {
      this.CONSUME(T.Dot);
      return nameOf(this.CONSUME(T.Word));
    });
    return second === undefined
      ? { schema: null, text: first.text, at: first.at }
      : { schema: first.text, text: second, at: first.at };
  });

  private readonly type = this.RULE('type', (): TypeSyntax => {
    const first = this.CONSUME(T.Identifier);
    const words = [nameOf(first).toLowerCase()];
    this.OPTION(() => {
      this.OR([{ ALT: () => this.CONSUME(kw('PRECISION')) }, { ALT: () => this.CONSUME(kw('VARYING')) }]);
      this.ACTION(() => words.push(this.LA(0).image.toLowerCase()));
    });
    const args: number[] = [];
    this.OPTION1(() => {
      this.CONSUME(T.LeftParen);
      this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => args.push(Number(this.CONSUME(T.NumberLiteral).image)) });
      this.CONSUME(T.RightParen);
    });
    this.OPTION2({
      GATE: () => this.LA(2).tokenType === kw('TIME'),
      DEF: () => {
        const zone = this.OR1([{ ALT: () => this.CONSUME(kw('WITH')) }, { ALT: () => this.CONSUME(kw('WITHOUT')) }]);
        this.CONSUME(kw('TIME'));
        this.CONSUME(kw('ZONE'));
        this.ACTION(() => words.push(zone.image.toLowerCase(), 'time', 'zone'));
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

  // ── expressions ───────────────────────────────────────────────────────────────────────────────────────────

  private readonly expressionList = this.RULE('expressionList', (): Expression[] => {
    const list: Expression[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => list.push(this.SUBRULE(this.expression)) });
    this.CONSUME(T.RightParen);
    return list;
  });

  readonly expression = this.RULE('expression', (floor: number = 0): Expression => {
    this.ACTION(() => this.#descend());
    let left = this.SUBRULE(this.prefix, { ARGS: [floor] });
    let ceiling: number = precedence.cast;
    this.MANY({
      GATE: () => {
        const level = this.#infixPrecedence();
        return level >= floor && level <= ceiling;
      },
      DEF: () => {
        const level = this.ACTION(() => this.#infixPrecedence());
        const at = this.ACTION(() => positionOf(this.LA(1)));
        const arg = left;
        left = this.OR<Expression>([
          {
            ALT: () => {
              const operator = this.CONSUME(T.BinarySign).image;
              const right = this.SUBRULE(this.expression, { ARGS: [level + 1] });
              return {
                kind: 'binary',
                operator: (operator === '!=' ? '<>' : operator) as BinaryOperator,
                left: arg,
                right,
                at,
              };
            },
          },
          {
            ALT: () => {
              this.CONSUME(kw('AND'));
              return chain('and', arg, this.SUBRULE1(this.expression, { ARGS: [level + 1] }), at);
            },
          },
          {
            ALT: () => {
              this.CONSUME(kw('OR'));
              return chain('or', arg, this.SUBRULE2(this.expression, { ARGS: [level + 1] }), at);
            },
          },
          { ALT: () => this.SUBRULE(this.isTail, { ARGS: [arg, at] }) },
          { ALT: () => this.SUBRULE(this.rangeTail, { ARGS: [arg, at] }) },
          {
            ALT: () => {
              this.CONSUME(T.DoubleColon);
              return { kind: 'cast', source: arg, type: this.SUBRULE(this.type), at };
            },
          },
          {
            ALT: () => {
              this.CONSUME(kw('AT'));
              this.CONSUME(kw('TIME'));
              this.CONSUME(kw('ZONE'));
              const zone = this.SUBRULE3(this.expression, { ARGS: [level + 1] });
              return plainCall('timezone', [zone, arg], at);
            },
          },
        ]);
        ceiling = isChainable(level) ? level : level - 1;
      },
    });
    this.ACTION(() => this.#depth--);
    return left;
  });

  private readonly prefix = this.RULE('prefix', (floor: number): Expression => {
    const at = this.ACTION(() => positionOf(this.LA(1)));
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
          this.CONSUME(kw('NULL'));
          return { kind: 'is', arg, test: 'null', isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('UNKNOWN'));
          return { kind: 'is', arg, test: 'null', isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('TRUE'));
          return { kind: 'is', arg, test: 'true', isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('FALSE'));
          return { kind: 'is', arg, test: 'false', isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('DISTINCT'));
          this.CONSUME(kw('FROM'));
          const right = this.SUBRULE(this.expression, { ARGS: [precedence.is + 1] });
          return { kind: 'isDistinct', left: arg, right, isNegated, at };
        },
      },
    ]);
  });

  private readonly rangeTail = this.RULE('rangeTail', (arg: Expression, at: Position): Expression => {
    const isNegated = this.OPTION(() => this.CONSUME(kw('NOT'))) !== undefined;
    return this.OR<Expression>([
      {
        ALT: () => {
          this.CONSUME(kw('IN'));
          const start = this.ACTION(() => this.LA(2));
          const values = this.SUBRULE(this.expressionList);
          this.ACTION(() => limitList(values, start));
          return { kind: 'in', arg, values, isNegated, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('BETWEEN'));
          const low = this.SUBRULE(this.expression, { ARGS: [precedence.range + 1] });
          this.CONSUME(kw('AND'));
          const high = this.SUBRULE1(this.expression, { ARGS: [precedence.range + 1] });
          return { kind: 'between', arg, low, high, isNegated, at };
        },
      },
      {
        ALT: () => {
          const word = this.OR1([{ ALT: () => this.CONSUME(kw('LIKE')) }, { ALT: () => this.CONSUME(kw('ILIKE')) }]);
          const pattern = this.SUBRULE2(this.expression, { ARGS: [precedence.range + 1] });
          const escape =
            this.OPTION1(() => {
              this.CONSUME(kw('ESCAPE'));
              return this.SUBRULE3(this.expression, { ARGS: [precedence.range + 1] });
            }) ?? null;
          return {
            kind: 'like',
            arg,
            pattern,
            escape,
            isCaseInsensitive: word.tokenType === kw('ILIKE'),
            isNegated,
            at,
          };
        },
      },
    ]);
  });

  private readonly primary = this.RULE('primary', (): Expression => {
    const at = this.ACTION(() => positionOf(this.LA(1)));
    const isCallOf = (word: string): boolean =>
      this.LA(1).tokenType === kw(word) && this.LA(2).tokenType === T.LeftParen;
    const isFunctionWord = (): boolean =>
      isCallOf('EXTRACT') || isCallOf('POSITION') || isCallOf('SUBSTRING') || isCallOf('TRIM');
    const isInterval = (): boolean => this.LA(1).tokenType === kw('INTERVAL') && isString(this.LA(2));
    return this.OR<Expression>([
      { ALT: () => ({ kind: 'number', text: this.CONSUME(T.NumberLiteral).image, at }) },
      { ALT: () => ({ kind: 'string', value: stringOf(this.CONSUME(T.StringLiteral)), at }) },
      {
        ALT: () => {
          this.CONSUME(kw('NULL'));
          return { kind: 'null', at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('TRUE'));
          return { kind: 'boolean', value: true, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('FALSE'));
          return { kind: 'boolean', value: false, at };
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
      {
        ALT: () => {
          this.CONSUME1(T.LeftParen);
          const inner = this.OR1<Expression>([
            {
              GATE: () => this.#isQueryAhead(),
              ALT: () => ({ kind: 'subquery', query: this.SUBRULE(this.query), at }),
              IGNORE_AMBIGUITIES: true,
            },
            { ALT: () => this.SUBRULE1(this.expression) },
          ]);
          this.CONSUME1(T.RightParen);
          return inner;
        },
      },
      {
        // LEFT and RIGHT are joins' words and also functions.
        GATE: () => this.LA(2).tokenType === T.LeftParen,
        ALT: () => {
          const word = this.OR2([{ ALT: () => this.CONSUME(kw('LEFT')) }, { ALT: () => this.CONSUME(kw('RIGHT')) }]);
          return this.SUBRULE(this.callTail, { ARGS: [word.image, at] });
        },
      },
      { GATE: isInterval, ALT: () => this.SUBRULE(this.interval), IGNORE_AMBIGUITIES: true },
      { GATE: isFunctionWord, ALT: () => this.SUBRULE(this.wordyCall), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.SUBRULE(this.nameOrCall) },
    ]);
  });

  private readonly parameter = this.RULE(
    'parameter',
    (): Expression =>
      this.OR<Expression>([
        {
          ALT: () => {
            const token = this.CONSUME(T.QuestionMark);
            return this.ACTION(() => {
              const isMixed = this.#nextParameter > 0 && !this.#hasQuestionMarks;
              if (isMixed) throw mixedParameters(token);
              this.#hasQuestionMarks = true;
              return { kind: 'parameter', index: this.#nextParameter++, at: positionOf(token) };
            });
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(T.DollarNumber);
            return this.ACTION(() => {
              if (this.#hasQuestionMarks) throw mixedParameters(token);
              const number = Number(token.image.slice(1));
              if (number < 1 || number > inListLengthMax)
                throw fault('INVALID_PARAMETER', `there is no parameter ${token.image}`, {
                  position: positionOf(token),
                  hint: 'parameters are numbered from $1',
                });
              this.#nextParameter = Math.max(this.#nextParameter, number);
              return { kind: 'parameter', index: number - 1, at: positionOf(token) };
            });
          },
        },
      ]),
  );

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
    const otherwise =
      this.OPTION1(() => {
        this.CONSUME(kw('ELSE'));
        return this.SUBRULE3(this.expression);
      }) ?? null;
    this.CONSUME(kw('END'));
    return { kind: 'case', subject, branches, otherwise, at };
  });

  private readonly nowWord = this.RULE('nowWord', (): Expression => {
    const token = this.OR([
      { ALT: () => this.CONSUME(kw('CURRENT_TIMESTAMP')) },
      { ALT: () => this.CONSUME(kw('LOCALTIMESTAMP')) },
      { ALT: () => this.CONSUME(kw('CURRENT_DATE')) },
    ]);
    // A precision changes nothing: TIMESTAMP has milliseconds.
    this.OPTION(() => {
      this.CONSUME(T.LeftParen);
      this.OPTION1(() => this.CONSUME(T.NumberLiteral));
      this.CONSUME(T.RightParen);
    });
    return this.ACTION(() => plainCall(token.image.toLowerCase(), [], positionOf(token)));
  });

  private readonly interval = this.RULE('interval', (): Expression => {
    const at = positionOf(this.CONSUME(kw('INTERVAL')));
    const text = stringOf(this.CONSUME(T.StringLiteral));
    const unit = this.OPTION({
      GATE: () => intervalUnits.has(this.LA(1).image.toLowerCase()),
      DEF: () => this.CONSUME(T.Identifier).image.toLowerCase(),
    });
    return { kind: 'interval', text, unit: unit ?? null, at };
  });

  /** Functions whose arguments are divided by words. */
  private readonly wordyCall = this.RULE('wordyCall', (): Expression => {
    const at = this.ACTION(() => positionOf(this.LA(1)));
    return this.OR<Expression>([
      {
        ALT: () => {
          this.CONSUME(kw('EXTRACT'));
          this.CONSUME(T.LeftParen);
          const token = this.LA(1);
          const field = this.OR1<string>([
            { ALT: () => nameOf(this.CONSUME(T.Identifier)) },
            { ALT: () => stringOf(this.CONSUME(T.StringLiteral)) },
          ]);
          this.CONSUME(kw('FROM'));
          const source = this.SUBRULE(this.expression);
          this.CONSUME(T.RightParen);
          return plainCall('extract', [{ kind: 'string', value: field, at: positionOf(token) }, source], at);
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('POSITION'));
          this.CONSUME1(T.LeftParen);
          const sought = this.SUBRULE1(this.expression, { ARGS: [precedence.range + 1] });
          this.CONSUME(kw('IN'));
          const text = this.SUBRULE2(this.expression);
          this.CONSUME1(T.RightParen);
          return plainCall('position', [sought, text], at);
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('SUBSTRING'));
          this.CONSUME2(T.LeftParen);
          const args = [this.SUBRULE3(this.expression)];
          this.MANY(() => {
            this.OR2([
              { ALT: () => this.CONSUME(T.Comma) },
              { ALT: () => this.CONSUME1(kw('FROM')) },
              { ALT: () => this.CONSUME(kw('FOR')) },
            ]);
            args.push(this.SUBRULE4(this.expression));
          });
          this.CONSUME2(T.RightParen);
          return plainCall('substring', args, at);
        },
      },
      { ALT: () => this.SUBRULE(this.trim) },
    ]);
  });

  /** TRIM([BOTH | LEADING | TRAILING] [characters] [FROM] text), TRIM(text). */
  private readonly trim = this.RULE('trim', (): Expression => {
    const at = positionOf(this.CONSUME(kw('TRIM')));
    this.CONSUME(T.LeftParen);
    let name = 'btrim';
    this.OPTION(() =>
      this.OR([
        { ALT: () => this.CONSUME(kw('BOTH')) },
        {
          ALT: () => {
            this.CONSUME(kw('LEADING'));
            name = 'ltrim';
          },
        },
        {
          ALT: () => {
            this.CONSUME(kw('TRAILING'));
            name = 'rtrim';
          },
        },
      ]),
    );
    const first = this.OPTION1(() => this.SUBRULE(this.expression));
    const text = this.OPTION2(() => {
      this.CONSUME(kw('FROM'));
      return this.SUBRULE1(this.expression);
    });
    const close = this.CONSUME(T.RightParen);
    return this.ACTION(() => {
      const args = [text, first].filter(arg => arg !== undefined);
      if (args.length === 0)
        throw fault('SYNTAX_ERROR', 'syntax error at or near ")"', {
          position: positionOf(close),
          hint: 'expected the text to trim',
        });
      return plainCall(name, args, at);
    });
  });

  /** `column`, `table.column`, `function(…)`, `DATE '…'`. */
  private readonly nameOrCall = this.RULE('nameOrCall', (): Expression => {
    const first = this.CONSUME(T.Identifier);
    const at = positionOf(first);
    return this.OR<Expression>([
      {
        ALT: () => this.SUBRULE(this.callTail, { ARGS: [nameOf(first), at] }),
      },
      {
        ALT: () => {
          const literal = this.CONSUME(T.StringLiteral);
          return this.ACTION(() => ({
            kind: 'cast',
            source: { kind: 'string', value: stringOf(literal), at: positionOf(literal) },
            type: { name: nameOf(first).toLowerCase(), args: [], isArray: false, at },
            at,
          }));
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

  private readonly callTail = this.RULE('callTail', (name: string, at: Position): Expression => {
    this.CONSUME(T.LeftParen);
    let isStar = false;
    let isDistinct = false;
    const args: Expression[] = [];
    this.OR([
      {
        ALT: () => {
          this.CONSUME(T.Star);
          isStar = true;
        },
      },
      {
        ALT: () => {
          this.OPTION(() =>
            this.OR1([
              {
                ALT: () => {
                  this.CONSUME(kw('DISTINCT'));
                  isDistinct = true;
                },
              },
              { ALT: () => this.CONSUME(kw('ALL')) },
            ]),
          );
          this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
        },
      },
    ]);
    this.CONSUME(T.RightParen);
    const filter =
      this.OPTION1({
        GATE: () => this.LA(2).tokenType === T.LeftParen,
        DEF: () => {
          this.CONSUME(kw('FILTER'));
          this.CONSUME1(T.LeftParen);
          this.CONSUME(kw('WHERE'));
          const condition = this.SUBRULE1(this.expression);
          this.CONSUME1(T.RightParen);
          return condition;
        },
      }) ?? null;
    return { kind: 'call', name, args, isStar, isDistinct, filter, at };
  });

  /** Precedence of the operator that comes next, or -1 where none does. */
  #infixPrecedence(): number {
    const token = this.LA(1);
    if (token.tokenType === kw('NOT')) return rangeWords.includes(this.LA(2).tokenType) ? precedence.range : -1;
    return precedences.get(token.tokenType) ?? signPrecedences[token.image] ?? -1;
  }

  #isQueryAhead(): boolean {
    const type = this.LA(1).tokenType;
    return type === kw('SELECT') || (type === kw('VALUES') && this.LA(2).tokenType === T.LeftParen);
  }

  #descend(): void {
    if (++this.#depth <= nestingDepthMax) return;
    throw fault('LIMIT_EXCEEDED', `the statement nests deeper than ${nestingDepthMax} levels`, {
      position: positionOf(this.LA(1)),
      hint: 'use fewer parentheses inside one another',
      details: { limit: nestingDepthMax },
    });
  }
}

const isString = (token: IToken): boolean => token.tokenType === T.StringLiteral || token.tokenType === T.EscapeString;

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

const plainCall = (name: string, args: readonly Expression[], at: Position): Expression => ({
  kind: 'call',
  name,
  args,
  isStar: false,
  isDistinct: false,
  filter: null,
  at,
});

function limitList(values: readonly Expression[], start: IToken): void {
  if (values.length > inListLengthMax)
    throw fault('LIMIT_EXCEEDED', `an IN list of ${values.length} values; at most ${inListLengthMax}`, {
      position: positionOf(start),
      details: { limit: inListLengthMax },
    });
}

const mixedParameters = (token: IToken) =>
  fault('INVALID_PARAMETER', 'a statement uses either ? or $1, not both', { position: positionOf(token) });
