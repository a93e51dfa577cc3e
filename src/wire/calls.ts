/**
 * What roles ask of each other: typed calls, the same over MessagePort and TCP. Inputs and outputs are plain data.
 * A call whose `out` is a `Stream` sends frames (encoded batches, `column/frame`) under the receiver's credit and ends with a trailer.
 */

declare const stream: unique symbol;
/** Marks a streaming call: frames are `Uint8Array`s (an encoded Batch each), the trailer follows the last. */
export interface Stream<Trailer> {
  readonly [stream]: Trailer;
}

export interface PartitionRef {
  readonly tableId: string;
  readonly partition: number;
}

/** Freshness of one partition at the moment a query pinned it. Offsets are rows for the embedded log. */
export interface PartitionFreshness {
  readonly partition: number;
  /** First offset not yet visible. */
  readonly ingestedOffset: number;
  /** First offset not yet in the stream, as last observed. */
  readonly endOffset: number;
  readonly observedAtMs: number;
  /** Age of the oldest record not yet visible; 0 when caught up. */
  readonly lagMs: number;
  /** Largest event time seen, clamped to the ingestion clock; null before the first row or without a time column. */
  readonly watermarkMs: number | null;
  readonly state: 'consuming' | 'idle' | 'failed' | 'paused';
  readonly cause: string | null;
}
