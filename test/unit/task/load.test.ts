import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FaultError, fault } from '../../../src/base/fault.ts';
import { silentLog } from '../../../src/base/seams.ts';
import type { LoadEntry } from '../../../src/catalog/load.ts';
import { loadPartition, type SegmentEntry, type TableDefinition, virtualColumns } from '../../../src/catalog/table.ts';
import { LONG, STRING, TIMESTAMP } from '../../../src/column/type.ts';
import { valueAt } from '../../../src/column/value.ts';
import type { FileShape } from '../../../src/format/file/types.ts';
import { readStoredColumn } from '../../../src/segment/column-reader.ts';
import { OpenFiles } from '../../../src/segment/files.ts';
import { readManifest } from '../../../src/segment/reader.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { loadFiles } from '../../../src/task/load.ts';
import type { ControllerCalls } from '../../../src/wire/controller-calls.ts';
import type { LoadProgress } from '../../../src/wire/load-calls.ts';
import { local } from '../../../src/wire/local.ts';
import { FaultDisk } from '../../sim/fault-disk.ts';
import { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const tableOf = (segmentRows: number): TableDefinition => ({
  ...{ id: '00000000000a', name: 't', version: 1, timeColumnId: 1, indexes: [], createdAtMs: 0 },
  columns: [
    { id: 1, name: 'ts', type: TIMESTAMP, nullable: true, defaultValue: null },
    { id: 2, name: 'x', type: LONG, nullable: false, defaultValue: null },
    { id: 3, name: 's', type: STRING, nullable: true, defaultValue: null },
  ],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows, segmentAgeMs: 1000, retentionMs: null },
});

const shape: FileShape = { format: 'ndjson', compression: 'none', dialect: null, nested: 'json', fields: [] };

/** Null: a line that is no row. */
type Line = { readonly ts: number; readonly x: number; readonly s: string | null } | null;

/** A load over files on a disk of the test, and what the controller keeps of it. */
class World {
  readonly disk = new FaultDisk(seededRandom(1));
  readonly store = new MemoryStore();
  readonly staged: SegmentEntry[] = [];
  load: LoadEntry;
  progress: LoadProgress | null = null;
  readonly #definition: TableDefinition;
  readonly #bufferSizeBytes: number;
  /** Goes on from run to run, as chance does. */
  readonly #random = seededRandom(2);

