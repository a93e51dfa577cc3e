/** `npm run bench -- [suite…] [--json FILE] [--rows N] [--runs N] [--partitions N] [--smoke]` */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { indexesSuite } from './indexes.ts';
import { kafkaSuite } from './kafka/suite.ts';
import { loadSuite } from './load.ts';
import { memorySuite } from './memory.ts';
import { paymentsSuite } from './payments/suite.ts';
import { createProgress } from './progress.ts';
import { pushSuite } from './push/suite.ts';
import { alignTable, type BenchRow, formatCount, formatMs } from './row.ts';
import { scatterSuite } from './scatter/suite.ts';
import { sealSuite } from './seal.ts';
import { segmentsSuite } from './segments.ts';
import type { Suite } from './suite.ts';
import { wireSuite } from './wire/suite.ts';

const suites: readonly Suite[] = [
  paymentsSuite,
  scatterSuite,
  pushSuite,
  kafkaSuite,
  sealSuite,
  loadSuite,
  segmentsSuite,
  indexesSuite,
  memorySuite,
  wireSuite,
];
const runsDefault = 9;
const runsSmoke = 2;

const usage = `usage: npm run bench -- [suite…] [--json FILE] [--rows N] [--runs N] [--partitions N] [--smoke]

${suites.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

  --json FILE     write every row there
  --rows N        rows instead of the suite's own number
  --runs N        timed runs of each query (default ${runsDefault}); the median counts
  --partitions N  of the topic that the suite kafka fills
  --smoke         small, to see that everything works
`;

interface Order {
  readonly suites: readonly Suite[];
  readonly jsonPath: string | null;
  readonly rows: number | null;
  readonly runs: number;
  readonly partitions: number | null;
  readonly smoke: boolean;
}

/** @throws Error that says what is wrong with them */
function orderOf(args: readonly string[]): Order | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      rows: { type: 'string' },
      runs: { type: 'string' },
      partitions: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = positionals.find(name => !suites.some(suite => suite.name === name));
  if (unknown !== undefined) throw new Error(`there is no suite ${unknown}`);
  return {
    suites: positionals.length === 0 ? suites : suites.filter(({ name }) => positionals.includes(name)),
    jsonPath: values.json ?? null,
    rows: values.rows === undefined ? null : positive('--rows', values.rows),
    runs: values.runs === undefined ? (values.smoke ? runsSmoke : runsDefault) : positive('--runs', values.runs),
    partitions: values.partitions === undefined ? null : positive('--partitions', values.partitions),
    smoke: values.smoke,
  };
}

function positive(flag: string, text: string): number {
  const number = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${flag} takes a whole number from 1 up, not ${text}`);
  return number;
}

/** By the unit that ends its name. */
function formatMeasure(name: string, value: number): string {
  if (name.endsWith('Ms')) return formatMs(value);
  return name.endsWith('Ratio') || name.endsWith('Us') ? value.toFixed(2) : formatCount(value);
}

/** A line for each query: engines side by side where there are two. */
function tableOf(rows: readonly BenchRow[]): string {
  const queries = [...new Set(rows.map(({ query }) => query))];
  const others = [...new Set(rows.map(({ engine }) => engine))].filter(engine => engine !== 'weir');
  const header = ['query', 'rows', 'weir ms', ...others.map(other => `${other} ms`), 'ratio', 'measured', 'target'];
  const lines = queries.map(query => {
    const of = (engine: string) => rows.find(row => row.query === query && row.engine === engine);
    const weir = of('weir')!;
    return [
      query,
      formatCount(weir.rows),
      formatMs(weir.medianMs),
      ...others.map(of).map(other => (other ? formatMs(other.medianMs) : '')),
      weir.answersEqual ? (weir.ratio?.toFixed(2) ?? '') : 'answers differ',
      Object.entries(weir.measures ?? {})
        .map(([name, value]) => `${name} ${formatMeasure(name, value)}`)
        .join(', '),
      weir.target ? `${weir.target.text}: ${weir.target.met ? 'met' : 'missed'}` : '',
    ];
  });
  const used = header.map((_, column) => column < 3 || lines.some(line => line[column] !== ''));
  const kept = (cells: readonly string[]): string[] => cells.filter((_, column) => used[column]);
  return alignTable(kept(header), lines.map(kept));
}

/** @returns The process's exit code: 1 where answers differ. */
async function main(args: readonly string[]): Promise<number> {
  const order = orderOf(args);
  if (order === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const { suites: chosen, jsonPath, ...options } = order;
  const all: BenchRow[] = [];
  process.stdout.write(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}\n`);
  for (const suite of chosen) {
    const notes: string[] = [];
    const rows = await suite.run({ ...options, progress: createProgress(), note: text => void notes.push(text) });
    all.push(...rows);
    process.stdout.write(`\n${suite.name}\n${tableOf(rows)}\n${notes.map(note => `${note}\n`).join('')}`);
    // After each suite: a later one that fails takes nothing away.
    if (jsonPath !== null) await writeFile(jsonPath, `${JSON.stringify(all, null, 2)}\n`);
  }
  return all.every(({ answersEqual }) => answersEqual) ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage =
    error instanceof Error && (error.message.startsWith('--') || error.message.startsWith('there is no suite'));
  process.stderr.write(
    isUsage ? `bench: ${error.message}\n\n${usage}` : `bench: ${error instanceof Error ? error.stack : error}\n`,
  );
  process.exitCode = 2;
}
