/** A dot in the colour of a state; the text beside it says the same. */
export const StatusDot = ({ level }: { level: 'good' | 'warn' | 'bad' | 'quiet' }) => (
  <span
    aria-hidden="true"
    style={{ flex: 'none', width: 8, height: 8, marginTop: 4, borderRadius: 4, background: `var(--${level})` }}
  />
);
