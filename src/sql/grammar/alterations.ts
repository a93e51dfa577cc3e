/** What changes tables that are there: ALTER TABLE, CREATE INDEX, DROP INDEX. */
import type { AlterAction, ColumnSyntax, Expression, Name, StatementBody } from '../ast.ts';
import * as T from '../token.ts';
import { kw } from './base.ts';
import { QueryGrammar } from './queries.ts';

export abstract class AlterationGrammar extends QueryGrammar {
  protected readonly ifNotExists = this.RULE('ifNotExists', (): boolean => {
    this.words('IF', 'NOT', 'EXISTS');
    return true;
  });

  protected readonly ifExists = this.RULE('ifExists', (): boolean => {
    this.words('IF', 'EXISTS');
    return true;
  });

  protected readonly columnSyntax = this.RULE('columnSyntax', (): ColumnSyntax => {
    const name = this.SUBRULE(this.name);
    const type = this.SUBRULE(this.type);
    let isNullable = true;
    let defaultValue: Expression | null = null;
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.words('NOT', 'NULL');
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

  protected readonly alterTable = this.RULE('alterTable', (): StatementBody => {
    this.words('ALTER', 'TABLE');
    const name = this.SUBRULE(this.tableName);
    const actions: AlterAction[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => actions.push(this.SUBRULE(this.alterAction)) });
    return { kind: 'alterTable', name, actions };
  });

  private readonly alterAction = this.RULE(
    'alterAction',
    (): AlterAction =>
      this.OR<AlterAction>([
        { ALT: () => this.SUBRULE(this.addColumn) },
        { ALT: () => this.SUBRULE(this.dropColumn) },
        { ALT: () => this.SUBRULE(this.renameColumn) },
        { ALT: () => this.SUBRULE(this.alterColumn) },
      ]),
  );

  private readonly addColumn = this.RULE('addColumn', (): AlterAction => {
    this.CONSUME(kw('ADD'));
    this.OPTION(() => this.CONSUME(kw('COLUMN')));
    const ifNotExists = this.OPTION1({ GATE: () => this.isNext('NOT', 2), DEF: () => this.SUBRULE(this.ifNotExists) });
    return { kind: 'add', column: this.SUBRULE(this.columnSyntax), ifNotExists: ifNotExists ?? false };
  });

  private readonly dropColumn = this.RULE('dropColumn', (): AlterAction => {
    this.CONSUME(kw('DROP'));
    this.OPTION(() => this.CONSUME(kw('COLUMN')));
    const ifExists = this.OPTION1({ GATE: () => this.isNext('EXISTS', 2), DEF: () => this.SUBRULE(this.ifExists) });
    return { kind: 'drop', column: this.SUBRULE(this.name), ifExists: ifExists ?? false };
  });

  private readonly renameColumn = this.RULE('renameColumn', (): AlterAction => {
    this.CONSUME(kw('RENAME'));
    this.OPTION(() => this.CONSUME(kw('COLUMN')));
    const column = this.SUBRULE(this.name);
    this.CONSUME(kw('TO'));
    return { kind: 'rename', column, to: this.SUBRULE1(this.name) };
  });

  private readonly alterColumn = this.RULE('alterColumn', (): AlterAction => {
    this.CONSUME(kw('ALTER'));
    this.OPTION(() => this.CONSUME(kw('COLUMN')));
    const column = this.SUBRULE(this.name);
    return this.OR<AlterAction>([
      {
        ALT: () => {
          this.CONSUME(kw('TYPE'));
          return { kind: 'type', column, type: this.SUBRULE(this.type) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('SET'));
          return this.SUBRULE(this.setOfColumn, { ARGS: [column] });
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('DROP'));
          return this.SUBRULE(this.dropOfColumn, { ARGS: [column] });
        },
      },
    ]);
  });

  private readonly setOfColumn = this.RULE(
    'setOfColumn',
    (column: Name): AlterAction =>
      this.OR<AlterAction>([
        {
          ALT: () => {
            this.words('DATA', 'TYPE');
            return { kind: 'type', column, type: this.SUBRULE(this.type) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(kw('DEFAULT'));
            return { kind: 'default', column, value: this.SUBRULE(this.expression) };
          },
        },
        {
          ALT: () => {
            this.words('NOT', 'NULL');
            return { kind: 'notNull', column, isSet: true };
          },
        },
      ]),
  );

  private readonly dropOfColumn = this.RULE(
    'dropOfColumn',
    (column: Name): AlterAction =>
      this.OR<AlterAction>([
        {
          ALT: () => {
            this.CONSUME(kw('DEFAULT'));
            return { kind: 'default', column, value: null };
          },
        },
        {
          ALT: () => {
            this.words('NOT', 'NULL');
            return { kind: 'notNull', column, isSet: false };
          },
        },
      ]),
  );

  protected readonly createIndex = this.RULE('createIndex', (): StatementBody => {
    this.CONSUME(kw('INDEX'));
    const ifNotExists = this.OPTION({ GATE: () => this.isNext('NOT', 2), DEF: () => this.SUBRULE(this.ifNotExists) });
    const name = this.OPTION1(() => this.SUBRULE(this.name));
    this.CONSUME(kw('ON'));
    const table = this.SUBRULE(this.tableName);
    const kinds: Name[] = [];
    this.OPTION2(() => kinds.push(this.SUBRULE(this.indexKind)));
    const columns = this.SUBRULE(this.nameList);
    this.OPTION3(() => kinds.push(this.SUBRULE1(this.indexKind)));
    return {
      ...{ kind: 'createIndex', table, columns, kinds },
      ...{ name: name ?? null, ifNotExists: ifNotExists ?? false },
    };
  });

  private readonly indexKind = this.RULE('indexKind', (): Name => {
    this.CONSUME(kw('USING'));
    return this.SUBRULE(this.name);
  });

  protected readonly dropIndex = this.RULE('dropIndex', (): StatementBody => {
    this.CONSUME(kw('INDEX'));
    const ifExists = this.OPTION({ GATE: () => this.isNext('EXISTS', 2), DEF: () => this.SUBRULE(this.ifExists) });
    const name = this.SUBRULE(this.name);
    const table = this.OPTION1(() => {
      this.CONSUME(kw('ON'));
      return this.SUBRULE(this.tableName);
    });
    return { kind: 'dropIndex', name, ifExists: ifExists ?? false, table: table ?? null };
  });
}
