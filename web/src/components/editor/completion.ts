/** What to offer while a statement is written: pure, from the text and the catalog. */
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import type { EditorView } from '@codemirror/view';
import { quoteName } from '../../api/client.ts';
import { type FunctionHelp, functionHelp, keywordList } from './sql-dialect.ts';

export interface CatalogTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Tables that a text mentions as whole words; all where it mentions none. */
export function tablesIn(text: string, catalog: readonly CatalogTable[]): readonly CatalogTable[] {
  const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}_$]+(?:\.[\p{L}\p{N}_$]+)?/gu) ?? []);
  const mentioned = catalog.filter(table => words.has(table.name.toLowerCase()));
  return mentioned.length > 0 ? mentioned : catalog;
}

const applyFunction = (view: EditorView, completion: Completion, from: number, to: number): void => {
  const { label, detail } = completion;
  const insert = detail === '' ? label : `${label}()`;
  const inside = insert.length - (detail === '' || detail === '()' ? 0 : 1);
  view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + inside }, userEvent: 'input.complete' });
};

const functionOption = (known: FunctionHelp): Completion => ({
  label: known.name,
  detail: known.signature,
  info: known.says,
  type: 'function',
  apply: applyFunction,
  boost: -1,
});

const keywordOptions: readonly Completion[] = keywordList.map(word => ({
  label: word.toUpperCase(),
  type: 'keyword',
  boost: -2,
}));

const tableOption = (table: CatalogTable): Completion => ({
  label: table.name,
  apply: table.name.split('.').map(quoteName).join('.'),
  detail: 'table',
  type: 'class',
  boost: 1,
});

function columnOptions(tables: readonly CatalogTable[]): Completion[] {
  const options = new Map<string, Completion>();
  for (const table of tables)
    for (const column of table.columns) {
      if (options.has(column.name)) continue;
      const option = { label: column.name, detail: column.type, type: 'property', boost: 2 };
      options.set(column.name, { ...option, apply: quoteName(column.name) });
    }
  return [...options.values()];
}

const functionOptions: readonly Completion[] = functionHelp.map(functionOption);
/** Where a table's name is all that fits. */
const beforeTable = /\b(?:from|join|into|describe|table)\s+[\p{L}\p{N}_$"]*$/iu;

/** Completes from the catalog as it is at that moment. */
export const completeSql =
  (catalog: () => readonly CatalogTable[]): CompletionSource =>
  (context: CompletionContext): CompletionResult | null => {
    const qualified = context.matchBefore(/[\p{L}\p{N}_$]+\.[\p{L}\p{N}_$]*/u);
    if (qualified) {
      const [owner = ''] = qualified.text.split('.');
      const table = catalog().find(known => known.name.toLowerCase() === owner.toLowerCase());
      const from = qualified.from + owner.length + 1;
      if (table) return { from, options: columnOptions([table]), validFor: /^[\p{L}\p{N}_$]*$/u };
    }
    const word = context.matchBefore(/[\p{L}_$][\p{L}\p{N}_$]*/u);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    const before = context.state.sliceDoc(0, context.pos);
    const tables = catalog().map(tableOption);
    const options = beforeTable.test(before)
      ? tables
      : [
          ...columnOptions(tablesIn(context.state.doc.toString(), catalog())),
          ...tables,
          ...functionOptions,
          ...keywordOptions,
        ];
    return { from, options, validFor: /^[\p{L}\p{N}_$]*$/u };
  };
