import { useComputedColorScheme } from '@mantine/core';

/** Told apart by most eyes, in the order in which series take them; enough contrast on each page's ground. */
const lightSeries = ['#0b7285', '#e8590c', '#5f3dc4', '#2b8a3e', '#c2255c', '#1864ab', '#997404', '#495057'];
const darkSeries = ['#3bc9db', '#ffa94d', '#b197fc', '#69db7c', '#faa2c1', '#74c0fc', '#ffe066', '#ced4da'];

export interface Palette {
  readonly series: readonly string[];
  readonly grid: string;
  readonly text: string;
}

/** A canvas cannot read CSS variables: the same colours by scheme. */
export function usePalette(): Palette {
  const dark = useComputedColorScheme('light') === 'dark';
  return dark
    ? { series: darkSeries, grid: '#253138', text: '#a3b1b8' }
    : { series: lightSeries, grid: '#e6ebed', text: '#55656e' };
}
