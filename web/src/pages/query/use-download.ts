import { useState } from 'react';
import { WeirError } from '../../api/client.ts';

/** How long the browser may take to start saving what a link points to. */
const revokeDelayMs = 60_000;

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), revokeDelayMs);
}

/** Saves what `read` gives as a CSV file. */
export function useDownload(read: () => Promise<Blob>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      save(await read(), `weir-${new Date().toISOString().replace(/[:.]/g, '-')}.csv`);
    } catch (failure) {
      setError(failure instanceof WeirError ? failure.message : String(failure));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, start };
}
