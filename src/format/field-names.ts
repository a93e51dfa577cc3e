/** What the names of a row's fields mean: which column of the target each one is. */
import { matchName } from '../catalog/name.ts';
import type { ColumnDefinition } from '../catalog/table.ts';
import type { DecodeTarget, FieldReading } from './target.ts';

/** Names inside one kind of object: the row itself, or what is under a name of it and has members that are columns. */
export interface Scope {
  /** Positions in `DecodeTarget.columns`. */
  readonly columns: Map<string, number>;
  readonly within: Map<string, Scope>;
}

const emptyScope = (): Scope => ({ columns: new Map(), within: new Map() });

export class FieldNames {
  /** Of the row: what `DecodeTarget.fields` places. */
  readonly scope = emptyScope();
  /** By position: null for a column that is found by its name and written as any. */
  readonly readings: readonly (FieldReading | null)[];
  readonly #byName = new Map<string, number>();
  readonly #named: readonly ColumnDefinition[];

  constructor({ columns, fields }: DecodeTarget) {
    const readings = new Map(fields?.map(reading => [reading.column, reading]));
    this.readings = columns.map(({ name }) => readings.get(name) ?? null);
    columns.forEach(({ name }, index) => {
      const reading = readings.get(name);
      if (isPlaced(name, reading)) place(this.scope, reading.path, index);
      else this.#byName.set(name, index);
    });
    this.#named = columns.filter(({ name }) => this.#byName.has(name));
  }

  /** The column of that very name, else the only one that has it without regard to case; -1 for none. */
  find(name: string): number {
    const exact = this.scope.columns.get(name) ?? this.#byName.get(name);
    if (exact !== undefined) return exact;
    const folded = matchName(this.#named, name);
    return folded.length === 1 ? this.#byName.get(folded[0]!.name)! : -1;
  }

  /** Of a member: its column; -1 for none. */
  findWithin(path: readonly string[]): number {
    if (path.length === 1) return this.find(path[0]!);
    let scope: Scope | undefined = this.scope;
    for (const name of path.slice(0, -1)) scope = scope?.within.get(name);
    return scope?.columns.get(path.at(-1)!) ?? -1;
  }
}

/** Whether a column's values are somewhere else than under its name. */
const isPlaced = (name: string, reading: FieldReading | undefined): reading is FieldReading =>
  reading !== undefined && (reading.path.length > 1 || reading.path[0] !== name);

function place(scope: Scope, path: readonly string[], column: number): void {
  for (const name of path.slice(0, -1)) {
    const within = scope.within.get(name) ?? emptyScope();
    scope.within.set(name, within);
    scope = within;
  }
  scope.columns.set(path.at(-1)!, column);
}
