/** Limits of one SQL statement. Each is refused with `LIMIT_EXCEEDED`, the limit's number and where it was passed. */

/** UTF-16 units of one statement: as ClickHouse's max_query_size. Lists and rows beyond it belong into a push or a table. */
export const sqlTextLengthMax = 1 << 18;

/** Words and signs of one statement: these parse and bind in about half a second, and one caller may hold the broker's thread no longer. */
export const tokenCountMax = 100_000;

/**
 * Parentheses, CASEs, subqueries and prefix operators inside one another. The parser recurses about a dozen frames a level;
 * Node's default stack holds some ten thousand.
 */
export const nestingDepthMax = 128;

/** Levels of a statement's tree, chains of operators included (a + b + c … is one level a term): binder, rules and kernels recurse over it. */
export const treeDepthMax = 400;

/** Values of one IN list: above this, a lookup set costs more than the scan it saves, and a join says it better. */
export const inListLengthMax = 32_768;

/** Columns of one table or one result: every block of a segment keeps statistics and a buffer for each. */
export const columnCountMax = 1_600;

/** Table, column and alias names, UTF-16 units: they name files and appear in every answer. PostgreSQL cuts at 63; none is cut here. */
export const nameLengthMax = 128;

/** Values given beside a statement: PostgreSQL's protocol counts them in 16 bits. */
export const parameterCountMax = 65_535;
