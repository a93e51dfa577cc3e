/** The processes of this machine, as the operating system tells. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Processes } from './lock.ts';

/**
 * Linux: start time in clock ticks since boot (field 22 of /proc/<pid>/stat; the name before it may hold anything) and
 * the boot itself. Elsewhere nothing is known, and a number in use is taken for the same process.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
    return `${ticks}b${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}`;
  } catch {
    return 'unknown';
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const systemProcesses: Processes = {
  self: { pid: process.pid, start: startOf(process.pid) },
  isAlive: ({ pid, start }) => exists(pid) && (start === 'unknown' || startOf(pid) === start),
};
