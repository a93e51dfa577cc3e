/** The place of an error, marked in the text until the text changes. */
import { StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

export const setMark = StateEffect.define<number | null>();

/** The word, or else the character, at an offset; the text's last character where the offset is at its end. */
export function wordAt(text: string, offset: number): { from: number; to: number } {
  const at = Math.max(0, Math.min(offset, text.length));
  const word = /^(?:[\p{L}\p{N}_$]+|"[^"]*"|'[^']*'|\S)/u.exec(text.slice(at));
  if (word) return { from: at, to: at + word[0].length };
  const before = text.slice(0, at).trimEnd().length;
  return { from: Math.max(0, before - 1), to: before };
}

const word = Decoration.mark({ class: 'cm-fault', attributes: { 'data-testid': 'fault-mark' } });
const line = Decoration.line({ class: 'cm-fault-line' });

export const markField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects)
      if (effect.is(setMark)) {
        if (effect.value === null) return Decoration.none;
        const { from, to } = wordAt(transaction.state.doc.toString(), effect.value);
        const lineFrom = transaction.state.doc.lineAt(from).from;
        return Decoration.set(to > from ? [line.range(lineFrom), word.range(from, to)] : [line.range(lineFrom)], true);
      }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: field => EditorView.decorations.from(field),
});
