/** What a builder of segments needs of a deep store. */
export interface SegmentSink {
  /** Durable once it resolves. */
  put(key: string, parts: readonly Uint8Array[]): Promise<void>;
}
