/** The page's icons: 16-pixel strokes in the text's colour, hidden from screen readers (their buttons have names). */
const paths = {
  query: 'M3 4.5l3.5 3.5L3 11.5M8.5 12H13',
  tables: 'M2.5 3h11v10h-11zM2.5 6.5h11M2.5 10h11M6.5 6.5V13',
  ingestion: 'M2.5 3.5l5.5 5 5.5-5M8 8.5v5M4.5 13.5h7',
  live: 'M1.5 8.5h3l2-5 3 9 2-5.5 1 1.5h2',
  run: 'M5 3.5v9l7.5-4.5z',
  stop: 'M4 4h8v8H4z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  commit: 'M3 6.5h10v7H3zM5 6.5v-2a3 3 0 0 1 6 0v2',
  seek: 'M2.5 8h9M8 4.5L11.5 8 8 11.5M13.5 4v8',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5L7.5 13a2.8 2.8 0 0 1-4-4L5 7.5',
  download: 'M8 2.5v7.5M5 7.5L8 10.5l3-3M3 13h10',
  history: 'M2.5 8a5.5 5.5 0 1 0 1.8-4.1M2.5 2.5v3h3M8 5v3.2l2.2 1.3',
  examples: 'M3 3.5h10M3 8h10M3 12.5h6',
  plan: 'M6 3h4v3H6zM2.5 10.5h4v3h-4zM9.5 10.5h4v3h-4zM8 6v2.5M4.5 10.5v-2h7v2',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13 9.8A5.5 5.5 0 0 1 6.2 3a5.5 5.5 0 1 0 6.8 6.8z',
  system: 'M2.5 3.5h11v7.5h-11zM6 13.5h4M8 11v2.5',
} as const;

export type IconName = keyof typeof paths;

export const Icon = ({ name }: { name: IconName }) => (
  <svg
    width="16"
    height="16"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    style={{ flexShrink: 0 }}
  >
    <path d={paths[name]} />
  </svg>
);
