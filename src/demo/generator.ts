/**
 * Payment events as a payments company sees them: merchants by Zipf's law, amounts by merchant, failures that come in
 * bursts at one merchant or in one country, a few events late by seconds or minutes, nulls where clients send nothing.
 */
import { assert } from '../base/assert.ts';
import type { Random } from '../base/seams.ts';
import { countries } from './countries.ts';
import { Draws, LogNormal, WeightedIndex, zipfWeights } from './draw.ts';

export const merchantCount = 20_000;
export const customerCount = 2_000_000;
/** No event is longer. */
export const eventSizeBytesMax = 512;

export const paymentsTable = `CREATE TABLE IF NOT EXISTS payments (
  ts             TIMESTAMP NOT NULL,
  payment_id     STRING NOT NULL,
  merchant       STRING,
  country        STRING,
  currency       STRING,
  method         STRING,
  status         STRING,
  failure_reason STRING,
  amount         LONG,
  fee            DOUBLE,
  latency_ms     INT,
  customer_id    LONG,
  ip_country     STRING,
  device         STRING
)
FROM LOG
WITH (time_column = 'ts', index = 'merchant: inverted, country: inverted, status: inverted',
      segment_rows = 200000, retention = '6 hours')`;

const methods = new Map([
  ['card', 520],
  ['wallet', 160],
  ['bank_transfer', 90],
  ['debit_card', 80],
  ['instant_transfer', 50],
  ['buy_now_pay_later', 30],
  ['direct_debit', 25],
  ['qr_code', 20],
  ['prepaid_card', 10],
  ['mobile_money', 8],
  ['cash_voucher', 5],
  ['crypto', 2],
]);
const devices = new Map([
  ['ios', 34],
  ['android', 38],
  ['web', 22],
  ['pos', 6],
]);
const failureReasons = new Map([
  ['insufficient_funds', 40],
  ['do_not_honor', 22],
  ['expired_card', 10],
  ['incorrect_cvc', 8],
  ['authentication_failed', 8],
  ['suspected_fraud', 6],
  ['limit_exceeded', 4],
  ['invalid_account', 2],
]);
/** What fails in a burst: one cause for all of it. */
const burstReasons = ['issuer_unavailable', 'processor_timeout', 'network_error', 'suspected_fraud'];

const adjectives = `Blue Green Red Silver Golden North South East West Bright Quiet Rapid Clear Urban Royal Little Grand
  Fresh Prime Open Smart Nova Lunar Solar Alpine Coastal River Forest Stone Velvet`.split(/\s+/);
const nouns =
  `Coffee Books Market Travel Fashion Games Music Pharmacy Bikes Garden Kitchen Electronics Shoes Toys Hotels
  Taxi Fitness Optics Furniture Flowers Bakery Media Insurance Tickets Grocery`.split(/\s+/);
const forms = 'Co Ltd Group Online Direct Store Hub Club Works House'.split(' ');

/** A stretch of failures at one merchant or in one country. */
interface Burst {
  readonly merchant: number;
  readonly country: number;
  readonly untilMs: number;
  readonly failureRate: number;
  readonly reason: Uint8Array;
}

const burstCountMax = 4;
/** Bursts strike the largest so many: at a small merchant nobody would see one. */
const burstMerchantCount = 200;
/** Mean time between the starts of two bursts. */
const burstGapMs = 12_000;
const dayMs = 86_400_000;

const encoder = new TextEncoder();
/** `,"name":"value"` for each value. */
const fragments = (name: string, values: Iterable<string>): Uint8Array[] =>
  Array.from(values, value => encoder.encode(`,"${name}":${JSON.stringify(value)}`));
const weightsOf = (choices: ReadonlyMap<string, number>): WeightedIndex => new WeightedIndex([...choices.values()]);

/** Different for each: the digits of `index` in the mixed base (adjectives, nouns, forms, branch). */
const merchantName = (index: number): string => {
  const names = adjectives.length * nouns.length;
  const adjective = adjectives[(index * 7) % adjectives.length]!;
  const noun = nouns[Math.floor(index / adjectives.length) % nouns.length]!;
  const form = forms[Math.floor(index / names) % forms.length]!;
  const branch = Math.floor(index / (names * forms.length));
  return `${adjective} ${noun} ${form}${branch === 0 ? '' : ` ${branch + 1}`}`;
};

