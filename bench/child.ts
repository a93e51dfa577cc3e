/**
 * Work in a process of its own, so that doing it takes nothing from what is measured: a script that is told what to do by a
 * message, answers with one, and ends.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** @param script URL of the compiled script. @throws Error where it ends before it answers */
export async function askChild<Order extends object, Report>(script: URL, order: Order): Promise<Report> {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const report = once(child, 'message');
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${script.pathname.split('/').at(-1)} ended with ${signal ?? `code ${code}`}`);
  });
  child.send(order);
  const [message] = (await Promise.race([report, failed])) as [Report];
  failed.catch(() => {});
  return message;
}

/** The child's side. */
export function answerParent<Order, Report extends object>(work: (order: Order) => Promise<Report>): void {
  process.once('message', async order => {
    const report = await work(order as Order);
    process.send!(report, () => process.disconnect());
  });
}
