/**
 * glibc keeps what is freed. It maps large buffers by themselves, and unmaps them when freed, but raises "large" up to
 * 32 MB as it sees such buffers come and go, and from then on cuts them out of heaps that only shrink at their end: a
 * process whose threads pass buffers of megabytes holds twice and three times what it uses. Held at a fixed size, freed
 * buffers go back at once. Other allocators (musl, macOS, Windows) have no such habit, and nothing is done about them.
 */
import type { Log } from '../base/seams.ts';

/** From here on a buffer is mapped by itself: a system call and its page faults are little beside filling it. */
const mapFromBytes = 256 << 10;

/** Of mallopt(3). */
const mmapThreshold = -3;
const trimThreshold = -1;

export interface Malloc {
  /** Gives whole free pages back to the system; takes milliseconds, in which no thread allocates. */
  trim(): void;
}

/** Before buffers come and go. Where there is no glibc, or no way to call it, nothing changes. */
export async function tuneMalloc(log: Log): Promise<Malloc> {
  const nothing: Malloc = { trim: () => {} };
  if (process.platform !== 'linux') return nothing;
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const mallopt = libc.func('int mallopt(int parameter, int value)');
    const mallocTrim = libc.func('int malloc_trim(size_t padding)');
    mallopt(mmapThreshold, mapFromBytes);
    mallopt(trimThreshold, mapFromBytes);
    return { trim: () => void mallocTrim(0) };
  } catch (error) {
    log.debug('the allocator keeps its own ways', { error });
    return nothing;
  }
}
