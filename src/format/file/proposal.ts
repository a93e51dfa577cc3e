/** Fields of files → columns of one table: types that hold the values of all files, names that a column may have. */
import { foldName, isColumnName, nameLengthMax } from '../../catalog/name.ts';
import { DATE, DOUBLE, LONG, STRING, sameType, TIMESTAMP, type Type } from '../../column/type.ts';
import { chooseTimeColumn } from '../infer.ts';
import { fileColumnsMax } from '../limits.ts';
import type { FieldReading } from '../target.ts';
import type { TimeSpelling } from '../time-spelling.ts';
import type { FileShape, InferredFileTable } from './types.ts';

/** A field as one file shows it. */
export interface ProposedField {
  readonly path: readonly string[];
  /** null: nothing but NULLs was seen. */
  readonly type: Type | null;
  readonly times: TimeSpelling | null;
  readonly nullTexts: readonly string[];
  /** In each row of the sample. */
  readonly full: boolean;
  readonly lowCardinality: boolean;
  readonly note: string | null;
}

export interface ProposedFile {
  readonly shape: FileShape;
  readonly fields: readonly ProposedField[];
  readonly rowCount: number;
  readonly notes: readonly string[];
}

interface Merged {
  readonly field: ProposedField;
  readonly fileCount: number;
}

/** @param files One at least. */
export function proposeTable(files: readonly ProposedFile[]): InferredFileTable {
  const notes = files.flatMap(file => file.notes);
  const merged = new Map<string, Merged>();
  for (const { fields } of files)
    for (const field of fields) {
      const key = JSON.stringify(field.path);
      const before = merged.get(key);
      if (before === undefined) merged.set(key, { field, fileCount: 1 });
      else merged.set(key, { field: bothOf(before.field, field), fileCount: before.fileCount + 1 });
    }
  if (merged.size > fileColumnsMax)
    notes.push(`only the first ${fileColumnsMax} of the fields become columns: keys that are data should stay JSON`);
  const names = new Set<string>();
  const columns = [...merged.values()].slice(0, fileColumnsMax).map(({ field, fileCount }) => {
    const name = columnNameOf(field.path, names);
    const full = field.full && fileCount === files.length;
    if (field.note !== null) notes.push(`${name}: ${field.note}`);
    return { ...field, name, full, type: field.type ?? STRING };
  });
  const timeColumn = chooseTimeColumn(columns.filter(({ type }) => type === TIMESTAMP));
  return {
    columns: columns.map(({ name, type, full, lowCardinality }) => {
      return { name, type, nullable: !(name === timeColumn && full), lowCardinality };
    }),
    timeColumn,
    rowCount: files.reduce((sum, { rowCount }) => sum + rowCount, 0),
    notes: [...new Set(notes)],
    shapes: files.map(({ shape }) => ({ ...shape, fields: columns.flatMap(readingOf) })),
  };
}

/** null where the column is found by its name and written as any. */
function readingOf({ name, path, times, nullTexts }: ProposedField & { name: string }): FieldReading[] {
  const isPlain = path.length === 1 && path[0] === name && times === null && nullTexts.length === 0;
  return isPlain ? [] : [{ column: name, path, times, nullTexts }];
}

function bothOf(a: ProposedField, b: ProposedField): ProposedField {
  const { type, times } = commonType(a, b);
  return {
    ...{ path: a.path, type, times, nullTexts: [...new Set([...a.nullTexts, ...b.nullTexts])] },
    ...{ full: a.full && b.full, lowCardinality: a.lowCardinality && b.lowCardinality, note: a.note ?? b.note },
  };
}

const numberRanks = ['INT', 'LONG', 'FLOAT', 'DOUBLE'];

function commonType(a: ProposedField, b: ProposedField): Pick<ProposedField, 'type' | 'times'> {
  if (a.type === null) return b;
  if (b.type === null) return a;
  const isTime = ({ type }: ProposedField): boolean => type === DATE || type === TIMESTAMP;
  if (isTime(a) && isTime(b)) {
    // One column is read in one spelling, besides the plain ones.
    if (a.times !== null && b.times !== null && a.times !== b.times) return { type: STRING, times: null };
    return { type: a.type === b.type ? a.type : TIMESTAMP, times: a.times ?? b.times };
  }
  if (sameType(a.type, b.type)) return a;
  const ranks = [numberRanks.indexOf(a.type.name), numberRanks.indexOf(b.type.name)];
  if (ranks.includes(-1)) return { type: STRING, times: null };
  return { type: ranks.every(rank => rank <= 1) ? LONG : DOUBLE, times: null };
}

/** `actor.login` is `actor_login`; what a column must not be called is made into what it may, and names are told apart. */
function columnNameOf(path: readonly string[], used: Set<string>): string {
  let name = path
    .join('_')
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .replace(/^\$+/, '_')
    .slice(0, nameLengthMax)
    .trim();
  if (!isColumnName(name)) name = `c${used.size + 1}`;
  let own = name;
  for (let suffix = 2; used.has(foldName(own)); suffix++)
    own = `${name.slice(0, nameLengthMax - String(suffix).length - 1)}_${suffix}`;
  used.add(foldName(own));
  return own;
}
