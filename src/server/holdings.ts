/** Which segments this process holds, in which generation, and who reads them now. */

import type { PlacedSegment } from '../wire/cluster-calls.ts';
import type { ServerScan } from '../wire/server-calls.ts';

interface Held {
  segment: PlacedSegment;
  userCount: number;
  /** Called when the last user of one that was removed is done. */
  onIdle: (() => void) | null;
}

/** What of some scans is here; `release` is called exactly once. */
export interface HeldScans {
  readonly scans: readonly ServerScan[];
  release(): void;
}

export class Holdings {
  readonly #held = new Map<string, Held>();

  /** By id. */
  get segments(): readonly PlacedSegment[] {
    return Array.from(this.#held.values(), ({ segment }) => segment);
  }

  has({ id, generation }: Pick<PlacedSegment, 'id' | 'generation'>): boolean {
    return this.#held.get(id)?.segment.generation === generation;
  }

  get(id: string): PlacedSegment | null {
    return this.#held.get(id)?.segment ?? null;
  }

  /** It is on disk whole. A later generation takes the place of the one before; its files are still there for who reads it. */
  add(segment: PlacedSegment): void {
    const known = this.#held.get(segment.id);
    if (known) known.segment = segment;
    else this.#held.set(segment.id, { segment, userCount: 0, onIdle: null });
  }

  /** From now on nobody starts to read it; resolves when nobody reads it any more. */
  async remove(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    if (held.userCount === 0) return;
    await new Promise<void>(resolve => {
      held.onIdle = resolve;
    });
  }

  /** The scans without segments that are not here in the generation asked for; ranges are another process's. */
  use(scans: readonly ServerScan[]): HeldScans {
    const used: Held[] = [];
    const here = scans.map(scan => ({
      ...scan,
      ranges: [],
      segments: scan.segments.filter(entry => {
        const held = this.#held.get(entry.id);
        if (held?.segment.generation !== entry.generation) return false;
        held.userCount++;
        used.push(held);
        return true;
      }),
    }));
    return {
      scans: here,
      release() {
        for (const held of used) if (--held.userCount === 0) held.onIdle?.();
      },
    };
  }
}
