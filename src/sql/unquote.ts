/** What tokens spell, and how names and strings are spelled. The readers are also called while Chevrotain records the grammar, with tokens that spell nothing. */
import type { IToken } from 'chevrotain';
import { fault } from '../base/fault.ts';
import { nameLengthMax } from './limits.ts';
import { isPlainName } from './token.ts';

/** A name as SQL writes it: in quotes where it must be. */
export const nameText = (name: string): string => (isPlainName(name) ? name : `"${name.replaceAll('"', '""')}"`);

export const stringText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const unquoteName = (image: string): string =>
  image.startsWith('"') ? image.slice(1, -1).replaceAll('""', '"') : image;

const isRecorded = (token: IToken): boolean => token.startOffset < 0;

/** A name as written, without its quotes; case stays, because names are compared exactly first. */
export function nameOf(token: IToken): string {
  const name = unquoteName(token.image);
  const position = { line: token.startLine!, column: token.startColumn!, offset: token.startOffset };
  if (name.length === 0) throw fault('SYNTAX_ERROR', 'a quoted name is empty', { position });
  if (name.length > nameLengthMax && !isRecorded(token))
    throw fault('LIMIT_EXCEEDED', `a name of ${name.length} characters; at most ${nameLengthMax}`, {
      position,
      details: { limit: nameLengthMax },
    });
  return name;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const escapePattern = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))|''/g;

/** Value of `'…'` or `E'…'`. */
export function stringOf(token: IToken): string {
  const { image } = token;
  if (image.startsWith("'")) return image.slice(1, -1).replaceAll("''", "'");
  return image.slice(2, -1).replace(escapePattern, (_, u4, u8, hex, octal, other) => {
    if (other !== undefined) return escapes[other] ?? other;
    const digits = u4 ?? u8 ?? hex;
    if (digits === undefined && octal === undefined) return "'";
    const code = digits === undefined ? Number.parseInt(octal, 8) : Number.parseInt(digits, 16);
    if (code > 0x10ffff)
      throw fault('SYNTAX_ERROR', 'invalid Unicode escape in a string', {
        position: { line: token.startLine!, column: token.startColumn!, offset: token.startOffset },
      });
    return String.fromCodePoint(code);
  });
}
