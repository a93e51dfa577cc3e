/** The `weir` program and its client commands; whoever composes the server adds `start`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FaultError } from '../base/fault.ts';
import { kafkaWords } from '../catalog/kafka-source.ts';
import { WeirError } from '../client/error.ts';
import { fileFormats } from '../format/file/types.ts';
import { type CheckCommandOptions, runCheck } from './check-command.ts';
import { type CreateOptions, runCreate, sampleMessagesDefault, sampleMessagesMax } from './create-command.ts';
import { runDrain } from './drain-command.ts';
import { errorText } from './error-text.ts';
import { runHealth } from './health-command.ts';
import { type CommandIo, OutputClosed } from './io.ts';
import { type LoadOptions, runLoad } from './load-command.ts';
import { runSql, type SqlFormat, sqlFormats } from './sql-command.ts';

export type { CommandIo } from './io.ts';
export type Program = Command;

export const defaultUrl = 'http://127.0.0.1:8090';

/** Commands write to `io` alone, and leave their exit code there. */
export function createProgram(io: CommandIo, version: string): Program {
  const program = new Command('weir')
    .description('Real-time OLAP analytics: SQL over events that are seconds old')
    .version(version)
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
    .showHelpAfterError('(weir --help lists the commands)');
  // Without a listener the reader that goes away (`| head`) would crash the process; `print` reports it.
  io.stdout.on('error', () => {});
  return program;
}

export function registerClientCommands(program: Program, io: CommandIo): void {
  registerSql(program, io);
  registerLoad(program, io);
  registerCreate(program, io);
  registerDrain(program, io);
  registerHealth(program, io);
}

/** @param dataFolder Where there is none given. */
export function registerCheck(program: Program, io: CommandIo, dataFolder: string): void {
  program
    .command('check')
    .description('verify every byte of a data folder that no Weir runs on')
    .option('--data <folder>', 'data folder', dataFolder)
    .option('--deep', 'also compare zone maps and indexes with every value', false)
    .option('--json', 'the report as JSON', false)
    .addHelpText('after', '\nNothing is changed. The exit code is 1 where something is damaged.')
    .action(async (options: CheckCommandOptions) => {
      await guard(io, () => runCheck(options, io));
    });
}

const urlOption = (io: CommandIo): Option =>
  new Option('--url <url>', 'of the server (or the environment variable WEIR_URL)')
    .default(io.env.WEIR_URL || defaultUrl)
    .argParser(text => {
      if (!/^https?:\/\/[^/]+/.test(text)) throw new InvalidArgumentError('It begins with http:// or https://.');
      return text;
    });

function registerSql(program: Program, io: CommandIo): void {
  program
    .command('sql')
    .description('run a statement and print its answer')
    .argument('<statement>', 'SQL; - reads it from standard input')
    .addOption(urlOption(io))
    .addOption(
      new Option('--format <format>', 'csv and json are the bytes of the server; ndjson is an object a row')
        .choices(sqlFormats)
        .default('table'),
    )
    .option('--timeout <ms>', 'give up after so many milliseconds', parseMs)
    .option('--allow-partial', 'take an answer that lacks some segments, and say so')
    .action(
      async (
        statement: string,
        options: { url: string; format: SqlFormat; timeout?: number; allowPartial?: boolean },
      ) => {
        const sql = statement === '-' ? await readAll(io) : statement;
        await guard(io, () => runSql(sql, { ...options, timeoutMs: options.timeout }, io), sql);
      },
    );
}

