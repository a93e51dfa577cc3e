import { describe, expect, test } from 'vitest';
import { countries } from '../../../src/demo/countries.ts';
import { Draws, normalQuantile, WeightedIndex, zipfWeights } from '../../../src/demo/draw.ts';
import { createGenerator, eventSizeBytesMax, merchantCount } from '../../../src/demo/generator.ts';
import { seededRandom } from '../../support/random.ts';

const startMs = Date.UTC(2026, 0, 31, 23, 59, 50);

interface Event {
  readonly ts: string;
  readonly payment_id: string;
  readonly merchant: string;
  readonly country: string;
  readonly currency: string;
  readonly method: string;
  readonly status: string;
  readonly failure_reason?: string;
  readonly amount: number;
  readonly fee?: number;
  readonly latency_ms: number;
  readonly customer_id: number;
  readonly ip_country?: string;
  readonly device?: string;
}

/** A minute of events at `perSecond`, a call a tenth of a second. */
function minute(seed: number, perSecond: number): { text: string; events: Event[] } {
  const generator = createGenerator(seededRandom(seed));
  const count = perSecond / 10;
  const buffer = new Uint8Array(count * eventSizeBytesMax);
  let text = '';
  for (let tick = 0; tick < 600; tick++)
    text += new TextDecoder().decode(buffer.subarray(0, generator.write(buffer, 0, count, startMs + tick * 100)));
  return {
    text,
    events: text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
  };
}

const shareOf = (events: readonly Event[], holds: (event: Event) => boolean): number =>
  events.filter(holds).length / events.length;

describe('payment events', () => {
  const { text, events } = minute(1, 1000);

  test('every line is an event, with a unique id', () => {
    expect(events).toHaveLength(60_000);
    expect(new Set(events.map(event => event.payment_id)).size).toBe(60_000);
    const odd = events.filter(
      ({ amount, customer_id, latency_ms, fee = 0 }) =>
        !(Number.isInteger(amount) && amount >= 50 && customer_id >= 1 && customer_id <= 2_000_000) ||
        !(latency_ms >= 0 && fee >= 0),
    );
    expect(odd).toEqual([]);
    expect(Math.max(...text.split('\n').map(line => line.length + 1))).toBeLessThanOrEqual(eventSizeBytesMax);
  });

  test('the same seed gives the same bytes, another seed others', () => {
    expect(minute(1, 100).text).toBe(minute(1, 100).text);
    expect(minute(2, 100).text).not.toBe(minute(1, 100).text);
  });

  test('times are valid, never in the future, some late by seconds and minutes', () => {
    expect(events.filter(({ ts }) => new Date(ts).toISOString() !== ts)).toEqual([]);
    const ages = events.map(({ ts }, index) => startMs + Math.floor(index / 100) * 100 - Date.parse(ts));
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    expect(ages.filter(age => age > 1000).length / ages.length).toBeCloseTo(0.03, 2);
    expect(ages.some(age => age > 60_000)).toBe(true);
  });

  test('merchants follow Zipf, one name each', () => {
    const counts = new Map<string, number>();
    for (const { merchant } of events) counts.set(merchant, (counts.get(merchant) ?? 0) + 1);
    const sorted = [...counts.values()].sort((a, b) => b - a);
    expect(counts.size).toBeGreaterThan(6_000);
    const total = zipfWeights(merchantCount, 1.05).reduce((sum, weight) => sum + weight, 0);
    expect(sorted[0]! / events.length).toBeCloseTo(1 / total, 2);
    expect(sorted[0]! / sorted[9]!).toBeGreaterThan(7);
  });

  test('countries have one currency each, and many appear', () => {
    const currencies = new Map(countries.map(({ code, currency }) => [code, currency]));
    expect(events.filter(({ country, currency }) => currency !== currencies.get(country))).toEqual([]);
    expect(new Set(events.map(event => event.country)).size).toBeGreaterThan(150);
  });

  test('a reason exactly where failed; nulls where clients send nothing', () => {
    const odd = events.filter(({ status, failure_reason }) => (failure_reason !== undefined) !== (status === 'failed'));
    expect(odd).toEqual([]);
    expect(shareOf(events, ({ status }) => status === 'succeeded')).toBeGreaterThan(0.8);
    for (const status of ['failed', 'pending', 'refunded', 'disputed'])
      expect([status, events.some(event => event.status === status)]).toEqual([status, true]);
    expect(shareOf(events, ({ ip_country }) => ip_country === undefined)).toBeCloseTo(0.12, 2);
    expect(shareOf(events, ({ device }) => device === undefined)).toBeCloseTo(0.08, 2);
  });

  test('failures come in bursts', () => {
    const ofBurst = (event: Event): boolean =>
      ['issuer_unavailable', 'processor_timeout', 'network_error'].includes(event.failure_reason ?? '');
    const { events: long } = minute(3, 1000);
    const struck = long.filter(ofBurst);
    const rates = (['merchant', 'country'] as const).map(column => {
      const value = mostFrequent(struck.map(event => event[column]));
      const place = long.filter(event => event[column] === value);
      const during = place.slice(place.findIndex(ofBurst), place.findLastIndex(ofBurst) + 1);
      return shareOf(during, ({ status }) => status === 'failed');
    });
    expect(struck.length).toBeGreaterThan(20);
    expect(Math.max(...rates)).toBeGreaterThan(0.4);
  });
});

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

describe('draws', () => {
  test('by weight', () => {
    const draws = new Draws(seededRandom(1));
    const weights = [1, 0, 5, 4];
    const index = new WeightedIndex(weights);
    const counts = [0, 0, 0, 0];
    for (let round = 0; round < 100_000; round++) counts[index.draw(draws)]!++;
    for (const [at, weight] of weights.entries()) expect(counts[at]! / 100_000).toBeCloseTo(weight / 10, 2);
    expect(counts[1]).toBe(0);
  });

  test('normal quantiles', () => {
    expect(normalQuantile(0.5)).toBeCloseTo(0, 2);
    expect(normalQuantile(0.975)).toBeCloseTo(1.96, 2);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.09, 2);
  });

  test('every country has a code and a currency, once', () => {
    expect(new Set(countries.map(({ code }) => code)).size).toBe(countries.length);
    expect(countries.length).toBeGreaterThan(200);
    for (const { code, currency, weight } of countries) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      expect(currency).toMatch(/^[A-Z]{3}$/);
      expect(weight).toBeGreaterThan(0);
    }
  });
});
