/** Statements that ran, newest first, kept by the browser. */
export interface HistoryEntry {
  readonly sql: string;
  readonly atMs: number;
  /** null where it failed. */
  readonly rowCount: number | null;
  readonly elapsedMs: number;
}

/** Some weeks of work, some tens of kilobytes of the browser's storage. */
export const historyLengthMax = 100;
const storageKey = 'weir.history';

const isEntry = (value: unknown): value is HistoryEntry =>
  typeof value === 'object' &&
  value !== null &&
  'sql' in value &&
  typeof value.sql === 'string' &&
  'atMs' in value &&
  typeof value.atMs === 'number' &&
  'rowCount' in value &&
  (value.rowCount === null || typeof value.rowCount === 'number') &&
  'elapsedMs' in value &&
  typeof value.elapsedMs === 'number';

/** What was stored, less whatever is no entry. */
export function parseHistory(text: string | null): readonly HistoryEntry[] {
  try {
    const entries: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(entries) ? entries.filter(isEntry).slice(0, historyLengthMax) : [];
  } catch {
    return [];
  }
}

/** The entry first; an older one of the same statement goes. */
export const withEntry = (history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] =>
  [entry, ...history.filter(old => old.sql !== entry.sql)].slice(0, historyLengthMax);

export const loadHistory = (): readonly HistoryEntry[] => parseHistory(read(storageKey));
export const saveHistory = (history: readonly HistoryEntry[]): void => write(storageKey, JSON.stringify(history));

const draftKey = 'weir.draft';
export const loadDraft = (): string | null => read(draftKey);
export const saveDraft = (sql: string): void => write(draftKey, sql);

/** Storage may be forbidden or full: then nothing is kept, and nothing else suffers. */
function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, text: string): void {
  try {
    window.localStorage.setItem(key, text);
  } catch {
    // Kept in memory until the page closes.
  }
}