function registerLoad(program: Program, io: CommandIo): void {
  program
    .command('load')
    .description('load files into a table: CSV, NDJSON, JSON, Parquet, Arrow, Avro; text also gzip or zstd')
    .argument('<file...>', "paths, or patterns ('in/*.parquet'); - is standard input")
    .requiredOption('--table <name>', 'created from what the files hold, where it is not there')
    .addOption(urlOption(io))
    .addOption(new Option('--format <format>', 'found out unless given').choices(fileFormats))
    .option('--delimiter <character>', 'of CSV; found out unless given')
    .option('--no-header', 'the first line of a CSV is a row as the others')
    .addOption(
      new Option('--nested <how>', 'an object is one JSON value, or a column a member').choices(['json', 'flatten']),
    )
    .option(
      '--replace <from/to>',
      'in the moment in which the rows show, hide those of that time range: 2024-01-01/2024-01-02',
    )
    .option('--time-column <name>', 'of a table that is created; found out unless given')
    .option('--no-create', 'fail where there is no such table')
    .option('--dry-run', 'only print the CREATE TABLE; asks no server', false)
    .option('--strict', 'one bad row fails the load, and nothing becomes visible', false)
    .option('--max-rejects <rows>', 'more bad rows fail the load', parseCount)
    .option('--key <key>', 'loads of one table and key are one load; made of the files unless given')
    .option('--again', 'load once more what was loaded before', false)
    .option('--json', 'print how the load ended as JSON', false)
    .addHelpText(
      'after',
      '\nRows show all at once, when the last is there. A second run of the same load adds nothing twice, and goes on where one ' +
        'that was interrupted stopped. Bad rows are counted and named, and the exit code stays 0, unless --strict.',
    )
    .action(async (names: readonly string[], options: LoadOptions) => {
      await guard(io, () => runLoad(names, options, io));
    });
}

function registerCreate(program: Program, io: CommandIo): void {
  program
    .command('create')
    .description('look into a topic of Apache Kafka and propose a table for it')
    .requiredOption('--from-kafka', 'where the table reads from')
    .requiredOption('--brokers <host:port,…>', 'one or more brokers to begin with')
    .requiredOption('--topic <topic>')
    .option('--name <table>', "the table's name; the topic's unless given")
    .addOption(new Option('--format <format>', 'of the messages; guessed unless given').choices(kafkaWords.format))
    .option('--schema-registry <url>', 'where messages name a schema by its id')
    .addOption(new Option('--sasl-mechanism <mechanism>').choices(kafkaWords.sasl_mechanism))
    .option('--sasl-username <name>')
    .option('--sasl-password <reference>', 'where it is: env:NAME or file:/path')
    .option('--tls', 'encrypted, with the authorities that Node trusts')
    .option('--tls-ca <reference>', 'PEM of the authorities to trust instead: file:/path')
    .option('--sample <messages>', 'how many to look at', parseSample, sampleMessagesDefault)
    .option('--yes', 'create it without asking', false)
    .option('--dry-run', 'only print the statement', false)
    .addOption(urlOption(io))
    .addHelpText(
      'after',
      '\nThe statement goes to standard output. Secrets are read here and by the server, each in its own environment.',
    )
    .action(async (options: CreateOptions) => {
      await guard(io, () => runCreate(options, io));
    });
}

function registerDrain(program: Program, io: CommandIo): void {
  program
    .command('drain')
    .description('let a server of the cluster leave: its segments move to the others first')
    .argument('<server>', 'its id, as in system.servers')
    .addOption(urlOption(io))
    .action(async (server: string, { url }: { url: string }) => {
      await guard(io, () => runDrain(server, url, io));
    });
}

function registerHealth(program: Program, io: CommandIo): void {
  program
    .command('health')
    .description('whether a server answers queries, and what is wrong with it')
    .addOption(urlOption(io))
    .addHelpText('after', '\nThe exit code is 0 while queries are answered.')
    .action(async (options: { url: string }) => {
      await guard(io, () => runHealth(options, io));
    });
}

function parseSample(text: string): number {
  const messages = Number(text);
  if (Number.isInteger(messages) && messages >= 1 && messages <= sampleMessagesMax) return messages;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${sampleMessagesMax}.`);
}

function parseCount(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 0) return rows;
  throw new InvalidArgumentError('It is a whole number.');
}

function parseMs(text: string): number {
  const ms = Number(text);
  if (Number.isInteger(ms) && ms > 0) return ms;
  throw new InvalidArgumentError('It is a whole number of milliseconds.');
}

async function readAll({ stdin }: CommandIo): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stdin) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

/** An expected failure is told, not thrown: the exit code is 1. */
async function guard(io: CommandIo, run: () => Promise<void>, sql?: string): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof OutputClosed) return;
    const described =
      error instanceof WeirError ? error : error instanceof FaultError ? error.fault : new Error(String(error));
    io.stderr.write(errorText(described, sql));
    io.setExitCode(1);
  }
}
