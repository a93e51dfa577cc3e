import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { QuerySessionProvider } from '../pages/query/session.tsx';
import { Shell } from './shell.tsx';
import { theme } from './theme.ts';

const queries = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } } });

export const App = () => (
  <MantineProvider theme={theme} defaultColorScheme="auto">
    <QueryClientProvider client={queries}>
      <QuerySessionProvider>
        <Shell />
      </QuerySessionProvider>
    </QueryClientProvider>
  </MantineProvider>
);
