import { closeCompletion } from '@codemirror/autocomplete';
import { syntaxHighlighting } from '@codemirror/language';
import { Annotation, EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import { type CatalogTable, completeSql } from './completion.ts';
import { look } from './look.ts';
import { markField, setMark } from './mark.ts';
import { weirDialect } from './sql-dialect.ts';

export interface SqlEditorProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onRun: () => void;
  readonly catalog: readonly CatalogTable[];
  /** Where the last statement failed, as an offset into `value`; null for nowhere. */
  readonly faultOffset: number | null;
}

const fromOutside = Annotation.define<boolean>();

/** What the view calls, always the newest: the view itself is made once. */
type Latest = { current: Pick<SqlEditorProps, 'onChange' | 'onRun' | 'catalog'> };

const extensionsOf = (latest: Latest) => [
  Prec.highest(
    keymap.of([
      {
        key: 'Mod-Enter',
        run: view => {
          closeCompletion(view);
          latest.current.onRun();
          return true;
        },
      },
    ]),
  ),
  basicSetup,
  weirDialect.extension,
  weirDialect.language.data.of({ autocomplete: completeSql(() => latest.current.catalog) }),
  syntaxHighlighting(classHighlighter),
  markField,
  look,
  placeholder('SELECT …'),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': 'SQL', spellcheck: 'false' }),
  EditorView.updateListener.of(update => {
    const outside = update.transactions.some(transaction => transaction.annotation(fromOutside));
    if (update.docChanged && !outside) latest.current.onChange(update.state.doc.toString());
  }),
];

/** CodeMirror, with Weir's SQL, completion from the catalog, and a mark where the last statement failed. */
export function SqlEditor({ value, onChange, onRun, catalog, faultOffset }: SqlEditorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ onChange, onRun, catalog });
  latest.current = { onChange, onRun, catalog };

  // Not every dependency is named: the view is made once; `value` follows below
  useEffect(() => {
    const state = EditorState.create({
      doc: value,
      selection: { anchor: value.length },
      extensions: extensionsOf(latest),
    });
    const created = new EditorView({ parent: parent.current!, state });
    view.current = created;
    created.focus();
    return () => created.destroy();
  }, []);

  useEffect(() => {
    const current = view.current;
    if (!current || current.state.doc.toString() === value) return;
    current.dispatch({
      changes: { from: 0, to: current.state.doc.length, insert: value },
      selection: { anchor: value.length },
      annotations: fromOutside.of(true),
    });
  }, [value]);

  useEffect(() => {
    const current = view.current;
    if (!current) return;
    const inView = Math.min(faultOffset ?? 0, current.state.doc.length);
    const mark = setMark.of(faultOffset);
    current.dispatch({ effects: faultOffset === null ? mark : [mark, EditorView.scrollIntoView(inView)] });
  }, [faultOffset]);

  return <div ref={parent} style={{ height: '100%' }} />;
}
