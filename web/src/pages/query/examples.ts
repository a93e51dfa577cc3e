import { quoteName, type TableInfo } from '../../api/client.ts';

export interface Example {
  readonly title: string;
  readonly sql: string;
}

const example = (title: string, ...lines: string[]): Example => ({ title, sql: lines.join('\n') });

const paymentExamples: readonly Example[] = [
  example(
    'Events per second, last 5 minutes',
    "SELECT DATE_TRUNC('second', ts) AS second, COUNT(*) AS events",
    'FROM payments',
    "WHERE ts >= NOW() - INTERVAL '5 minutes'",
    'GROUP BY second',
    'ORDER BY second',
  ),
  example(
    'Top merchants',
    'SELECT merchant, COUNT(*) AS payments, SUM(amount) AS amount, AVG(latency_ms) AS latency_ms',
    'FROM payments',
    "WHERE status = 'succeeded'",
    'GROUP BY merchant',
    'ORDER BY payments DESC',
    'LIMIT 20',
  ),
  example(
    'Status by minute',
    "SELECT DATE_TRUNC('minute', ts) AS minute, status, COUNT(*) AS payments",
    'FROM payments',
    "WHERE ts >= NOW() - INTERVAL '30 minutes'",
    'GROUP BY minute, status',
    'ORDER BY minute, status',
  ),
  example(
    'Share that failed, by method',
    'SELECT method,',
    '  COUNT(*) AS payments,',
    "  COUNT(*) FILTER (WHERE status = 'failed') AS failed,",
    "  100.0 * COUNT(*) FILTER (WHERE status = 'failed') / COUNT(*) AS failed_percent",
    'FROM payments',
    'GROUP BY method',
    'ORDER BY failed_percent DESC',
  ),
  example('Newest payments', 'SELECT *', 'FROM payments', 'ORDER BY ts DESC', 'LIMIT 100'),
];

const systemExamples: readonly Example[] = [
  example('Running and recent queries', 'SELECT * FROM system.queries'),
  example('Segments', 'SELECT * FROM system.segments'),
];

const tableExamples = (table: TableInfo): readonly Example[] => [
  example(`Rows of ${table.name}`, `SELECT * FROM ${quoteName(table.name)} LIMIT 100`),
];

/** Those that the tables at hand can answer. */
export const examplesFor = (tables: readonly TableInfo[]): readonly Example[] => [
  ...(tables.some(table => table.name === 'payments') ? paymentExamples : []),
  ...tables.filter(table => table.name !== 'payments').flatMap(tableExamples),
  ...systemExamples,
];
