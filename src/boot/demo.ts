/** The demo that a new installation starts with. */
import { createClient } from '../client/client.ts';
import { paymentsTable } from '../demo/generator.ts';
import { runDemo } from '../demo/run.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { StartSettings } from './settings.ts';

type World = Pick<Parameters<typeof runDemo>[1], 'clock' | 'random' | 'log'>;

/** Into an empty catalog, or a `payments` table of the demo's own shape: never into somebody's table of that name. */
export async function demoIsWelcome(controller: Client<ControllerCalls>): Promise<boolean> {
  const { tables } = await controller.call('catalog', null);
  const payments = tables.find(table => table.name === 'payments');
  if (!payments) return tables.length === 0;
  return (
    payments.source.kind === 'log' &&
    payments.columns.every(column => new RegExp(`^\\s*${column.name}\\s`, 'm').test(paymentsTable))
  );
}

/** The table is there when this resolves, to what ends the demo. */
export async function startDemo(
  url: string,
  { demoRatePerSecond }: StartSettings,
  world: World,
): Promise<() => Promise<void>> {
  const abort = new AbortController();
  const client = createClient(url);
  await client.query(paymentsTable);
  const done = runDemo(client, { ...world, ratePerSecond: demoRatePerSecond, signal: abort.signal }).catch(error =>
    world.log.error('the demo ended', { error }),
  );
  return async () => {
    abort.abort();
    await done;
  };
}
