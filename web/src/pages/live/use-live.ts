import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { readAnswer, type TableInfo } from '../../api/client.ts';
import { breakdownSql, perSecondSql, windowSeconds } from './live-sql.ts';
import { perSecond } from './per-second.ts';

const chartRefreshMs = 1_000;
/** The mix changes slowly, and costs more. */
const breakdownRefreshMs = 2_000;

/** Events per second of the last minutes, and how fresh the table is, asked for every second while the page is in view. */
export const usePerSecond = (table: TableInfo) =>
  useQuery({
    queryKey: ['live', table.name, 'per second'],
    queryFn: async ({ signal }) => {
      const { rows, trailer } = await readAnswer(perSecondSql(table), signal);
      const freshness = trailer?.freshness[table.name] ?? null;
      const watermarkMs = freshness?.watermarkMs ?? null;
      return { ...perSecond(rows, watermarkMs ?? Date.now(), windowSeconds), freshness, watermarkMs, trailer };
    },
    refetchInterval: chartRefreshMs,
    placeholderData: keepPreviousData,
  });

export const useBreakdown = (table: TableInfo, column: string) =>
  useQuery({
    queryKey: ['live', table.name, 'breakdown', column],
    queryFn: ({ signal }) => readAnswer(breakdownSql(table, column), signal),
    refetchInterval: breakdownRefreshMs,
    placeholderData: keepPreviousData,
  });
