import type { ErrorPosition } from '../client/types.ts';
import { displayWidth, showControls } from './text.ts';

export interface Described {
  readonly message: string;
  readonly code?: string;
  readonly hint?: string | null;
  readonly position?: ErrorPosition | null;
}

/**
 * An error as a person reads it: what, where (a caret under the place in the SQL), and what to do.
 *
 *     error: unknown column mercant (UNKNOWN_COLUMN)
 *       1 | SELECT mercant FROM payments
 *         |        ^
 *     hint: did you mean merchant?
 */
export function errorText({ message, code, hint, position }: Described, sql?: string): string {
  const lines = [`error: ${showControls(message)}${code === undefined ? '' : ` (${code})`}`];
  const line = position && sql?.split(/\r\n|\r|\n/)[position.line - 1];
  if (position && typeof line === 'string') {
    const gutter = `  ${position.line} | `;
    const before = showControls(line.slice(0, position.column - 1).replaceAll('\t', ' '));
    lines.push(`${gutter}${showControls(line.replaceAll('\t', ' '))}`);
    lines.push(`${' '.repeat(gutter.length - 2)}| ${' '.repeat(displayWidth(before))}^`);
  }
  if (hint) lines.push(`hint: ${showControls(hint)}`);
  return `${lines.join('\n')}\n`;
}
