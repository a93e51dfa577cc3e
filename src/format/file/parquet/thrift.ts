/**
 * Thrift's compact protocol, as far as Parquet's metadata needs it
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */
import { Malformed } from '../../malformed.ts';

/** Structs within structs; Parquet's own stay below ten. */
const depthMax = 32;

export type ThriftValue = boolean | number | bigint | Uint8Array | readonly ThriftValue[] | ThriftStruct;

/** Fields by their ids. Integers are numbers within ±2^53, and bigints beyond. */
export class ThriftStruct {
  readonly #fields: ReadonlyMap<number, ThriftValue>;

  constructor(fields: ReadonlyMap<number, ThriftValue>) {
    this.#fields = fields;
  }

  has(id: number): boolean {
    return this.#fields.has(id);
  }

  /** @throws Malformed where it is missing and there is no `missing`, or no count within 2^53 */
  count(id: number, missing?: number): number {
    const value = this.#fields.get(id) ?? missing;
    if (typeof value === 'number' && value >= 0) return value;
    throw new Malformed(`field ${id} of its metadata is no count`);
  }

  boolean(id: number, missing: boolean): boolean {
    const value = this.#fields.get(id) ?? missing;
    if (typeof value === 'boolean') return value;
    throw new Malformed(`field ${id} of its metadata is no boolean`);
  }

  text(id: number): string {
    const value = this.#fields.get(id);
    if (value instanceof Uint8Array) return new TextDecoder().decode(value);
    throw new Malformed(`field ${id} of its metadata is no text`);
  }

  texts(id: number): string[] {
    return this.#list(id).map(item => {
      if (item instanceof Uint8Array) return new TextDecoder().decode(item);
      throw new Malformed(`field ${id} of its metadata is no list of texts`);
    });
  }

  struct(id: number): ThriftStruct {
    const value = this.structOrNull(id);
    if (value !== null) return value;
    throw new Malformed(`field ${id} of its metadata is missing`);
  }

  structOrNull(id: number): ThriftStruct | null {
    const value = this.#fields.get(id);
    if (value === undefined) return null;
    if (value instanceof ThriftStruct) return value;
    throw new Malformed(`field ${id} of its metadata is no struct`);
  }

  structs(id: number): ThriftStruct[] {
    return this.#list(id).map(item => {
      if (item instanceof ThriftStruct) return item;
      throw new Malformed(`field ${id} of its metadata is no list of structs`);
    });
  }

  #list(id: number): readonly ThriftValue[] {
    const value = this.#fields.get(id);
    if (Array.isArray(value)) return value as readonly ThriftValue[];
    throw new Malformed(`field ${id} of its metadata is no list`);
  }
}

export class ThriftReader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** @throws Malformed */
  struct(depth = 0): ThriftStruct {
    if (depth > depthMax) throw new Malformed('its metadata is nested too deep');
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return new ThriftStruct(fields);
      const delta = head >> 4;
      id = delta === 0 ? Number(this.#zigzag()) : id + delta;
      const type = head & 15;
      fields.set(id, type === 1 ? true : type === 2 ? false : this.#value(type, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        return this.#byte() === 1;
      case 3:
        return this.#byte();
      case 4:
      case 5:
      case 6:
        return this.#zigzag();
      case 7:
        this.#take(8);
        return 0;
      case 8:
        return this.#take(this.#size());
      case 9:
      case 10:
        return this.#items(depth);
      case 11:
        return this.#map(depth);
      case 12:
        return this.struct(depth + 1);
      default:
        throw new Malformed(`its metadata has a value of the unknown type ${type}`);
    }
  }

  #items(depth: number): ThriftValue[] {
    if (depth > depthMax) throw new Malformed('its metadata is nested too deep');
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#size() : head >> 4;
    // An item has a byte at least.
    if (count > this.#bytes.length - this.at) throw tooShort();
    const items: ThriftValue[] = [];
    for (let index = 0; index < count; index++) items.push(this.#value(head & 15, depth + 1));
    return items;
  }

  /** No field that is looked at has one. */
  #map(depth: number): ThriftValue {
    const count = this.#size();
    if (count === 0) return [];
    if (depth > depthMax || count > this.#bytes.length - this.at) throw tooShort();
    const types = this.#byte();
    for (let index = 0; index < count; index++) {
      this.#value(types >> 4, depth + 1);
      this.#value(types & 15, depth + 1);
    }
    return [];
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw tooShort();
    return byte;
  }

  #take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.at) throw tooShort();
    this.at += size;
    return this.#bytes.subarray(this.at - size, this.at);
  }

  #size(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 35) throw new Malformed('its metadata has a number of too many bytes');
    }
  }

  #zigzag(): number | bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
      if (shift > 63n) throw new Malformed('its metadata has a number of too many bytes');
    }
    const signed = (value >> 1n) ^ -(value & 1n);
    const small = Number(signed);
    return Number.isSafeInteger(small) ? small : signed;
  }
}

const tooShort = (): Malformed => new Malformed('its metadata ends too early');
