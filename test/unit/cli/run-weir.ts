import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import { nodeFileTree } from '../../../src/base/node-file-tree.ts';
import { systemClock } from '../../../src/base/system.ts';
import { checkDataFolder } from '../../../src/boot/check.ts';
import type { CommandIo } from '../../../src/cli/io.ts';
import { createProgram, registerCheck, registerClientCommands } from '../../../src/cli/program.ts';

interface RunOptions {
  readonly stdin?: string;
  readonly tty?: boolean;
  readonly replaced?: Partial<CommandIo>;
}

/** Runs `weir …` in this process, against the server at `url`. */
export async function runWeir(
  url: string,
  args: readonly string[],
  { stdin = '', tty = false, replaced = {} }: RunOptions = {},
) {
  const stdout = Object.assign(new PassThrough(), { isTTY: tty });
  const stderr = Object.assign(new PassThrough(), { isTTY: tty });
  const collect = (stream: PassThrough): (() => string) => {
    let text = '';
    stream.on('data', part => {
      text += part;
    });
    return () => text;
  };
  const [out, err] = [collect(stdout), collect(stderr)];
  let exitCode = 0;
  const io: CommandIo = {
    stdout,
    stderr,
    stdin: Object.assign(Readable.from([stdin]), { isTTY: tty }),
    env: { WEIR_URL: url },
    clock: systemClock,
    disk: nodeDisk,
    files: nodeFileTree,
    temporaryPath: () => join(tmpdir(), `weir-test-${randomUUID()}`),
    untilInterrupted: () => new AbortController().signal,
    openKafka: () => Promise.reject(new Error('no Kafka in this test')),
    openSchemas: () => Promise.reject(new Error('no schema registry in this test')),
    checkFolder: checkDataFolder,
    setExitCode(code: number) {
      exitCode = code;
    },
    ...replaced,
  };
  const program = createProgram(io, '0.1.0').exitOverride();
  registerClientCommands(program, io);
  registerCheck(program, io, 'segments');
  for (const command of program.commands) command.exitOverride();
  await program.parseAsync(['node', 'weir', ...args]);
  await new Promise(resolve => setImmediate(resolve));
  return { out: out(), err: err(), exitCode };
}
