/** Paths of SQL/JSON, as far as they lead to one value: `$.a.b[0]`, `$['a']`, `$."a b"`. */
import { invalidArgument } from './errors.ts';
import type { Step } from './json-scan.ts';

const stepPattern =
  /\s*(?:\.\s*(?:([\p{L}_$][\p{L}\p{N}_$-]*)|"((?:[^"\\]|\\.)*)")|\[\s*(?:(-?\d{1,9})|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\])/uy;

const unescaped = (text: string): string => text.replace(/\\(.)/gsu, '$1');

/** Longer ones are not paths that anybody wrote. */
const pathLengthMax = 1_000;

/** @throws {FaultError} INVALID_PARAMETER */
export function parsePath(text: string): readonly Step[] {
  if (text.length > pathLengthMax)
    throw invalidArgument(`a JSON path of ${text.length} characters`, `at most ${pathLengthMax} are read`);
  const start = /^\s*(?:lax\s+)?\$/.exec(text);
  if (start === null) throw invalidArgument(`${shown(text)} is no JSON path`, "write '$.key', '$.key[0]' or '$'");
  const steps: Step[] = [];
  stepPattern.lastIndex = start[0].length;
  while (!/^\s*$/.test(text.slice(stepPattern.lastIndex))) {
    const from = stepPattern.lastIndex;
    const match = stepPattern.exec(text);
    if (match === null)
      throw invalidArgument(
        `JSON path ${shown(text)} is not understood from character ${from + 1} on`,
        "steps are .key, [0] and ['key']",
      );
    const [, word, quoted, index, single, double] = match;
    const key = word ?? quoted ?? single ?? double;
    steps.push(index !== undefined ? Number(index) : word !== undefined ? word : unescaped(key!));
  }
  return steps;
}

/** Longest part of a path that a message repeats. */
const shownLengthMax = 60;
const shown = (text: string): string =>
  JSON.stringify(text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text);
