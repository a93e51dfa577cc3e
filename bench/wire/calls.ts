import type { TableDefinition } from '../../src/catalog/table.ts';
import type { Handlers } from '../../src/wire/call.ts';
import type { Stream } from '../../src/wire/calls.ts';

/** A call and a stream of the sizes that roles have for each other. */
export type BenchCalls = {
  /** What a query asks of another role first: little, and plain data. */
  echo: {
    in: { queryId: string; definition: TableDefinition; deadlineMs: number };
    out: { queryId: string; version: number };
  };
  frames: { in: { count: number; sizeBytes: number }; out: Stream<number> };
};

export const handlers: Handlers<BenchCalls> = {
  echo: ({ queryId, definition }) => ({ queryId, version: definition.version }),
  async *frames({ count, sizeBytes }) {
    let sum = 0;
    for (let frame = 0; frame < count; frame++) {
      const bytes = new Uint8Array(sizeBytes).fill(frame);
      sum += frame & 255;
      yield bytes;
    }
    return sum;
  },
};
