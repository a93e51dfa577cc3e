/** Text on a terminal: how wide it stands, and without what would steer the terminal. */

/** Scripts and pictures that take two columns (Unicode Standard Annex 11, the common blocks). */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
/** Marks that stand on the character before them, joiners and other formats. */
const without = /[\p{Mn}\p{Me}\p{Cf}]/u;
const ascii = /^[\x20-\x7e]*$/;

/** Columns that the text takes. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += without.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** Controls (also the terminal's escapes) and direction marks as `\n`, `\x1b`, `\u202e`: data never steers a terminal. */
export const showControls = (text: string): string =>
  ascii.test(text)
    ? text
    : text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, character => {
        if (character === '\n') return '\\n';
        if (character === '\t') return '\\t';
        const code = character.charCodeAt(0);
        return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
      });

export const padTo = (text: string, width: number, right: boolean): string => {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? fill + text : text + fill;
};
