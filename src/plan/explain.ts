/** A plan as indented lines of text: root first, then the other fragments, then subplans. Stable: golden tests compare it. */
import { unreachable } from '../base/assert.ts';
import type { Node, QueryPlan, SortKey } from './node.ts';
import { aggregateText, exprText } from './text.ts';

export type ScanNode = Extract<Node, { kind: 'scan' }>;

/** More lines about one scan (what was pruned, and by which index), shown under it. `fragment` is of the plan that holds the scan. */
export type ScanNotes = (scan: ScanNode, fragment: number) => readonly string[];

const noNotes: ScanNotes = () => [];

/** One line a row of EXPLAIN's answer, its column being `plan`. */
export function explainPlan(plan: QueryPlan, notes: ScanNotes = noNotes): string[] {
  const lines: string[] = [];
  plan.fragments.forEach((node, fragment) => {
    if (fragment > 0) lines.push(`fragment ${fragment}`);
    const names = fragment === 0 ? plan.columns.map(column => column.name) : [];
    addLines(plan, node, names, fragment === 0 ? 0 : 1, (scan: ScanNode) => notes(scan, fragment), lines);
  });
  plan.subplans.forEach((subplan, index) => {
    lines.push(`subplan ${index}`, ...explainPlan(subplan, notes).map(line => `  ${line}`));
  });
  return lines;
}

function addLines(
  plan: QueryPlan,
  node: Node,
  outputNames: readonly string[],
  depth: number,
  notes: (scan: ScanNode) => readonly string[],
  lines: string[],
): void {
  const add = (text: string, deeper = 0): void => void lines.push(`${'  '.repeat(depth + deeper)}${text}`);
  add(lineOf(plan, node, outputNames));
  if (node.kind === 'scan') {
    if (node.filter !== null) add(`filter: ${exprText(node.filter, namesOf(plan, node))}`, 1);
    if (node.limit !== null) add(`limit: ${node.limit}`, 1);
    for (const note of notes(node)) add(note, 1);
  }
  if ('source' in node) addLines(plan, node.source, [], depth + 1, notes, lines);
}

function lineOf(plan: QueryPlan, node: Node, outputNames: readonly string[]): string {
  switch (node.kind) {
    case 'scan':
      return `scan ${node.table}${listText(node.columns.map(column => column.name))}`;
    case 'inline':
      return `scan ${node.name}${listText(node.columns.map(column => column.name))}`;
    case 'values':
      return `values ${node.rows.length} ${node.rows.length === 1 ? 'row' : 'rows'}`;
    case 'unnest':
      return `unnest ${exprText(node.expr, namesOf(plan, node.source))}`;
    case 'filter':
      return `filter ${exprText(node.predicate, namesOf(plan, node.source))}`;
    case 'project': {
      const names = namesOf(plan, node.source);
      const parts = node.exprs.map((expr, index) => {
        const text = exprText(expr, names);
        const name = outputNames[index] ?? text;
        return name === text ? text : `${text} AS ${name}`;
      });
      return `project ${parts.join(', ')}`;
    }
    case 'aggregate': {
      const names = aggregateInputNames(plan, node);
      const keys = node.keys.map(key => exprText(key, names)).join(', ');
      const calls = node.calls.map(call => aggregateText(call, names)).join(', ');
      return `aggregate ${node.mode}${keys === '' ? '' : ` by ${keys}`}${calls === '' ? '' : `: ${calls}`}`;
    }
    case 'sort': {
      const names = namesOf(plan, node.source);
      const top = node.limit === null ? '' : ` (top ${node.limit})`;
      return `sort ${node.keys.map(key => sortKeyText(key, names)).join(', ')}${top}`;
    }
    case 'limit':
      return [node.count === null ? [] : [`limit ${node.count}`], node.offset === 0 ? [] : [`offset ${node.offset}`]]
        .flat()
        .join(' ');
    case 'exchange':
      return `exchange ${node.mode} from fragment ${node.fragment}`;
    default:
      return unreachable(node);
  }
}

const listText = (names: readonly string[]): string => (names.length === 0 ? '' : `: ${names.join(', ')}`);

function sortKeyText({ expr, descending, nullsFirst }: SortKey, names: readonly string[]): string {
  const nulls = nullsFirst === descending ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
  return `${exprText(expr, names)}${descending ? ' DESC' : ''}${nulls}`;
}

/** Texts of expressions become names in the expressions above them: without a bound they would double with every level. */
const nameLengthMax = 80;
const shorten = (text: string): string => (text.length > nameLengthMax ? `${text.slice(0, nameLengthMax - 1)}…` : text);

/** Names of a node's output columns, as far as they have any; else the text of what they hold. */
function namesOf(plan: QueryPlan, node: Node): readonly string[] {
  switch (node.kind) {
    case 'scan':
    case 'inline':
      return node.columns.map(column => column.name);
    case 'values':
      return node.types.map((_, index) => `column${index + 1}`);
    case 'unnest': {
      const names = namesOf(plan, node.source);
      return [...names, `unnest(${shorten(exprText(node.expr, names))})`];
    }
    case 'filter':
    case 'sort':
    case 'limit':
      return namesOf(plan, node.source);
    case 'project': {
      const names = namesOf(plan, node.source);
      return node.exprs.map(expr => shorten(exprText(expr, names)));
    }
    case 'aggregate': {
      const names = aggregateInputNames(plan, node);
      const keys = node.keys.map(key => exprText(key, names));
      return [...keys, ...node.calls.map(call => aggregateText(call, names))].map(shorten);
    }
    case 'exchange':
      return namesOf(plan, plan.fragments[node.fragment]!);
    default:
      return unreachable(node);
  }
}

/** The expressions of a `final` aggregate are over the input of its `partial`. */
function aggregateInputNames(plan: QueryPlan, node: Extract<Node, { kind: 'aggregate' }>): readonly string[] {
  const { source } = node;
  if (node.mode !== 'final' || source.kind !== 'exchange') return namesOf(plan, source);
  const partial = plan.fragments[source.fragment]!;
  return namesOf(plan, partial.kind === 'aggregate' ? partial.source : partial);
}
