import type { ReactNode } from 'react';

/** In place of what is not there. */
export const Notice = ({ children }: { children: ReactNode }) => (
  <p role="status" style={{ margin: 0, padding: '48px 24px', color: 'var(--text-soft)', textAlign: 'center' }}>
    {children}
  </p>
);
