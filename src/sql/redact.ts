/** SQL text without the secrets that were written into it. */
import type { IToken } from 'chevrotain';
import { isSecretReference } from '../catalog/kafka-source.ts';
import { tokensOf } from './parse.ts';
import { Equal, StringLiteral, secretName } from './token.ts';
import { stringOf } from './unquote.ts';

/** What stands in place of a secret. */
const redacted = "'…'";

/**
 * The text as logs and lists of queries may show it: what is compared with or given to a name that says password, secret or
 * private key is left out, unless it is a reference (`env:NAME`, `file:/path`). Linear in its length.
 */
export function redactSecrets(sql: string): string {
  if (!secretName.test(sql)) return sql;
  const tokens = tokensOf(sql);
  let shown = '';
  let end = 0;
  for (let index = 2; index < tokens.length; index++) {
    const value = tokens[index]!;
    if (tokens[index - 1]!.tokenType !== Equal || !secretName.test(tokens[index - 2]!.image) || isReference(value))
      continue;
    shown += sql.slice(end, value.startOffset) + redacted;
    end = value.startOffset + value.image.length;
  }
  return shown + sql.slice(end);
}

const isReference = (token: IToken): boolean =>
  (token.tokenType === StringLiteral || (token.tokenType.CATEGORIES ?? []).includes(StringLiteral)) &&
  isSecretReference(stringOf(token));
