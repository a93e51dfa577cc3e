/** Queries: SELECT and VALUES, and what surrounds either. */
import type { Alias, Expression, FieldSyntax, FromItem, OrderItem, Query, Select, SelectItem, Values } from '../ast.ts';
import * as T from '../token.ts';
import { nameOf } from '../unquote.ts';
import { kw, positionOf } from './base.ts';
import { ExpressionGrammar } from './expressions.ts';

export abstract class QueryGrammar extends ExpressionGrammar {
  readonly query = this.RULE('query', (): Query => {
    this.descend();
    const body = this.OR<Select | Values>([
      { ALT: () => this.SUBRULE(this.select) },
      { ALT: () => this.SUBRULE(this.values) },
    ]);
    const orderBy = this.OPTION(() => this.SUBRULE(this.orderBy)) ?? [];
    // LIMIT and OFFSET come in either order, each once.
    const first = this.OPTION1(() => this.SUBRULE(this.limit));
    const offset = this.OPTION2(() => this.SUBRULE(this.offset));
    const limit = this.OPTION3({ GATE: () => first === undefined, DEF: () => this.SUBRULE1(this.limit) }) ?? first;
    this.ascend();
    return { body, orderBy, limit: limit ?? null, offset: offset ?? null };
  });

  private readonly orderBy = this.RULE('orderBy', (): OrderItem[] => {
    const items: OrderItem[] = [];
    this.words('ORDER', 'BY');
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.orderItem)) });
    return items;
  });

  private readonly orderItem = this.RULE('orderItem', (): OrderItem => {
    const expression = this.SUBRULE(this.expression);
    const direction = this.OPTION(() => this.choose(1, 'ASC', 'DESC'));
    const nulls = this.OPTION1(() => {
      this.CONSUME(kw('NULLS'));
      return this.choose(2, 'FIRST', 'LAST');
    });
    return {
      expression,
      isDescending: direction === 'DESC',
      nullsFirst: nulls === undefined ? null : nulls === 'FIRST',
    };
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
          this.choose(2, 'FIRST', 'NEXT');
          const at = this.here();
          const count = this.OPTION({
            GATE: () => !this.isNext('ROW') && !this.isNext('ROWS'),
            DEF: () => this.SUBRULE(this.primary),
          });
          this.choose(3, 'ROW', 'ROWS');
          this.CONSUME(kw('ONLY'));
          return count ?? { kind: 'number', text: '1', at };
        },
      },
    ]),
  );

  private readonly offset = this.RULE('offset', (): Expression => {
    this.CONSUME(kw('OFFSET'));
    const count = this.SUBRULE(this.expression);
    this.OPTION(() => this.choose(1, 'ROW', 'ROWS'));
    return count;
  });

  private readonly values = this.RULE('values', (): Values => {
    const at = positionOf(this.CONSUME(kw('VALUES')));
    const rows: Expression[][] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => rows.push(this.SUBRULE(this.expressionList)) });
    return { kind: 'values', rows, at };
  });

  private readonly select = this.RULE('select', (): Select => {
    const at = positionOf(this.CONSUME(kw('SELECT')));
    const quantifier = this.OPTION(() => this.choose(1, 'DISTINCT', 'ALL'));
    const items: SelectItem[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.selectItem)) });
    const from: FromItem[] = [];
    this.OPTION1(() => {
      this.CONSUME(kw('FROM'));
      this.AT_LEAST_ONE_SEP1({ SEP: T.Comma, DEF: () => from.push(this.SUBRULE(this.fromItem)) });
    });
    const where = this.OPTION2(() => {
      this.CONSUME(kw('WHERE'));
      return this.SUBRULE(this.expression);
    });
    const groupBy: Expression[] = [];
    this.OPTION3(() => {
      this.words('GROUP', 'BY');
      this.AT_LEAST_ONE_SEP2({ SEP: T.Comma, DEF: () => groupBy.push(this.SUBRULE1(this.expression)) });
    });
    const having = this.OPTION4(() => {
      this.CONSUME(kw('HAVING'));
      return this.SUBRULE2(this.expression);
    });
    const isDistinct = quantifier === 'DISTINCT';
    return { kind: 'select', isDistinct, items, from, where: where ?? null, groupBy, having: having ?? null, at };
  });

  private readonly selectItem = this.RULE(
    'selectItem',
    (): SelectItem =>
      this.OR<SelectItem>([
        { ALT: () => ({ kind: 'star', table: null, at: positionOf(this.CONSUME(T.Star)) }) },
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
    const at = this.here();
    return this.OR<FromItem>([
      {
        ALT: () => {
          this.CONSUME(T.LeftParen);
          const query = this.SUBRULE(this.query);
          this.CONSUME(T.RightParen);
          return { kind: 'subquery', query, alias: this.OPTION(() => this.SUBRULE(this.tableAlias)) ?? null, at };
        },
      },
      {
        GATE: () => this.LA(2).tokenType === T.LeftParen,
        ALT: () => {
          this.CONSUME(kw('UNNEST'));
          this.CONSUME1(T.LeftParen);
          const argument = this.SUBRULE(this.expression);
          this.CONSUME1(T.RightParen);
          return { kind: 'unnest', argument, alias: this.OPTION2(() => this.SUBRULE2(this.tableAlias)) ?? null, at };
        },
        IGNORE_AMBIGUITIES: true,
      },
      {
        ALT: () => {
          const name = this.SUBRULE(this.tableName);
          const fields = this.OPTION3(() => this.SUBRULE(this.fieldList)) ?? null;
          return { kind: 'table', name, fields, alias: this.OPTION1(() => this.SUBRULE1(this.tableAlias)) ?? null, at };
        },
      },
    ]);
  });

  private readonly fieldList = this.RULE('fieldList', (): FieldSyntax[] => {
    const fields: FieldSyntax[] = [];
    this.CONSUME(T.LeftParen);
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const name = this.SUBRULE(this.name);
        fields.push({ name, type: this.SUBRULE(this.type) });
      },
    });
    this.CONSUME(T.RightParen);
    return fields;
  });

  private readonly tableAlias = this.RULE('tableAlias', (): Alias => {
    const name = this.SUBRULE(this.alias);
    return { name, columns: this.OPTION(() => this.SUBRULE(this.nameList)) ?? [] };
  });
}
