/** Fields of messages that the target has no column for, as they are met. */
import type { Type } from '../column/type.ts';
import { unknownFieldNameSizeMax, unknownFieldsMax } from './limits.ts';

export class UnknownFields {
  readonly #types = new Map<string, Type>();
  /**
   * Changes when noted fields are forgotten. A reader that keeps it with a field need not note that field again while
   * the number stands.
   */
  epoch = 1;

  get size(): number {
    return this.#types.size;
  }

  get types(): ReadonlyMap<string, Type> {
    return this.#types;
  }

  /** The first type counts. */
  note(name: string, type: Type): void {
    if (this.#types.size >= unknownFieldsMax || name === '' || name.length > unknownFieldNameSizeMax) return;
    if (!this.#types.has(name)) this.#types.set(name, type);
  }

  /** Forgets all but the first `size`: the message that had them is rejected. */
  truncate(size: number): void {
    if (this.#types.size === size) return;
    for (const name of [...this.#types.keys()].slice(size)) this.#types.delete(name);
    this.epoch++;
  }
}
