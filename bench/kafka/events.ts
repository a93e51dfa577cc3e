/**
 * Payments as messages: ten fields, about 200 bytes of JSON. Numbers by hash, so that the same number gives the same event
 * but for its time.
 */
import { countries } from '../../src/demo/countries.ts';
import { merchantNames, methods, statuses } from '../payments/draw.ts';

const columns = `
  ts TIMESTAMP NOT NULL, payment_id STRING NOT NULL, merchant STRING, country STRING, currency STRING,
  method STRING, status STRING, amount LONG, fee DOUBLE, latency_ms INT`;

/** @param extraColumns `, name TYPE`, of messages that have fields besides */
export const paymentsOf = (brokers: readonly string[], topic: string, extraColumns = ''): string =>
  `CREATE TABLE payments (${columns}${extraColumns})
  FROM KAFKA (brokers = '${brokers.join(',')}', topic = '${topic}', format = 'json', start_from = 'earliest')
  WITH (time_column = 'ts')`;

/** A 32-bit hash of a number and a salt (the finalizer of MurmurHash3). */
function mix(number: number, salt: number): number {
  let hash = Math.imul(number ^ (salt * 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const unit = (number: number, salt: number): number => mix(number, salt) / 2 ** 32;

/** In minor units; small amounts are the many. */
export const amountOf = (number: number): number => 50 + Math.floor(500_000 * unit(number, 1) ** 4);

/** An object without a line's end. */
export function eventOf(number: number, timeMs: number, extraFields = ''): string {
  const amount = amountOf(number);
  // Squares and more: few merchants, countries and methods have most of the payments.
  const merchant = merchantNames[Math.floor(merchantNames.length * unit(number, 2) ** 5)]!;
  const { code, currency } = countries[Math.floor(countries.length * unit(number, 3) ** 3)]!;
  const method = methods[Math.floor(methods.length * unit(number, 4) ** 3)]!;
  const status = statuses[Math.floor(statuses.length * unit(number, 5) ** 8)]!;
  const fee = Math.round(amount * (0.012 + 0.017 * unit(number, 6)) + 25) / 100;
  const latencyMs = 20 + Math.floor(2_000 * unit(number, 7) ** 3);
  return (
    `{"ts":"${new Date(timeMs).toISOString()}","payment_id":"pay_${number.toString(36).padStart(8, '0')}",` +
    `"merchant":"${merchant}","country":"${code}","currency":"${currency}","method":"${method}","status":"${status}",` +
    `"amount":${amount},"fee":${fee},"latency_ms":${latencyMs}${extraFields}}`
  );
}
