/** One of several threads that hold and release on one account at the same time. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachAccounts } from '../../../src/base/accounts.ts';

const { buffer, rounds, sizeBytes } = workerData as { buffer: SharedArrayBuffer; rounds: number; sizeBytes: number };
const account = attachAccounts(buffer).account('queries');
let heldCount = 0;
let aboveCount = 0;
for (let round = 0; round < rounds; round++) {
  if (!account.tryHold(sizeBytes)) continue;
  heldCount++;
  if (account.usedBytes > account.limitBytes || account.usedBytes < sizeBytes) aboveCount++;
  account.release(sizeBytes);
}
// What is left shows whether every thread's holds add up.
const isKept = account.tryHold(1);
parentPort!.postMessage({ heldCount, aboveCount, keptBytes: isKept ? 1 : 0 });
