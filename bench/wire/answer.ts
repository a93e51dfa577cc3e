/** The other side: a thread that answers on its MessagePort and over TCP. */
import { parentPort } from 'node:worker_threads';
import { silentLog } from '../../src/base/seams.ts';
import { systemClock, systemRandom } from '../../src/base/system.ts';
import { messagePortPort } from '../../src/wire/port.ts';
import { serve } from '../../src/wire/serve.ts';
import { listenTcp } from '../../src/wire/tcp.ts';
import { type BenchCalls, handlers } from './calls.ts';

const settings = { secret: null, tls: null, clock: systemClock, random: systemRandom, log: silentLog };
const { address } = await listenTcp({ host: '127.0.0.1', port: 0 }, settings, port => {
  serve<BenchCalls>(port, handlers);
});
// The first message says where; only then is the port one for calls.
parentPort!.postMessage(address);
serve<BenchCalls>(messagePortPort(parentPort!), handlers);
