import { setFlagsFromString } from 'node:v8';

/**
 * How much a heap grows, in percent of what lives in it, before all of it is marked again. Buffers outside the heap count,
 * and ingestion makes and drops hundreds of megabytes of them a second, beside a small heap: with V8's own measure it is
 * marked all the time, which costs a third of the processor time of reading a topic. Most of them die with the young
 * objects that hold them, long before this.
 */
const growthPercent = 200;

/** For all threads of this process; before the first of them starts. */
export const letHeapsGrow = (): void => setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
