/**
 * What the grammar makes of SQL text: plain data, nothing resolved. `at` is where an error about the node points.
 * `Query` holds what surrounds a body (ORDER BY, LIMIT), so that set operations become another body and CTEs a list beside it.
 */
import type { Position } from '../base/fault.ts';

export interface Name {
  readonly text: string;
  readonly at: Position;
}

/** `text`, or `schema.text`. */
export interface TableName extends Name {
  readonly schema: string | null;
}

export interface TypeSyntax {
  /** Lower case, words joined by one space: `double precision`, `timestamp with time zone`. */
  readonly name: string;
  readonly args: readonly number[];
  readonly isArray: boolean;
  readonly at: Position;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '||'
  | '->'
  | '->>'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>=';

export type Expression = { readonly at: Position } & (
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  /** `?` or `$n`; index from 0. */
  | { readonly kind: 'parameter'; readonly index: number }
  /** `column`, `table.column`, `schema.table.column`. */
  | { readonly kind: 'name'; readonly parts: readonly string[] }
  /** `INTERVAL '1 day'`, `INTERVAL '1' DAY`. */
  | { readonly kind: 'interval'; readonly text: string; readonly unit: string | null }
  | { readonly kind: 'negate'; readonly arg: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'and' | 'or'; readonly args: readonly Expression[] }
  | { readonly kind: 'not'; readonly arg: Expression }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      /** `COUNT(*)`. */
      readonly isStar: boolean;
      readonly isDistinct: boolean;
      readonly filter: Expression | null;
    }
  /** CAST, `::`, and `DATE '…'`. */
  | { readonly kind: 'cast'; readonly source: Expression; readonly type: TypeSyntax }
  | {
      readonly kind: 'case';
      readonly subject: Expression | null;
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | null;
    }
  | {
      readonly kind: 'in';
      readonly arg: Expression;
      readonly values: readonly Expression[];
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'between';
      readonly arg: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly arg: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | null;
      readonly isCaseInsensitive: boolean;
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'is';
      readonly arg: Expression;
      readonly test: 'null' | 'true' | 'false';
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'isDistinct';
      readonly left: Expression;
      readonly right: Expression;
      readonly isNegated: boolean;
    }
  | { readonly kind: 'subquery'; readonly query: Query }
);

export type SelectItem =
  | { readonly kind: 'star'; readonly table: string | null; readonly at: Position }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly alias: string | null };

export interface Alias {
  readonly name: string;
  /** `AS t(a, b)`: new names of the first columns. */
  readonly columns: readonly Name[];
}

/** A field that a message is declared to have: `amount DECIMAL(12, 2)`. */
export interface FieldSyntax {
  readonly name: Name;
  readonly type: TypeSyntax;
}

export type FromItem =
  | {
      readonly kind: 'table';
      readonly name: TableName;
      /** `message (field TYPE, …)`, in a transform; null: none is written. */
      readonly fields: readonly FieldSyntax[] | null;
      readonly alias: Alias | null;
      readonly at: Position;
    }
  /** `UNNEST(expression) AS item`: a row for each element of a JSON array, beside the row that holds it. */
  | { readonly kind: 'unnest'; readonly argument: Expression; readonly alias: Alias | null; readonly at: Position }
  | { readonly kind: 'subquery'; readonly query: Query; readonly alias: Alias | null; readonly at: Position };

export interface Select {
  readonly kind: 'select';
  readonly isDistinct: boolean;
  readonly items: readonly SelectItem[];
  /** Empty: one row without columns. */
  readonly from: readonly FromItem[];
  readonly where: Expression | null;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | null;
  readonly at: Position;
}

export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
  readonly at: Position;
}

export interface OrderItem {
  readonly expression: Expression;
  readonly isDescending: boolean;
  /** null: last when ascending, first when descending. */
  readonly nullsFirst: boolean | null;
}

export interface Query {
  readonly body: Select | Values;
  readonly orderBy: readonly OrderItem[];
  /** null: all rows. */
  readonly limit: Expression | null;
  readonly offset: Expression | null;
}

export interface Option {
  readonly name: Name;
  readonly value: string | boolean;
  readonly at: Position;
}

export interface ColumnSyntax {
  readonly name: Name;
  readonly type: TypeSyntax;
  readonly isNullable: boolean;
  readonly defaultValue: Expression | null;
}

/** One action of ALTER TABLE; `null` takes the default away. */
export type AlterAction =
  | { readonly kind: 'add'; readonly column: ColumnSyntax; readonly ifNotExists: boolean }
  | { readonly kind: 'drop'; readonly column: Name; readonly ifExists: boolean }
  | { readonly kind: 'rename'; readonly column: Name; readonly to: Name }
  | { readonly kind: 'type'; readonly column: Name; readonly type: TypeSyntax }
  | { readonly kind: 'default'; readonly column: Name; readonly value: Expression | null }
  | { readonly kind: 'notNull'; readonly column: Name; readonly isSet: boolean };

/** `TO OFFSET 5`, `TO TIMESTAMP '…'`, `TO BEGINNING`, `TO END`; `text` of the former two. */
export interface SeekSyntax {
  readonly kind: 'offset' | 'time' | 'beginning' | 'end';
  readonly text: string;
  readonly at: Position;
}

/** A cell of INSERT's VALUES; null is the word DEFAULT. */
export type InsertCell = Expression | null;

export type StatementBody =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'explain'; readonly query: Query }
  | {
      readonly kind: 'createTable';
      readonly name: TableName;
      readonly ifNotExists: boolean;
      readonly columns: readonly ColumnSyntax[];
      /** FROM LOG (…), FROM KAFKA (…); null: the embedded log, without options. */
      readonly source: { readonly name: Name; readonly options: readonly Option[] } | null;
      readonly options: readonly Option[];
      /** AS SELECT …: what messages become; `text` as it is written. */
      readonly transform: { readonly query: Query; readonly text: string; readonly at: Position } | null;
    }
  | { readonly kind: 'dropTable'; readonly name: TableName; readonly ifExists: boolean }
  | { readonly kind: 'alterTable'; readonly name: TableName; readonly actions: readonly AlterAction[] }
  | {
      readonly kind: 'createIndex';
      /** null: told by table, column and kind. */
      readonly name: Name | null;
      readonly ifNotExists: boolean;
      readonly table: TableName;
      readonly columns: readonly Name[];
      /** USING may stand before the columns or behind them; empty: the usual kind. */
      readonly kinds: readonly Name[];
    }
  | {
      readonly kind: 'dropIndex';
      readonly name: Name;
      readonly ifExists: boolean;
      /** null: whichever has it. */
      readonly table: TableName | null;
    }
  | { readonly kind: 'showTables' }
  | { readonly kind: 'describe'; readonly name: TableName }
  | { readonly kind: 'showCreateTable'; readonly name: TableName }
  | {
      readonly kind: 'ingestion';
      readonly action: 'pause' | 'resume' | 'commit' | 'seek';
      readonly name: TableName;
      /** A whole number as it is written; null: all partitions. */
      readonly partition: { readonly text: string; readonly at: Position } | null;
      readonly to: SeekSyntax | null;
    }
  | {
      readonly kind: 'insert';
      readonly name: TableName;
      /** null: all columns, in the table's order. */
      readonly columns: readonly Name[] | null;
      readonly rows: readonly { readonly cells: readonly InsertCell[]; readonly at: Position }[];
    };

/** `parameterCount`: how many values `bindStatement` needs. */
export type Statement = StatementBody & { readonly parameterCount: number };
