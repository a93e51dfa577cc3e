/**
 * Groups, lists and maps → JSON text, out of their leaves' levels (Dremel's record assembly; see
 * https://parquet.apache.org/docs/file-format/nestedencoding/).
 */
import { ColumnBuilder } from '../../../column/builder.ts';
import type { Column } from '../../../column/column.ts';
import { jsonOf } from '../../../column/json-value.ts';
import { JSON_TYPE } from '../../../column/type.ts';
import { Malformed } from '../../malformed.ts';
import type { LeafEntries } from './leaf.ts';
import type { ParquetNode } from './schema.ts';

/** JSON of one batch of one column. */
const jsonSizeMax = 1 << 28;

/** Entries of a leaf, being read. */
class Cursor {
  readonly entries: LeafEntries;
  entry = 0;
  #value = 0;

  constructor(entries: LeafEntries) {
    this.entries = entries;
  }

  get definition(): number {
    if (this.entry >= this.entries.count) throw new Malformed('leaves of a group with different lists');
    return this.entries.definitions[this.entry]!;
  }

  /** Whether the entry goes on with a list of `level`. */
  goesOn(level: number): boolean {
    return this.entry < this.entries.count && this.entries.repetitions[this.entry] === level;
  }

  /** Passes over an entry, and answers its value where it has one. */
  take(isPresent: boolean): string {
    this.entry++;
    return isPresent ? jsonOf(this.entries.values, this.#value++) : 'null';
  }

  get isAtEnd(): boolean {
    return this.entry === this.entries.count;
  }
}

/**
 * @param entriesOf By the position of a leaf among all.
 * @throws Malformed
 */
export function assembleJson(node: ParquetNode, entriesOf: (leaf: number) => LeafEntries, rowCount: number): Column {
  const cursors = new Map(node.leaves.map(leaf => [leaf.index, new Cursor(entriesOf(leaf.index))]));
  const writer = new JsonWriter(cursors);
  const builder = new ColumnBuilder(JSON_TYPE, rowCount);
  for (let row = 0; row < rowCount; row++) {
    const text = node.repetition === 'repeated' ? writer.list(node, node) : writer.value(node);
    builder.append(text === 'null' ? null : text);
    if (builder.sizeBytes > jsonSizeMax) throw new Malformed(`more than ${jsonSizeMax} bytes of JSON in a few rows`);
  }
  for (const cursor of cursors.values())
    if (!cursor.isAtEnd) throw new Malformed('leaves of a group with different lists');
  return builder.build();
}

class JsonWriter {
  readonly #cursors: ReadonlyMap<number, Cursor>;

  constructor(cursors: ReadonlyMap<number, Cursor>) {
    this.#cursors = cursors;
  }

  #firstOf(node: ParquetNode): Cursor {
    return this.#cursors.get(node.leaves[0]!.index)!;
  }

  /** Passes over what is not there, once in each leaf. */
  #skip(node: ParquetNode): void {
    for (const { index } of node.leaves) this.#cursors.get(index)!.take(false);
  }

  value(node: ParquetNode): string {
    if (this.#firstOf(node).definition < node.definition) {
      this.#skip(node);
      return 'null';
    }
    switch (node.kind) {
      case 'leaf':
        return this.#firstOf(node).take(true);
      case 'list':
        return this.list(node.children[0]!, elementOf(node));
      case 'map':
        return this.#map(node.children[0]!);
      default:
        return this.#group(node);
    }
  }

  #group(node: ParquetNode): string {
    const members = node.children.map(child => {
      const value = child.repetition === 'repeated' ? this.list(child, child) : this.value(child);
      return `${JSON.stringify(child.name)}:${value}`;
    });
    return `{${members}}`;
  }

  /** @param element What is repeated, or the one child that it wraps. */
  list(repeated: ParquetNode, element: ParquetNode): string {
    return `[${this.#repeat(repeated, () => this.#element(element))}]`;
  }

  #element(element: ParquetNode): string {
    return element.repetition === 'repeated' && element.kind === 'group' ? this.#group(element) : this.value(element);
  }

  #map(repeated: ParquetNode): string {
    const [key, value] = repeated.children as [ParquetNode, ParquetNode];
    const members = this.#repeat(repeated, () => {
      const name = this.value(key);
      const text = value.repetition === 'repeated' ? this.list(value, value) : this.value(value);
      return `${name.startsWith('"') ? name : JSON.stringify(name)}:${text}`;
    });
    return `{${members}}`;
  }

  #repeat(repeated: ParquetNode, item: () => string): string[] {
    const first = this.#firstOf(repeated);
    const items: string[] = [];
    if (first.definition < repeated.definition) this.#skip(repeated);
    else
      do items.push(item());
      while (first.goesOn(repeated.level));
    return items;
  }
}

/** The old two-level lists repeat their elements; the new ones repeat a group around each. */
function elementOf(list: ParquetNode): ParquetNode {
  const repeated = list.children[0]!;
  const [only] = repeated.children;
  const isWrapper =
    repeated.children.length === 1 && repeated.name !== 'array' && repeated.name !== `${list.name}_tuple`;
  return isWrapper ? only! : repeated;
}
