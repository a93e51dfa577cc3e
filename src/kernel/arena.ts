/** The contract of a shard's memory; implemented beside this. */
export interface ArenaViews {
  /** Views over the whole memory, made once: it is reserved whole, so they never detach. Index with `address / elementSize`. */
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}
