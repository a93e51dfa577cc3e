/** Where Apache Kafka's jars are, for tests and benchmarks, as sources and compiled. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Those that Weir is tested against. */
export const kafkaVersions = ['3.9.1', '4.1.0'] as const;

export const kafkaHint = 'bash test/support/kafka/install (needs Java 17 and Maven)';

/** Compiled, this file lies one folder deeper: `dist/test/support`. */
const root = [new URL('../../', import.meta.url), new URL('../../../', import.meta.url)].find(folder =>
  existsSync(new URL('package.json', folder)),
)!;

/** The folder of Apache Kafka's jars, as `test/support/kafka/install` makes it. */
export const kafkaJars = (version: string): string => fileURLToPath(new URL(`.cache/kafka/${version}/lib`, root));

export const isKafkaThere = (): boolean =>
  findProgram('java') !== null && kafkaVersions.every(version => existsSync(kafkaJars(version)));

/** The program's path; null where no folder of PATH has it. */
export function findProgram(...names: string[]): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  return null;
}
