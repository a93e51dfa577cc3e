import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** Deep water: the page's one accent. */
const weir: MantineColorsTuple = [
  '#e3fafc',
  '#c5f1f6',
  '#93e0ea',
  '#5fcbd9',
  '#35b5c7',
  '#189db0',
  '#0d7d8f',
  '#0b7285',
  '#0a5f70',
  '#084b59',
];

/** Mantine's greys of the dark scheme, with the water's tint: text, borders, fields, panels, page. */
const dark: MantineColorsTuple = [
  '#e4ebee',
  '#c3ced3',
  '#a3b1b8',
  '#82929a',
  '#2a363d',
  '#222e35',
  '#172026',
  '#10171b',
  '#0c1215',
  '#080c0e',
];

export const theme = createTheme({
  primaryColor: 'weir',
  primaryShade: { light: 7, dark: 6 },
  colors: { weir, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  respectReducedMotion: true,
  cursorType: 'pointer',
});
