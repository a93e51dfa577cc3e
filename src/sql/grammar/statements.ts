/** Statements: the grammar's top. Embedded actions build the AST; `parse.ts` owns lexing, errors and limits. */
import type { Position } from '../../base/fault.ts';
import type { ColumnSyntax, InsertCell, Option, SeekSyntax, StatementBody } from '../ast.ts';
import * as T from '../token.ts';
import { nameOf, stringOf } from '../unquote.ts';
import { AlterationGrammar } from './alterations.ts';
import { kw, positionOf } from './base.ts';

export class Grammar extends AlterationGrammar {
  constructor(isChecked = false) {
    super(isChecked);
    this.performSelfAnalysis();
  }

  readonly statement = this.RULE(
    'statement',
    (): StatementBody =>
      this.OR<StatementBody>([
        { ALT: () => ({ kind: 'query', query: this.SUBRULE(this.query) }) },
        { ALT: () => this.SUBRULE(this.explain) },
        { ALT: () => this.SUBRULE(this.insert) },
        { ALT: () => this.SUBRULE(this.create) },
        { ALT: () => this.SUBRULE(this.alterTable) },
        { ALT: () => this.SUBRULE(this.drop) },
        { ALT: () => this.SUBRULE(this.show) },
        { ALT: () => this.SUBRULE(this.ingestion) },
        {
          ALT: () => {
            this.choose(1, 'DESCRIBE', 'DESC');
            this.OPTION(() => this.CONSUME(kw('TABLE')));
            return { kind: 'describe', name: this.SUBRULE(this.tableName) };
          },
        },
      ]),
  );

  private readonly show = this.RULE('show', (): StatementBody => {
    this.CONSUME(kw('SHOW'));
    return this.OR<StatementBody>([
      {
        ALT: () => {
          this.CONSUME(kw('TABLES'));
          return { kind: 'showTables' };
        },
      },
      {
        ALT: () => {
          this.words('CREATE', 'TABLE');
          return { kind: 'showCreateTable', name: this.SUBRULE(this.tableName) };
        },
      },
    ]);
  });

  private readonly ingestion = this.RULE('ingestion', (): StatementBody => {
    const word = this.choose(1, 'PAUSE', 'RESUME', 'COMMIT', 'SEEK');
    this.CONSUME(kw('INGESTION'));
    const name = this.SUBRULE(this.tableName);
    const partition = this.OPTION(() => {
      this.CONSUME(kw('PARTITION'));
      const token = this.CONSUME(T.NumberLiteral);
      return { text: token.image, at: positionOf(token) };
    });
    const to = this.OPTION1({ GATE: () => word === 'SEEK', DEF: () => this.SUBRULE(this.seekTarget) });
    const action = ({ PAUSE: 'pause', RESUME: 'resume', COMMIT: 'commit', SEEK: 'seek' } as const)[word];
    return { kind: 'ingestion', action, name, partition: partition ?? null, to: to ?? null };
  });

  private readonly seekTarget = this.RULE('seekTarget', (): SeekSyntax => {
    this.CONSUME(kw('TO'));
    const at = this.here();
    return this.OR<SeekSyntax>([
      {
        ALT: () => {
          this.CONSUME(kw('OFFSET'));
          return { kind: 'offset', text: this.CONSUME(T.NumberLiteral).image, at };
        },
      },
      {
        ALT: () => {
          this.CONSUME(kw('TIMESTAMP'));
          return { kind: 'time', text: stringOf(this.CONSUME(T.StringLiteral)), at };
        },
      },
      {
        ALT: () => {
          const word = this.choose(1, 'BEGINNING', 'END');
          return { kind: word === 'END' ? 'end' : 'beginning', text: '', at };
        },
      },
    ]);
  });

  private readonly explain = this.RULE('explain', (): StatementBody => {
    this.CONSUME(kw('EXPLAIN'));
    this.OPTION(() => this.words('PLAN', 'FOR'));
    return { kind: 'explain', query: this.SUBRULE(this.query) };
  });

  private readonly insert = this.RULE('insert', (): StatementBody => {
    this.words('INSERT', 'INTO');
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

  private readonly create = this.RULE('create', (): StatementBody => {
    this.CONSUME(kw('CREATE'));
    return this.OR<StatementBody>([
      { ALT: () => this.SUBRULE(this.createTable) },
      { ALT: () => this.SUBRULE(this.createIndex) },
    ]);
  });

  private readonly drop = this.RULE('drop', (): StatementBody => {
    this.CONSUME(kw('DROP'));
    return this.OR<StatementBody>([
      { ALT: () => this.SUBRULE(this.dropTable) },
      { ALT: () => this.SUBRULE(this.dropIndex) },
    ]);
  });

  private readonly createTable = this.RULE('createTable', (): StatementBody => {
    this.CONSUME(kw('TABLE'));
    const ifNotExists = this.OPTION({ GATE: () => this.isNext('NOT', 2), DEF: () => this.SUBRULE(this.ifNotExists) });
    const name = this.SUBRULE(this.tableName);
    const columns: ColumnSyntax[] = [];
    this.CONSUME(T.LeftParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => columns.push(this.SUBRULE(this.columnSyntax)) });
    this.CONSUME(T.RightParen);
    const source = this.OPTION1(() => {
      this.CONSUME(kw('FROM'));
      const sourceName = this.SUBRULE(this.name);
      return { name: sourceName, options: this.OPTION2(() => this.SUBRULE(this.optionList)) ?? [] };
    });
    const options = this.OPTION3(() => {
      this.CONSUME(kw('WITH'));
      return this.SUBRULE1(this.optionList);
    });
    const transform = this.OPTION4(() => {
      this.CONSUME(kw('AS'));
      const at = this.here();
      const query = this.SUBRULE(this.query);
      return { query, text: this.ACTION(() => this.text.slice(at.offset, this.lastEnd())), at };
    });
    return {
      ...{ kind: 'createTable', name, columns, transform: transform ?? null },
      ...{ ifNotExists: ifNotExists ?? false, source: source ?? null, options: options ?? [] },
    };
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
    const name = { text: nameOf(word), at: positionOf(word) };
    this.CONSUME(T.Equal);
    const at = this.here();
    const value = this.OR<string | boolean>([
      { ALT: () => stringOf(this.CONSUME(T.StringLiteral)) },
      { ALT: () => this.CONSUME(T.NumberLiteral).image },
      { ALT: () => this.choose(1, 'TRUE', 'FALSE') === 'TRUE' },
      { ALT: () => nameOf(this.CONSUME(T.Identifier)) },
    ]);
    return { name, value, at };
  });

  private readonly dropTable = this.RULE('dropTable', (): StatementBody => {
    this.CONSUME(kw('TABLE'));
    const ifExists = this.OPTION({ GATE: () => this.isNext('EXISTS', 2), DEF: () => this.SUBRULE(this.ifExists) });
    return { kind: 'dropTable', name: this.SUBRULE(this.tableName), ifExists: ifExists ?? false };
  });
}
