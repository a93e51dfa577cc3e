import type { FrameStream } from '../wire/call.ts';

/**
 * Frames of several streams as they arrive, one of each read ahead; `onTrailer` sees each stream's trailer.
 * Fails with the first that fails. Ending the streams, early or not, is the caller's: through their signal first, since a
 * stream that waits for its next frame cannot be returned from.
 */
export async function* interleave<T>(
  streams: readonly FrameStream<T>[],
  onTrailer: (trailer: T, stream: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
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
      yield next.result.value;
    }
  }
}
