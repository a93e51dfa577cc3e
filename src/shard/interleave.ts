import type { FrameStream } from '../wire/call.ts';
import type { RunStats } from '../wire/shard-calls.ts';

/**
 * Frames of several streams as they arrive, one of each read ahead; `onTrailer` sees each stream's trailer.
 * Fails with the first that fails. Ending the streams, early or not, is the caller's: through their signal first, since a
 * stream that waits for its next frame cannot be returned from.
 */
export async function* interleave<T>(
  streams: readonly FrameStream<T>[],
  onTrailer: (trailer: T, stream: number) => void,
): AsyncGenerator<{ readonly frame: Uint8Array; readonly stream: number }, void, void> {
  const arrived: { readonly stream: number; readonly result: IteratorResult<Uint8Array, T> }[] = [];
  let failure: { readonly error: unknown } | null = null;
  let wake: (() => void) | null = null;
  const pull = (stream: number): void => {
    streams[stream]!.next().then(
      result => {
        arrived.push({ stream, result });
        wake?.();
      },
      error => {
        failure ??= { error };
        wake?.();
      },
    );
  };
  for (const stream of streams.keys()) pull(stream);
  for (let open = streams.length; open > 0; ) {
    if (failure) throw (failure as { readonly error: unknown }).error;
    const next = arrived.shift();
    if (!next) {
      await new Promise<void>(resolve => {
        wake = resolve;
      });
      wake = null;
    } else if (next.result.done) {
      open--;
      onTrailer(next.result.value, next.stream);
    } else {
      pull(next.stream);
      yield { frame: next.result.value, stream: next.stream };
    }
  }
}

export const emptyStats = (): RunStats => ({
  rowsScanned: 0,
  rowsMatched: 0,
  blocksScanned: 0,
  blocksPruned: 0,
  unitsScanned: [],
  unitsAnswered: [],
  memoryPeakBytes: 0,
  elapsedMs: 0,
  filters: {},
});

export function addStats(into: RunStats, from: RunStats): void {
  into.rowsScanned += from.rowsScanned;
  into.rowsMatched += from.rowsMatched;
  into.blocksScanned += from.blocksScanned;
  into.blocksPruned += from.blocksPruned;
  into.unitsScanned.push(...from.unitsScanned);
  into.memoryPeakBytes += from.memoryPeakBytes;
  into.unitsAnswered.push(...from.unitsAnswered);
  for (const [how, blocks] of Object.entries(from.filters)) into.filters[how] = (into.filters[how] ?? 0) + blocks;
}
