/**
 * Runs a Dockerfile's own instructions without Docker: each stage is a folder, in which its COPYs and RUNs happen. What it
 * knows is what Weir's needs: FROM … AS, ARG, ENV, WORKDIR, COPY [--from], RUN, USER by number, VOLUME, EXPOSE, HEALTHCHECK,
 * ENTRYPOINT and CMD as lists. Anything else throws, so that nothing is passed over.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Image {
  /** Stands for `/` of the container. */
  readonly root: string;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number } | null;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly volumes: readonly string[];
  readonly ports: readonly number[];
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

type Stage = { -readonly [K in keyof Image]: Image[K] };

/** Comments gone, continued lines joined. */
function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter(line => !/^\s*(#|$)/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map(line => {
      const [name, ...rest] = line.trim().split(' ');
      return { name: name!, text: rest.join(' ') };
    });
}

const listOf = (text: string): string[] => JSON.parse(text) as string[];

/** Paths of the container that a command names, in the stage's folder. */
export const inRoot = ({ root }: Pick<Image, 'root'>, text: string): string =>
  text.replaceAll(
    /(^|[\s:=])\/(weir|data)(?=\/|$|[\s:])/g,
    (_, before: string, name: string) => `${before}${join(root, name)}`,
  );

/** @param folder Empty; a folder for each stage is made in it. */
export function buildImage(dockerfile: string, context: string, folder: string): Image {
  const stages = new Map<string, Stage>();
  let stage: Stage | null = null;
  for (const { name, text } of instructionsOf(readFileSync(dockerfile, 'utf8'))) {
    if (name === 'ARG') continue;
    if (name === 'FROM') {
      const alias = / AS (\w+)$/.exec(text)?.[1] ?? 'last';
      stage = freshStage(join(folder, alias));
      stages.set(alias, stage);
    } else if (stage === null) throw new Error(`${name} before FROM`);
    else apply(stage, stages, { name, text }, context);
  }
  return stage!;
}

function freshStage(root: string): Stage {
  mkdirSync(root, { recursive: true });
  return {
    ...{ root, workingFolder: root, environment: {}, user: null },
    ...{ entrypoint: [], command: [], healthcheck: [], volumes: [], ports: [] },
  };
}

function apply(stage: Stage, stages: ReadonlyMap<string, Stage>, { name, text }: Instruction, context: string): void {
  switch (name) {
    case 'WORKDIR':
      stage.workingFolder = join(stage.root, text);
      mkdirSync(stage.workingFolder, { recursive: true });
      return;
    case 'ENV': {
      const [key, value] = text.split('=') as [string, string];
      stage.environment = { ...stage.environment, [key]: value };
      return;
    }
    case 'COPY':
      copy(stage, stages, text.split(' '), context);
      return;
    case 'RUN':
      execFileSync('sh', ['-c', inRoot(stage, text)], {
        cwd: stage.workingFolder,
        env: { ...process.env, ...stage.environment },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return;
    case 'USER': {
      const [uid, gid] = text.split(':').map(Number) as [number, number];
      stage.user = { uid, gid };
      return;
    }
    case 'VOLUME':
      stage.volumes = [...stage.volumes, text];
      return;
    case 'EXPOSE':
      stage.ports = [...stage.ports, Number(text)];
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = listOf(text.slice(text.indexOf('CMD ') + 4));
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = listOf(text);
      return;
    case 'CMD':
      stage.command = listOf(text);
      return;
    default:
      throw new Error(`instruction ${name} is not known here`);
  }
}

function copy(stage: Stage, stages: ReadonlyMap<string, Stage>, words: readonly string[], context: string): void {
  const from = words[0]!.startsWith('--from=') ? stages.get(words[0]!.slice('--from='.length))! : null;
  const paths = from ? words.slice(1) : words;
  const target = join(stage.workingFolder, paths.at(-1)!);
  for (const path of paths.slice(0, -1)) {
    const source = from ? join(from.root, path) : join(context, path);
    const isInto = paths.at(-1)!.endsWith('/');
    cpSync(source, isInto ? join(target, basename(path)) : target, { recursive: true, verbatimSymlinks: true });
  }
  chmodSync(stage.root, 0o755);
}
