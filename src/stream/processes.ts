/** The processes of this machine, as the operating system tells. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Processes } from './lock.ts';

/** When the process with this number started, in letters and digits; null where there is none that still runs. */
const startOf = (pid: number): string | null => (process.platform === 'linux' ? linuxStart(pid) : psStart(pid));

/** Ticks since boot, and which boot. See proc(5): the name, in parentheses, may hold anything. */
function linuxStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0]!;
    // A zombie is dead, only its parent has not asked yet.
    if (state === 'Z' || state === 'X') return null;
    return `${fields[19]}b${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}`;
  } catch {
    return null;
  }
}

function psStart(pid: number): string | null {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' });
    return text.replace(/[^A-Za-z0-9]/g, '') || null;
  } catch {
    return null;
  }
}

export const systemProcesses: Processes = {
  self: { pid: process.pid, start: startOf(process.pid) ?? 'unknown' },
  isAlive: ({ pid, start }) => startOf(pid) === start,
};
