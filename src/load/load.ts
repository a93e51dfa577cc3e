/**
 * The load role: from what somebody asks for to a load that the controller knows. Finds the files, looks into them, makes
 * the table where it is to be made, and fixes where the streams are, so that a replaced range hides what was there before.
 */
import { createHash } from 'node:crypto';
import { fault, toFault } from '../base/fault.ts';
import type { Clock, Disk, FileTree, Log } from '../base/seams.ts';
import type { LoadInput } from '../catalog/load.ts';
import { findTable, matchName } from '../catalog/name.ts';
import type { Replacement, TableDefinition } from '../catalog/table.ts';
import type { BrokerCalls } from '../wire/broker-calls.ts';
import type { Client, Handlers } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import type { InferredFiles, LoadCalls, LoadRequest, LoadStatus } from '../wire/load-calls.ts';
import type { TaskCalls } from '../wire/task-calls.ts';
import { loadFilesMax, loadKeyLengthMax, uploadSweepIntervalMs } from './limits.ts';
import { findFiles } from './places.ts';
import { checkFields, statementOf, tableOf } from './proposal.ts';
import { Uploads } from './uploads.ts';

export interface LoadSettings {
  /** Absolute; files below may be loaded by path. None: no file may. */
  readonly folders: readonly string[];
  readonly uploadsFolder: string;
}

export interface LoadComponents {
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
  readonly files: FileTree;
  readonly broker: Client<BrokerCalls>;
  readonly controller: Client<ControllerCalls>;
  readonly ingest: Client<IngestCalls>;
  readonly tasks: Client<TaskCalls>;
}

export interface LoadRole extends Handlers<LoadCalls> {
  /** Removes uploads that nobody needs, at once and then periodically, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLoadRole(settings: LoadSettings, components: LoadComponents): LoadRole {
  const { controller, tasks, broker, clock, log } = components;
  const uploads = new Uploads(settings.uploadsFolder, components);

  const inputsOf = async ({ files }: LoadRequest): Promise<LoadInput[]> => {
    const inputs: LoadInput[] = [];
    for (const file of files) {
      if ('upload' in file) inputs.push(await uploads.input(file.upload, file.name));
      else inputs.push(...(await findFiles(file.path, settings.folders, components.files)));
      if (inputs.length > loadFilesMax) throw tooManyFiles();
    }
    if (inputs.length === 0) throw fault('INVALID_REQUEST', 'a load needs a file', { hint: 'name one in "files"' });
    return inputs;
  };

  const tableFor = async (name: string): Promise<TableDefinition | null> => {
    const { tables } = await controller.call('catalog', null);
    return matchName(tables, name).length === 0 ? null : findTable(tables, name);
  };

  const propose = (request: LoadRequest, inferred: InferredFiles) =>
    tableOf(request.table, inferred, request.timeColumn === undefined ? inferred.timeColumn : request.timeColumn);

  const statusOf = async (loadId: string): Promise<LoadStatus> => {
    const load = (await controller.call('loads', null)).find(({ id }) => id === loadId);
    if (load) return load;
    throw fault('NOT_FOUND', `there is no load ${loadId.slice(0, 50)}`, {
      hint: 'GET /v1/loads names those there are',
    });
  };

  return {
    async start(request) {
      checkKey(request.key);
      const inputs = await inputsOf(request);
      const inferred = await tasks.call('inferFiles', { inputs, options: request.options });
      let table = await tableFor(request.table);
      let created: string | null = null;
      const notes = [...inferred.notes];
      if (table) notes.push(...checkFields(table, inferred));
      else if (!request.create)
        throw fault('UNKNOWN_TABLE', `there is no table ${request.table}`, {
          hint: 'create it, or ask for the load with "create": true',
        });
      else {
        const definition = propose(request, inferred);
        created = statementOf(definition);
        table = await broker.call('createTable', { definition, ifNotExists: true });
      }
      const { replace, rejectsMax, options } = request;
      const load = await controller.call('startLoad', {
        tableId: table.id,
        key: request.key ?? keyOf(inputs, { options, replace }),
        inputs,
        options: { shapes: inferred.shapes, rejectsMax },
        replace,
        cutoffs: replace ? await cutoffsOf(table.id, components) : [],
      });
      return { load, created, notes };
    },

    async propose(request) {
      const inferred = await tasks.call('inferFiles', { inputs: await inputsOf(request), options: request.options });
      const { notes, rowCount } = inferred;
      return { statement: statementOf(propose(request, inferred)), notes, rowCount };
    },

    list: () => controller.call('loads', null),
    get: ({ loadId }) => statusOf(loadId),
    cancel: ({ loadId }) => controller.call('cancelLoad', { loadId }),
    uploadState: ({ uploadId }) => uploads.state(uploadId),
    putUpload: ({ uploadId, offset, totalBytes, bytes }) => uploads.put(uploadId, offset, totalBytes, bytes),

    async run(signal) {
      while (!signal.aborted) {
        try {
          await uploads.sweep(usesOf(await controller.call('loads', null)));
        } catch (error) {
          log.warn('uploads could not be removed', { cause: toFault(error).message });
        }
        await clock.sleep(uploadSweepIntervalMs, signal).catch(() => {});
      }
    },
  };
}

const tooManyFiles = () =>
  fault('LIMIT_EXCEEDED', `a load of more than ${loadFilesMax} files`, { hint: 'load them in several' });

function checkKey(key: string | null): void {
  if (key === null || (key.length <= loadKeyLengthMax && /^[\x21-\x7e]+$/.test(key))) return;
  throw fault('INVALID_REQUEST', 'the key of the load is not well formed', {
    hint: `give 1 to ${loadKeyLengthMax} printable ASCII characters, without spaces`,
  });
}

/** The same files, read in the same way into the same range, are the same load. */
const keyOf = (inputs: readonly LoadInput[], how: Readonly<Record<string, unknown>>): string => {
  const text = JSON.stringify([inputs.map(({ fingerprint }) => fingerprint), how]);
  return `files-${createHash('sha256').update(text).digest('hex')}`;
};

/** By partition: rows below were there before. What comes while this is asked is late. */
async function cutoffsOf(
  tableId: string,
  { controller, ingest }: Pick<LoadComponents, 'controller' | 'ingest'>,
): Promise<Replacement['cutoffs']> {
  const partitionsOf = async () =>
    (await controller.call('partitions', null)).filter(entry => entry.tableId === tableId);
  const before = await partitionsOf();
  const states = await ingest.call('state', null);
  return (await partitionsOf()).map(({ partition, streamId, epoch, committedEnd }) => {
    const state = states.find(each => each.tableId === tableId && each.partition === partition);
    // One that was moved meanwhile is where the metadata has it.
    const stayed = before[partition]?.epoch === epoch;
    const ingested = stayed && state ? state.freshness.ingestedOffset : committedEnd;
    return { streamId, offset: Math.max(committedEnd, ingested) };
  });
}

/** By upload: null while a load may read it, else when the last one that did ended. */
function usesOf(loads: readonly LoadStatus[]): ReadonlyMap<string, number | null> {
  const uses = new Map<string, number | null>();
  for (const { inputs, state, finishedAtMs } of loads)
    for (const { kind, location } of inputs) {
      if (kind !== 'upload') continue;
      const known = uses.get(location);
      const isOpen = state === 'running' || state === 'interrupted';
      if (isOpen || known === null) uses.set(location, null);
      else uses.set(location, Math.max(known ?? 0, finishedAtMs ?? 0));
    }
  return uses;
}
