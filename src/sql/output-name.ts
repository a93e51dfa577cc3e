/** Names of unnamed outputs, as PostgreSQL's FigureColname gives them. */
import type { Expression, TypeSyntax } from './ast.ts';

const unnamed = '?column?';

export function outputName(expression: Expression): string {
  return nameOf(expression)?.name ?? unnamed;
}

/** A weak name (of a type, of CASE) gives way to that of what is inside. */
function nameOf(expression: Expression): { readonly name: string; readonly isWeak: boolean } | null {
  switch (expression.kind) {
    case 'name':
      return { name: expression.parts.at(-1)!, isWeak: false };
    case 'call':
      return { name: expression.name.toLowerCase(), isWeak: false };
    case 'cast': {
      const inner = nameOf(expression.source);
      return inner !== null && !inner.isWeak ? inner : { name: typeWord(expression.type), isWeak: true };
    }
    case 'interval':
      return { name: 'interval', isWeak: true };
    case 'boolean':
      return { name: 'bool', isWeak: true };
    case 'case': {
      const inner = expression.otherwise === null ? null : nameOf(expression.otherwise);
      return inner !== null && !inner.isWeak ? inner : { name: 'case', isWeak: true };
    }
    default:
      return null;
  }
}

const typeWord = (type: TypeSyntax): string => type.name.split(' ')[0]!;
