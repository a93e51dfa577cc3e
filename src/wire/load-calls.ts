/** What is asked for batch loads: of the load role, and between it, the controller and who does the work. */
import type { LoadEntry, LoadReject, LoadState } from '../catalog/load.ts';
import type { Type } from '../column/type.ts';

export type LoadStart = Pick<LoadEntry, 'tableId' | 'key' | 'inputs' | 'options' | 'replace' | 'cutoffs'>;

/** Of the files' rows in their order, from the first. */
export interface LoadCounts {
  readonly rowsSettled: number;
  readonly rowsRejected: number;
  readonly rejects: readonly LoadReject[];
}

export interface LoadProgress {
  /** Of all its files together, as they are: compressed. */
  readonly bytesRead: number;
  readonly rowsRead: number;
  readonly rowsRejected: number;
  readonly rejects: readonly LoadReject[];
}

/** A load as it stands; `interrupted`: nobody works on it, and asking for it again goes on with it. */
export interface LoadStatus
  extends Omit<LoadEntry, 'state' | 'tableId' | 'options' | 'cutoffs' | 'rowsSettled'>,
    LoadProgress {
  readonly state: LoadState | 'interrupted';
  readonly table: string;
  readonly bytesTotal: number;
}

/** `InferredFileTable` of `format/file`, its shapes as JSON. */
export interface InferredFiles {
  readonly columns: readonly {
    readonly name: string;
    readonly type: Type;
    readonly nullable: boolean;
    readonly lowCardinality: boolean;
  }[];
  readonly timeColumn: string | null;
  readonly rowCount: number;
  readonly notes: readonly string[];
  readonly shapes: readonly unknown[];
}

/** A file of the server's disk, or a pattern of them, in a folder that the operator allowed; or an upload, with a name for people. */
export type LoadFile = { readonly path: string } | { readonly upload: string; readonly name: string };

export interface LoadRequest {
  readonly table: string;
  readonly files: readonly LoadFile[];
  /** `FileOptions` of `format/file`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** One more fails the load; null: any number. */
  readonly rejectsMax: number | null;
  readonly replace: { readonly fromMs: number; readonly toMs: number } | null;
  /** Loads of one table and key are one; null: the key follows from the files, how they are read, and what is replaced. */
  readonly key: string | null;
  /** Makes the table of what the files hold, where it is not there. */
  readonly create: boolean;
  /** Of a table that is made; undefined: the likeliest, null: none. */
  readonly timeColumn?: string | null;
}

export interface LoadProposal {
  /** CREATE TABLE of what the files hold. */
  readonly statement: string;
  /** What was guessed, and why. */
  readonly notes: readonly string[];
  /** Rows of the sample. */
  readonly rowCount: number;
}

export type LoadCalls = {
  /**
   * See `ControllerCalls.startLoad`. `created`: the statement of the table that was made for it.
   * @throws FaultError also FORBIDDEN, NOT_FOUND, INVALID_ROWS of the files, and UNKNOWN_TABLE
   */
  start: { in: LoadRequest; out: { load: LoadStatus; created: string | null; notes: readonly string[] } };
  /** Looks into the files, and changes nothing. */
  propose: { in: LoadRequest; out: LoadProposal };
  list: { in: null; out: readonly LoadStatus[] };
  /** @throws FaultError NOT_FOUND */
  get: { in: { loadId: string }; out: LoadStatus };
  /** See `ControllerCalls.cancelLoad`. */
  cancel: { in: { loadId: string }; out: LoadStatus };
  /** How much of an upload is there. */
  uploadState: { in: { uploadId: string }; out: { receivedBytes: number; isWhole: boolean } };
  /** The next part of an upload, whose id is the SHA-256 of its content. */
  putUpload: {
    in: { uploadId: string; offset: number; totalBytes: number; bytes: Uint8Array };
    out: { receivedBytes: number; isWhole: boolean };
  };
};
