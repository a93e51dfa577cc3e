/** The schemas that messages name by id, compiled and kept. */
import type { RegisteredSchema, SchemaSource } from '../catalog/schema-source.ts';
import { schemasAskedMax, schemasKeptMax } from './limits.ts';
import { reasonOf } from './malformed.ts';
import type { Messages } from './messages.ts';
import { schemaIdOf } from './schema-frame.ts';

/** A schema compiled; text: why its messages cannot be read. */
export type Outcome<Compiled> = Compiled | string;

export class Schemas<Compiled extends object> {
  readonly #source: SchemaSource;
  readonly #compile: (schema: RegisteredSchema) => Compiled;
  /** In order of last use. A schema never changes under its id, so that only the number of them is bounded. */
  readonly #kept = new Map<number, Outcome<Compiled>>();

  /** @param compile May throw: the schema cannot be used. */
  constructor(source: SchemaSource, compile: (schema: RegisteredSchema) => Compiled) {
    this.#source = source;
    this.#compile = compile;
  }

  /**
   * The schemas of all ids in `messages`; asks only for those not kept.
   * @throws FaultError of the source
   */
  async of(messages: Messages): Promise<ReadonlyMap<number, Outcome<Compiled>>> {
    const found = new Map<number, Outcome<Compiled>>();
    const missing: number[] = [];
    for (const id of idsOf(messages)) {
      const kept = this.#kept.get(id);
      if (kept === undefined) missing.push(id);
      else {
        found.set(id, kept);
        this.#keep(id, kept);
      }
    }
    for (let from = 0; from < missing.length; from += schemasAskedMax)
      await Promise.all(
        missing.slice(from, from + schemasAskedMax).map(async id => found.set(id, await this.#ask(id))),
      );
    return found;
  }

  async #ask(id: number): Promise<Outcome<Compiled>> {
    const schema = await this.#source.schema(id);
    // Not kept: it may be registered yet.
    if (schema === null) return `unknown schema id ${id}`;
    const outcome = this.#compiled(id, schema);
    this.#keep(id, outcome);
    return outcome;
  }

  #compiled(id: number, schema: RegisteredSchema): Outcome<Compiled> {
    try {
      return this.#compile(schema);
    } catch (error) {
      return `schema ${id} cannot be used: ${reasonOf(error)}`;
    }
  }

  #keep(id: number, outcome: Outcome<Compiled>): void {
    this.#kept.delete(id);
    this.#kept.set(id, outcome);
    if (this.#kept.size > schemasKeptMax) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

function idsOf({ count, bytes, valueStarts, valueEnds }: Messages): Set<number> {
  const ids = new Set<number>();
  let last = -1;
  for (let message = 0; message < count; message++) {
    const from = valueStarts[message]!;
    const id = from < 0 ? -1 : schemaIdOf(bytes, from, valueEnds[message]!);
    if (id === last || id < 0) continue;
    ids.add(id);
    last = id;
  }
  return ids;
}