  constructor(segmentRows: number, bufferSizeBytes: number, rejectsMax: number | null, fileCount: number) {
    this.#definition = tableOf(segmentRows);
    this.#bufferSizeBytes = bufferSizeBytes;
    this.load = {
      ...{ id: 'feedfeedfeedfeed', tableId: this.#definition.id, key: 'k', sequence: null, loadsBelow: 1 },
      ...{ state: 'running', inputs: [], replace: null, cutoffs: [] },
      options: { shapes: Array.from({ length: fileCount }, () => shape), rejectsMax },
      ...{ rowsSettled: 0, rowsLoaded: 0, rowsRejected: 0, rejects: [] },
      ...{ createdAtMs: 0, finishedAtMs: null, error: null },
    };
  }

  async addFile(lines: readonly Line[]): Promise<void> {
    const name = `/in/${this.load.inputs.length}.ndjson`;
    const text = lines.map(line => (line ? JSON.stringify({ ...line, ts: new Date(line.ts).toISOString() }) : 'no'));
    const bytes = new TextEncoder().encode(text.map(line => `${line}\n`).join(''));
    await this.disk.makeFolder('/in');
    const file = await this.disk.open(name, 'create');
    await file.write(bytes, 0);
    const { fingerprint } = await file.stat();
    const input = { kind: 'path', location: name, name, sizeBytes: bytes.length, fingerprint } as const;
    this.load = { ...this.load, inputs: [...this.load.inputs, input] };
  }

  /** @param failAt The call to stage that fails, counted from 1: before it is written down, or after. */
  run(failAt: { readonly call: number; readonly after: boolean } | null = null) {
    let calls = 0;
    const controller = local({
      stageSegment: ({ segment, loadId: _, ...counts }: ControllerCalls['stageSegment']['in']) => {
        const fails = ++calls === failAt?.call;
        if (fails && !failAt.after) throw fault('UNAVAILABLE', 'the controller is away');
        expect(segment.startOffset).toBe(this.load.rowsLoaded);
        this.staged.push(segment);
        this.load = { ...this.load, ...counts, rowsLoaded: segment.endOffset };
        if (fails) throw fault('UNAVAILABLE', 'the controller is away');
        return null;
      },
      loadProgress: ({ loadId: _, ...progress }: ControllerCalls['loadProgress']['in']) => {
        this.progress = progress;
        return null;
      },
    } as never) as never;
    return loadFiles(
      this.#definition,
      this.load,
      {
        ...{ disk: this.disk, uploadsFolder: '/uploads', store: this.store, controller, log: silentLog },
        ...{ clock: new ManualClock(), random: this.#random },
        loadBufferSizeBytes: this.#bufferSizeBytes,
      },
      new AbortController().signal,
    );
  }

  /** Rows of all staged segments, in the order of their offsets. */
  rows(): Line[] {
    const files = new OpenFiles(this.store);
    return this.staged.flatMap(entry => {
      const manifest = readManifest(entry, files);
      const [offset, ts, x, s] = [virtualColumns.offset, 1, 2, 3].map(id => readStoredColumn(manifest, id, files)!);
      return Array.from({ length: entry.rowCount }, (_, row) => ({
        offset: Number(valueAt(offset!, row)),
        ts: Number(valueAt(ts!, row)),
        x: Number(valueAt(x!, row)),
        s: valueAt(s!, row) as string | null,
      }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, ...line }, index) => {
          expect(offset).toBe(entry.startOffset + index);
          return line;
        });
    });
  }
}

const line: fc.Arbitrary<Line> = fc.option(
  fc.record({ ts: fc.nat(1_000), x: fc.nat(1_000), s: fc.option(fc.constantFrom('a', 'b', 'longer than others')) }),
  { freq: 6 },
);
const fileLines = fc.array(fc.array(line, { maxLength: 120 }), { minLength: 1, maxLength: 3 });

describe('a load', () => {
  test('that stops at any segment goes on there: every row once, every reject once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fileLines,
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(1, 2_000, 1 << 30),
        fc.array(fc.record({ call: fc.integer({ min: 1, max: 3 }), after: fc.boolean() }), { maxLength: 4 }),
        async (files, segmentRows, bufferSizeBytes, failures) => {
          const world = new World(segmentRows, bufferSizeBytes, null, files.length);
          for (const lines of files) await world.addFile(lines);
          for (const failure of failures) await world.run(failure).catch(() => {});
          const counts = await world.run();
          const lines = files.flat();
          expect(world.rows()).toEqual(lines.filter(each => each !== null));
          const rejected = lines.filter(each => each === null).length;
          expect(counts).toMatchObject({ rowsSettled: lines.length, rowsRejected: rejected });
          expect(counts.rejects).toHaveLength(Math.min(rejected, 100));
          const named = files.flatMap((of, file) =>
            of.flatMap((each, index) => (each ? [] : [`/in/${file}.ndjson:${index + 1}`])),
          );
          expect(counts.rejects.map(reject => `${reject.file}:${reject.line}`)).toEqual(named.slice(0, 100));
          for (const { rowCount, partition } of world.staged)
            expect([rowCount <= segmentRows, partition]).toEqual([true, loadPartition]);
        },
      ),
      { numRuns: 60 },
    );
  });

  const codeOf = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'none',
      (error: FaultError) => error.fault.code,
    );
  const good = { ts: 1, x: 1, s: null };

  test('with more rejects than it may have ends, and has told of them', async () => {
    const world = new World(10, 1 << 30, 1, 1);
    await world.addFile([good, null, good, null]);
    expect(await codeOf(world.run())).toBe('INVALID_ROWS');
    expect(world.progress).toMatchObject({ rowsRejected: 2, rejects: [{ line: 2 }, { line: 4 }] });
    expect(world.staged).toEqual([]);
  });

  test('of a file that is another by now, or gone, ends', async () => {
    const world = new World(10, 1 << 30, null, 2);
    await world.addFile([good]);
    await world.addFile([good]);
    const [, second] = world.load.inputs;
    const file = await world.disk.open(second!.location, 'write');
    await file.write(new TextEncoder().encode('{"x": 2}\n'), second!.sizeBytes);
    expect(await codeOf(world.run())).toBe('CONSTRAINT');
    await world.disk.remove(second!.location);
    expect(await codeOf(world.run())).toBe('NOT_FOUND');
  });

  test('of a file that changes while it is read ends', async () => {
    const world = new World(1, 1 << 30, null, 1);
    await world.addFile([good, good]);
    const [input] = world.load.inputs;
    const put = world.store.put.bind(world.store);
    world.store.put = async (key, parts) => {
      const file = await world.disk.open(input!.location, 'write');
      await file.write(new TextEncoder().encode('x'), input!.sizeBytes);
      return put(key, parts);
    };
    expect(await codeOf(world.run())).toBe('CONSTRAINT');
  });
});
