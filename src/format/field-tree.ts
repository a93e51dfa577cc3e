/** The fields of sampled objects, in the order in which their keys appear. */
import { Evidence, stringOf } from './evidence.ts';
import { fileColumnsMax, nestingDepthMax } from './limits.ts';
import { skipSpace, skipString, skipValue } from './scan.ts';

export interface FieldNode {
  readonly evidence: Evidence;
  /** Where objects are looked into. */
  readonly members: Map<string, FieldNode>;
  /** An object without members: it says nothing where others have some. */
  empty: { readonly bytes: Uint8Array; readonly at: number; readonly end: number } | null;
}

export interface FieldLeaf {
  readonly path: readonly string[];
  readonly evidence: Evidence;
  /** Objects among other values. */
  readonly isMixed: boolean;
}

const emptyNode = (): FieldNode => ({ evidence: new Evidence(), members: new Map(), empty: null });

export class FieldTree {
  rowCount = 0;
  readonly #root = emptyNode();
  readonly #flatten: boolean;
  #count = 0;

  /** @param flatten Looks into objects within the row, too. */
  constructor(flatten: boolean) {
    this.#flatten = flatten;
  }

  /** Adds the object at `at`, which is grammatical up to its end. */
  addObject(bytes: Uint8Array, at: number, newline: boolean): void {
    this.rowCount++;
    this.#addMembers(bytes, at, newline, this.#root, 1);
  }

  #addMembers(bytes: Uint8Array, at: number, newline: boolean, node: FieldNode, depth: number): void {
    at = skipSpace(bytes, at + 1, newline);
    while (bytes[at] === 34) {
      const keyEnd = skipString(bytes, at);
      const member = this.#member(node, stringOf(bytes, at, keyEnd));
      at = skipSpace(bytes, skipSpace(bytes, keyEnd, newline) + 1, newline);
      const end = skipValue(bytes, at, newline);
      if (member !== null) {
        if (!this.#flatten || bytes[at] !== 123 || depth === nestingDepthMax) member.evidence.addJson(bytes, at, end);
        else if (bytes[skipSpace(bytes, at + 1, newline)] === 125) member.empty = { bytes, at, end };
        else this.#addMembers(bytes, at, newline, member, depth + 1);
      }
      at = skipSpace(bytes, skipSpace(bytes, end, newline) + 1, newline);
    }
  }

  /** Fields beyond what any table takes are not told apart. */
  #member(node: FieldNode, name: string): FieldNode | null {
    const known = node.members.get(name);
    if (known !== undefined) return known;
    if (this.#count > fileColumnsMax) return null;
    this.#count++;
    const member = emptyNode();
    node.members.set(name, member);
    return member;
  }

  leaves(): FieldLeaf[] {
    const leaves: FieldLeaf[] = [];
    const visit = (node: FieldNode, path: readonly string[]): void => {
      for (const [name, member] of node.members) {
        const { evidence, members, empty } = member;
        if (members.size === 0 && empty !== null) evidence.addJson(empty.bytes, empty.at, empty.end);
        const isMixed = members.size > 0 && evidence.count > 0;
        if (members.size > 0 && !isMixed) visit(member, [...path, name]);
        else leaves.push({ path: [...path, name], evidence, isMixed });
      }
    };
    visit(this.#root, []);
    return leaves;
  }
}
