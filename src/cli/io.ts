/** What a command meets of its process: passed in, so that a test can hold it. */
import type { Readable, Writable } from 'node:stream';
import type { Clock, Disk, FileTree } from '../base/seams.ts';
import type { SchemaSource } from '../catalog/schema-source.ts';
import type { SchemaRegistry } from '../catalog/table.ts';
import type { CheckOptions, CheckReport } from '../check/report.ts';
import type { KafkaClient, KafkaConnection } from '../stream/kafka/types.ts';

export type Terminal = Writable & { readonly isTTY?: boolean };

export interface CommandIo {
  /** Results. */
  readonly stdout: Terminal;
  /** Everything that is about the work: progress, timing, errors. */
  readonly stderr: Terminal;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly files: FileTree;
  /** Of a file that nobody else has. */
  temporaryPath(): string;
  /** Aborted by the first Ctrl-C, which then does not end the process. */
  untilInterrupted(): AbortSignal;
  /** Late, because most commands need none: their code loads when it is asked for. */
  openKafka(connection: KafkaConnection): Promise<KafkaClient>;
  openSchemas(registry: SchemaRegistry): Promise<SchemaSource>;
  /** @throws FaultError DATA_FOLDER_IN_USE, NOT_FOUND */
  checkFolder(dataFolder: string, options: CheckOptions): Promise<CheckReport>;
  /** Of the process, once it ends by itself. */
  setExitCode(code: number): void;
}

/** The reader of standard output went away (`| head`): the command ends, and that is no failure. */
export class OutputClosed extends Error {}

/** Writes to standard output as fast as its reader takes it. @throws OutputClosed */
export async function print(stdout: Terminal, text: string | Uint8Array): Promise<void> {
  if (stdout.destroyed || stdout.errored) throw new OutputClosed();
  if (stdout.write(text)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (end: () => void) => () => {
      stdout.off('drain', onDrain).off('close', onClose).off('error', onClose);
      end();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(new OutputClosed()));
    stdout.once('drain', onDrain).once('close', onClose).once('error', onClose);
  });
}

const thousands = new Intl.NumberFormat('en-US');
export const count = (value: number): string => thousands.format(value);

export const plural = (value: number, one: string): string => `${count(value)} ${one}${value === 1 ? '' : 's'}`;

export const duration = (ms: number): string => (ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`);
