import { useQuery } from '@tanstack/react-query';
import { client } from './client.ts';

/** How old the page lets the catalog's numbers become. */
const refreshMs = 5_000;

export const useTables = () =>
  useQuery({ queryKey: ['tables'], queryFn: () => client.tables(), refetchInterval: refreshMs });

export const useSegments = (table: string) =>
  useQuery({ queryKey: ['segments', table], queryFn: () => client.segments(table), refetchInterval: refreshMs });

/** @param everyMs For a page that is about it. */
export const useIngestion = (everyMs = refreshMs) =>
  useQuery({ queryKey: ['ingestion'], queryFn: () => client.ingestion(), refetchInterval: everyMs });
