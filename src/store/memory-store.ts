import { assert } from '../base/assert.ts';
import { assertKey, type DeepStore, type StoredFile } from './deep-store.ts';
import { missing, tooShort } from './disk-store.ts';

/** The deep store as a Map, for tests; `objects` is open so that they can tear and flip bytes. */
export class MemoryStore implements DeepStore {
  readonly objects = new Map<string, Uint8Array>();

  async put(key: string, parts: readonly Uint8Array[]): Promise<void> {
    assertKey(key);
    assert(!this.objects.has(key), `${key} exists already`);
    this.objects.set(key, new Uint8Array(Buffer.concat(parts)));
  }

  async get(key: string, offset: number, sizeBytes: number): Promise<Uint8Array> {
    const bytes = this.#object(key).slice(offset, offset + sizeBytes);
    if (bytes.length < sizeBytes) throw tooShort(key, offset + bytes.length, offset + sizeBytes);
    return bytes;
  }

  async size(key: string): Promise<number> {
    return this.#object(key).length;
  }

  async list(folder: string): Promise<string[]> {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = new Set<string>();
    for (const key of this.objects.keys())
      if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split('/', 1)[0]!);
    return [...names].sort();
  }

  async remove(key: string): Promise<void> {
    assertKey(key);
    for (const other of [...this.objects.keys()])
      if (other === key || other.startsWith(`${key}/`)) this.objects.delete(other);
  }

  openSync(key: string): StoredFile {
    const bytes = this.#object(key);
    return {
      readSync(into, position) {
        const part = bytes.subarray(position, position + into.length);
        into.set(part);
        return part.length;
      },
      close() {},
    };
  }

  #object(key: string): Uint8Array {
    assertKey(key);
    const bytes = this.objects.get(key);
    if (!bytes) throw missing(key);
    return bytes;
  }
}
