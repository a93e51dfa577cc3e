import type { Progress } from './progress.ts';
import type { BenchRow } from './row.ts';

export interface BenchOptions {
  /** null: the suite's own. */
  readonly rows: number | null;
  readonly runs: number;
  /** Of a topic; null: the suite's own. */
  readonly partitions: number | null;
  /** Small, to see that it works: what it measures means nothing. */
  readonly smoke: boolean;
  readonly progress: Progress;
  /** Takes what is to be read beside the numbers. */
  note(text: string): void;
}

export interface Suite {
  readonly name: string;
  readonly summary: string;
  run(options: BenchOptions): Promise<BenchRow[]>;
}
