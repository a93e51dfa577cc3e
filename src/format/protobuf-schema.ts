/** Protobuf schemas as a registry has them: one .proto file, those that it imports, and which of its messages is meant. */
import protobuf from 'protobufjs';
import type { RegisteredSchema } from '../catalog/schema-source.ts';
import { nestingDepthMax } from './limits.ts';
import { Malformed } from './malformed.ts';

/** Fields keep the names that the file gives them. */
const options = { keepCase: true };

export class ProtobufSchema {
  readonly #root = new protobuf.Root();
  /** The file alone: its messages in the order in which it declares them, which is what a message's index counts. */
  readonly #file: protobuf.NamespaceBase;

  /** @throws Error where a text is no .proto file, or names a type that is nowhere */
  constructor(schema: RegisteredSchema) {
    if (schema.type !== 'PROTOBUF') throw new Error(`it is of the type ${schema.type}, not PROTOBUF`);
    const alone = new protobuf.Root();
    const main = protobuf.parse(schema.text, alone, options);
    this.#file =
      main.package === undefined ? alone : ((alone.lookup(main.package) as protobuf.Namespace | null) ?? alone);
    const imports = new Set(importsOf(main));
    for (const { name, text } of schema.references)
      if (protobuf.common.get(name) === null)
        for (const each of importsOf(protobuf.parse(text, this.#root, options))) imports.add(each);
    protobuf.parse(schema.text, this.#root, options);
    for (const name of imports) {
      const known = protobuf.common.get(name);
      if (known?.nested) this.#root.addJSON(known.nested);
    }
    this.#root.resolveAll();
  }

  /**
   * @param path Indexes of a message among its file's, of one nested in it among its own, and so on.
   * @throws Malformed where there is none
   */
  messageAt(path: readonly number[]): protobuf.Type {
    let within: protobuf.NamespaceBase = this.#file;
    for (const index of path) {
      const messages: protobuf.Type[] = within.nestedArray.filter(each => each instanceof protobuf.Type);
      const message = messages[index];
      if (message === undefined) throw new Malformed(`the schema has no message ${path.join('.')}`);
      within = message;
    }
    return this.#root.lookupType(within.fullName);
  }
}

const importsOf = ({ imports, weakImports }: protobuf.IParserResult): string[] => [
  ...(imports ?? []),
  ...(weakImports ?? []),
];

/** The path before a message's body: how many indexes, then each; none is short for the file's first message. */
export function readMessagePath(reader: protobuf.Reader): number[] {
  const count = reader.sint32();
  if (count === 0) return [0];
  if (count < 0 || count > nestingDepthMax) throw new Malformed(`a message's place of ${count} indexes`);
  return Array.from({ length: count }, () => reader.sint32());
}
