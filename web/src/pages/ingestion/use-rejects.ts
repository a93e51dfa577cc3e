import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type Answer, quoteText, readAnswer, WeirError } from '../../api/client.ts';

/** Rejected rows that are shown, the latest ones: enough to see what is wrong with a stream; SQL has the rest. */
export const rejectsShownMax = 200;

/** The server reads the whole log of rejects for each. */
const refreshMs = 5_000;

export const rejectsSql = (table: string): string =>
  `SELECT * FROM system.rejects WHERE "table" = ${quoteText(table)} ORDER BY at DESC LIMIT ${rejectsShownMax}`;

/** null where the server keeps no such table. */
export const useRejects = (table: string) =>
  useQuery({
    queryKey: ['rejects', table],
    queryFn: async ({ signal }): Promise<Answer | null> => {
      try {
        return await readAnswer(rejectsSql(table), signal);
      } catch (error) {
        if (error instanceof WeirError && error.code === 'UNKNOWN_TABLE') return null;
        throw error;
      }
    },
    refetchInterval: refreshMs,
    placeholderData: keepPreviousData,
  });
