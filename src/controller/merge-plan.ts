/** Which segments become one: decided here from what the metadata says, carried out by the task role. */
import { loadPartition, type Replacement, type SegmentEntry } from '../catalog/table.ts';
import type { TableState } from './state.ts';

/** Parts of one merge: each costs a manifest and an open file. */
const mergePartsMax = 100;

/** Fewer are not worth a merge, unless they fill a segment. */
const mergePartsMin = 4;

const dayMs = 86_400_000;

type LoadCutoff = Pick<Replacement, 'loadsBelow'>;

/**
 * The oldest run of neighbours that is worth a merge; null where there is none. Neighbours are of one partition and stream,
 * without a gap between their offsets; together at most a segment's rows, and of a day or of one of the parts' own span, so
 * that pruning by time and retention stay as they were. The largest is at most half of the whole, so a row is rewritten
 * only when its segment doubles: O(log(rows)) times in its life.
 * @param pending Loads under way that will replace a range.
 * @param isExcluded Segments to be left alone: damaged ones.
 * @param sizeBytesMax Of what is merged at once; segments above half of it are large enough.
 */
export function planMerge(
  { definition, segments, replacements }: TableState,
  pending: readonly LoadCutoff[],
  isExcluded: (segment: SegmentEntry) => boolean,
  sizeBytesMax: number,
): readonly SegmentEntry[] | null {
  const { segmentRows } = definition.settings;
  const isSmall = ({ rowCount, sizeBytes }: SegmentEntry): boolean =>
    rowCount * 2 <= segmentRows && sizeBytes * 2 <= sizeBytesMax;
  const cutoffs = [...replacements, ...pending];
  const ordered = segments.toSorted(byPlace);
  for (let first = 0; first + 1 < ordered.length; first++) {
    const run = new Run(segmentRows, sizeBytesMax);
    for (const segment of ordered.slice(first, first + mergePartsMax)) {
      const last = run.parts.at(-1);
      if (!isSmall(segment) || isExcluded(segment)) break;
      if (last && !isNext(last, segment, cutoffs)) break;
      if (!run.take(segment)) break;
    }
    if (run.isWorthIt) return run.parts;
  }
  return null;
}

/** By partition, stream, load and offset: neighbours are next to each other. */
function byPlace(a: SegmentEntry, b: SegmentEntry): number {
  if (a.partition !== b.partition) return a.partition - b.partition;
  const [streamA, streamB] = [a.streamId ?? '', b.streamId ?? ''];
  if (streamA !== streamB) return streamA < streamB ? -1 : 1;
  const sequences = (a.loadSequence ?? 0) - (b.loadSequence ?? 0);
  return sequences === 0 ? a.startOffset - b.startOffset : sequences;
}

/** Loads that follow each other count as neighbours unless a replacement hides, or will hide, one alone. */
function isNext(last: SegmentEntry, next: SegmentEntry, replacements: readonly LoadCutoff[]): boolean {
  if (last.partition !== next.partition || last.streamId !== next.streamId) return false;
  if (last.partition !== loadPartition) return last.endOffset === next.startOffset;
  const [from, to] = [last.loadSequence ?? 0, next.loadSequence ?? 0];
  return !replacements.some(({ loadsBelow }) => from < loadsBelow && loadsBelow <= to);
}

/** Segments that would be one. */
class Run {
  readonly parts: SegmentEntry[] = [];
  readonly #rowCountMax: number;
  readonly #sizeBytesMax: number;
  #rowCount = 0;
  #rowCountLargest = 0;
  #sizeBytes = 0;
  #spanMsMax = dayMs;
  #minTimeMs = Number.POSITIVE_INFINITY;
  #maxTimeMs = Number.NEGATIVE_INFINITY;

  constructor(rowCountMax: number, sizeBytesMax: number) {
    this.#rowCountMax = rowCountMax;
    this.#sizeBytesMax = sizeBytesMax;
  }

  /** False where it would be too much. */
  take(segment: SegmentEntry): boolean {
    const { rowCount, sizeBytes, minTimeMs, maxTimeMs } = segment;
    const from = Math.min(this.#minTimeMs, minTimeMs ?? Number.POSITIVE_INFINITY);
    const to = Math.max(this.#maxTimeMs, maxTimeMs ?? Number.NEGATIVE_INFINITY);
    const spanMsMax = Math.max(this.#spanMsMax, (maxTimeMs ?? 0) - (minTimeMs ?? 0));
    if (this.#rowCount + rowCount > this.#rowCountMax) return false;
    if (this.#sizeBytes + sizeBytes > this.#sizeBytesMax) return false;
    if (to - from > spanMsMax) return false;
    this.parts.push(segment);
    this.#rowCount += rowCount;
    this.#rowCountLargest = Math.max(this.#rowCountLargest, rowCount);
    this.#sizeBytes += sizeBytes;
    this.#spanMsMax = spanMsMax;
    this.#minTimeMs = from;
    this.#maxTimeMs = to;
    return true;
  }

  get isWorthIt(): boolean {
    if (this.parts.length < 2 || this.#rowCountLargest * 2 > this.#rowCount) return false;
    return this.parts.length >= mergePartsMin || this.#rowCount * 2 > this.#rowCountMax;
  }
}
