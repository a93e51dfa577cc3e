/** Strings by characters: code points, as SQL counts them, where JavaScript counts UTF-16 units. */

const beyondBmp = /[\ud800-\udfff]/;

/** Characters by index: the string itself where each is one unit. */
const charactersOf = (text: string): string | readonly string[] => (beyondBmp.test(text) ? Array.from(text) : text);

export const characterCount = (text: string): number => charactersOf(text).length;

/** Characters `[start, end)`, counted from 0; negative bounds mean 0. */
export function sliceCharacters(text: string, start: number, end: number): string {
  if (end <= start || end <= 0) return '';
  const characters = charactersOf(text);
  const slice = characters.slice(Math.max(start, 0), end);
  return typeof slice === 'string' ? slice : slice.join('');
}

export const reverseCharacters = (text: string): string => Array.from(text).reverse().join('');

/** One character to one: mappings that would lengthen a text (ß to SS) leave it, as C's `towupper` does. */
function mapCharacters(text: string, convert: (character: string) => string): string {
  const whole = convert(text);
  // Otherwise some mapping lengthens the text, or looked at its neighbours (a sigma at a word's end).
  if (whole.length === text.length && !text.includes('\u03a3')) return whole;
  return Array.from(text, character => {
    const mapped = convert(character);
    return characterCount(mapped) === 1 ? mapped : character;
  }).join('');
}

/** The dotted capital I is the only character whose lower case is two; C's `towlower` says `i`. */
export const lowerCase = (text: string): string =>
  mapCharacters(text.replaceAll('\u0130', 'i'), part => part.toLowerCase());
export const upperCase = (text: string): string => mapCharacters(text, part => part.toUpperCase());

const alphanumeric = /[\p{L}\p{N}]/u;

/** Upper case for the first character of each run of letters and digits, lower case for its others. */
export function initialCapitals(text: string): string {
  let inWord = false;
  return Array.from(text, character => {
    const mapped = inWord ? lowerCase(character) : upperCase(character);
    inWord = alphanumeric.test(character);
    return mapped;
  }).join('');
}

/** Without the characters of `set` at its ends. */
export function trimCharacters(text: string, set: string, atStart: boolean, atEnd: boolean): string {
  const members = new Set(set);
  const characters = Array.from(text);
  let [start, end] = [0, characters.length];
  if (atStart) while (start < end && members.has(characters[start]!)) start++;
  if (atEnd) while (end > start && members.has(characters[end - 1]!)) end--;
  return start === 0 && end === characters.length ? text : characters.slice(start, end).join('');
}

/** From 1; 0 where it is not found. */
export function positionOf(text: string, part: string): number {
  const unit = text.indexOf(part);
  return unit < 0 ? 0 : characterCount(text.slice(0, unit)) + 1;
}

/** `length` characters: filled up with `fill` before or after, or cut at the end. */
export function padCharacters(text: string, length: number, fill: string, atStart: boolean): string {
  if (length <= 0) return '';
  const missing = length - characterCount(text);
  if (missing <= 0) return sliceCharacters(text, 0, length);
  if (fill === '') return text;
  const padding = sliceCharacters(fill.repeat(Math.ceil(missing / characterCount(fill))), 0, missing);
  return atStart ? padding + text : text + padding;
}

/** Part `index` (from 1; negative from the end, -1 the last) between delimiters; '' where there is none. */
export function splitPart(text: string, delimiter: string, index: number): string {
  const parts = delimiter === '' ? [text] : text.split(delimiter);
  return (index > 0 ? parts[index - 1] : parts[parts.length + index]) ?? '';
}
