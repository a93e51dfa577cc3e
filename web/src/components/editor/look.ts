/** The editor's colours, all from the page's own variables: light and dark need no second theme. */
import { EditorView } from '@codemirror/view';

export const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13.5px', color: 'var(--code-name)', backgroundColor: 'var(--panel)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--text-dim)', border: 'none', paddingLeft: '4px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--hover) 60%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--mantine-primary-color-filled) 28%, transparent)',
  },
  '.cm-selectionMatch': { backgroundColor: 'color-mix(in srgb, var(--mantine-primary-color-filled) 18%, transparent)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '.cm-placeholder': { color: 'var(--text-dim)' },
  '.cm-fault': {
    textDecoration: 'underline wavy var(--bad)',
    textUnderlineOffset: '4px',
    backgroundColor: 'var(--bad-soft)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--panel)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
    boxShadow: 'var(--mantine-shadow-md)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mantine-font-family-monospace)', maxHeight: '14em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent-soft)',
    color: 'var(--accent-text)',
  },
  '.cm-completionIcon': { display: 'none' },
  '.cm-completionDetail': { color: 'var(--text-dim)', fontStyle: 'normal', fontSize: '0.9em' },
  '.cm-tooltip.cm-completionInfo': { padding: '6px 10px', fontSize: '12.5px' },
  '.cm-panels': { backgroundColor: 'var(--page)', color: 'var(--text)' },
  '.tok-keyword': { color: 'var(--code-keyword)', fontWeight: '600' },
  '.tok-typeName': { color: 'var(--code-keyword)' },
  '.tok-bool, .tok-atom, .tok-null, .tok-number': { color: 'var(--code-number)' },
  '.tok-string, .tok-string2': { color: 'var(--code-string)' },
  '.tok-comment': { color: 'var(--code-comment)', fontStyle: 'italic' },
  '.tok-operator, .tok-punctuation': { color: 'var(--text-soft)' },
});