export interface Generator {
  /**
   * Writes `count` events, an object a line, from `at` on; returns the position after the last.
   * `into` has room for `count * eventSizeBytesMax`.
   * @param nowMs When they happen, but for the late ones. May go back.
   */
  write(into: Uint8Array, at: number, count: number, nowMs: number): number;
}

/** The same `random` and the same calls give the same bytes. */
export const createGenerator = (random: Random): Generator => new PaymentGenerator(random);

class PaymentGenerator implements Generator {
  readonly #draws: Draws;
  readonly #idPrefix: Uint8Array;
  #idCount = 0;

  readonly #merchants = new WeightedIndex(zipfWeights(merchantCount, 1.05));
  readonly #merchantFragments = fragments(
    'merchant',
    Array.from({ length: merchantCount }, (_, i) => merchantName(i)),
  );
  readonly #merchantCountry = new Uint16Array(merchantCount);
  /** In minor units. */
  readonly #merchantAmount = new Float64Array(merchantCount);
  readonly #merchantFailureRate = new Float64Array(merchantCount);

  readonly #countries = new WeightedIndex(countries.map(({ weight }) => weight));
  readonly #countryFragments = countries.map(({ code, currency }) =>
    encoder.encode(`,"country":"${code}","currency":"${currency}"`),
  );
  readonly #ipFragments = fragments(
    'ip_country',
    countries.map(({ code }) => code),
  );
  readonly #methods = weightsOf(methods);
  readonly #methodFragments = fragments('method', methods.keys());
  readonly #devices = weightsOf(devices);
  readonly #deviceFragments = fragments('device', devices.keys());
  readonly #reasons = weightsOf(failureReasons);
  readonly #reasonFragments = fragments('failure_reason', failureReasons.keys());
  readonly #burstReasonFragments = fragments('failure_reason', burstReasons);
  readonly #amounts = new LogNormal(0.9);
  readonly #latencies = new LogNormal(0.55);

  #bursts: Burst[] = [];
  #nextBurstMs = Number.NEGATIVE_INFINITY;

  #day = Number.NaN;
  #dayText: Uint8Array = new Uint8Array(0);
  #into: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(random: Random) {
    this.#draws = new Draws(random);
    this.#idPrefix = encoder.encode(`","payment_id":"pay_${random.hex(8)}`);
    const medians = new LogNormal(1.1);
    for (let merchant = 0; merchant < merchantCount; merchant++) {
      this.#merchantCountry[merchant] = this.#countries.draw(this.#draws);
      this.#merchantAmount[merchant] = 2_400 * medians.draw(this.#draws);
      this.#merchantFailureRate[merchant] = 0.015 + 0.06 * this.#draws.unit() ** 2;
    }
  }

  write(into: Uint8Array, at: number, count: number, nowMs: number): number {
    assert(at + count * eventSizeBytesMax <= into.length, 'room for the events');
    this.#into = into;
    this.#at = at;
    this.#updateBursts(nowMs);
    for (let index = 0; index < count; index++) this.#writeEvent(nowMs);
    return this.#at;
  }

  #updateBursts(nowMs: number): void {
    const draws = this.#draws;
    if (this.#bursts.some(({ untilMs }) => untilMs <= nowMs))
      this.#bursts = this.#bursts.filter(({ untilMs }) => untilMs > nowMs);
    if (this.#nextBurstMs === Number.NEGATIVE_INFINITY) this.#nextBurstMs = nowMs + draws.exponential(burstGapMs);
    if (nowMs < this.#nextBurstMs || this.#bursts.length === burstCountMax) return;
    this.#nextBurstMs = nowMs + draws.exponential(burstGapMs);
    const atMerchant = draws.chance(0.6);
    this.#bursts.push({
      merchant: atMerchant ? draws.below(burstMerchantCount) : -1,
      country: atMerchant ? -1 : this.#countries.draw(draws),
      untilMs: nowMs + 3_000 + 12_000 * draws.unit(),
      failureRate: 0.55 + 0.4 * draws.unit(),
      reason: this.#burstReasonFragments[draws.below(burstReasons.length)]!,
    });
  }

  /** Most arrive at once, some seconds late (a phone without network), few minutes late (a queue that was stuck). */
  #ageMs(): number {
    const draws = this.#draws;
    const kind = draws.unit();
    if (kind < 0.97) return draws.unit() * 250;
    return kind < 0.997 ? 1_000 + draws.unit() * 29_000 : 60_000 + draws.unit() * 540_000;
  }

  #writeEvent(nowMs: number): void {
    const draws = this.#draws;
    const merchant = this.#merchants.draw(draws);
    const country = draws.chance(0.8) ? this.#merchantCountry[merchant]! : this.#countries.draw(draws);
    let burst: Burst | null = null;
    for (const one of this.#bursts) if (one.merchant === merchant || one.country === country) burst = one;
    const failed = draws.chance(burst === null ? this.#merchantFailureRate[merchant]! : burst.failureRate);
    const amount = Math.max(50, Math.round(this.#merchantAmount[merchant]! * this.#amounts.draw(draws)));

    this.#text('{"ts":"');
    this.#timestamp(Math.floor(nowMs - this.#ageMs()));
    this.#bytes(this.#idPrefix);
    this.#paymentNumber();
    this.#text('"');
    this.#bytes(this.#merchantFragments[merchant]!);
    this.#bytes(this.#countryFragments[country]!);
    this.#bytes(this.#methodFragments[this.#methods.draw(draws)]!);
    if (failed) {
      this.#text(',"status":"failed"');
      this.#bytes(burst?.reason ?? this.#reasonFragments[this.#reasons.draw(draws)]!);
      this.#text(',"fee":0');
    } else this.#statusAndFee(amount);
    this.#text(',"amount":');
    this.#integer(amount);
    this.#text(',"latency_ms":');
    this.#integer(Math.min(60_000, Math.round((burst && failed ? 2_200 : 180) * this.#latencies.draw(draws))));
    this.#text(',"customer_id":');
    // A square: regular customers pay more often.
    this.#integer(1 + Math.floor(customerCount * draws.unit() ** 2));
    if (draws.chance(0.88)) this.#bytes(this.#ipFragments[draws.chance(0.93) ? country : this.#countries.draw(draws)]!);
    if (draws.chance(0.92)) this.#bytes(this.#deviceFragments[this.#devices.draw(draws)]!);
    this.#text('}\n');
  }

  #statusAndFee(amount: number): void {
    const kind = this.#draws.unit();
    if (kind < 0.03) {
      // What is still open has no fee yet.
      this.#text(',"status":"pending"');
      return;
    }
    this.#text(kind < 0.052 ? ',"status":"refunded"' : kind < 0.055 ? ',"status":"disputed"' : ',"status":"succeeded"');
    const cents = Math.round(amount * (0.012 + 0.017 * this.#draws.unit()) + 25);
    this.#text(',"fee":');
    this.#integer(Math.floor(cents / 100));
    this.#text('.');
    this.#twoDigits(cents % 100);
  }

  #bytes(bytes: Uint8Array): void {
    const into = this.#into;
    let at = this.#at;
    for (let index = 0; index < bytes.length; index++) into[at++] = bytes[index]!;
    this.#at = at;
  }

  /** ASCII. */
  #text(text: string): void {
    const into = this.#into;
    let at = this.#at;
    for (let index = 0; index < text.length; index++) into[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  /** Not negative. */
  #integer(value: number): void {
    const into = this.#into;
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    let rest = value;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      into[at] = 48 + rest - next * 10;
      rest = next;
    }
    this.#at += digits;
  }

  #twoDigits(value: number): void {
    const tens = Math.floor(value / 10);
    this.#into[this.#at++] = 48 + tens;
    this.#into[this.#at++] = 48 + value - tens * 10;
  }

  /** Eight digits of base 36, so that ids of one run ascend: 2.8e12 of them. */
  #paymentNumber(): void {
    let rest = this.#idCount++;
    for (let at = this.#at + 7; at >= this.#at; at--) {
      const digit = rest % 36;
      this.#into[at] = digit < 10 ? 48 + digit : 87 + digit;
      rest = Math.floor(rest / 36);
    }
    this.#at += 8;
  }

  #timestamp(ms: number): void {
    const day = Math.floor(ms / dayMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#dayText = encoder.encode(new Date(day * dayMs).toISOString().slice(0, 11));
    }
    const inDay = ms - day * dayMs;
    this.#bytes(this.#dayText);
    this.#twoDigits(Math.floor(inDay / 3_600_000));
    this.#into[this.#at++] = 58;
    this.#twoDigits(Math.floor(inDay / 60_000) % 60);
    this.#into[this.#at++] = 58;
    this.#twoDigits(Math.floor(inDay / 1000) % 60);
    this.#into[this.#at++] = 46;
    const fraction = inDay % 1000;
    this.#into[this.#at++] = 48 + Math.floor(fraction / 100);
    this.#twoDigits(fraction % 100);
    this.#into[this.#at++] = 90;
  }
}
