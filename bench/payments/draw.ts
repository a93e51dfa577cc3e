/**
 * The payments as DuckDB draws them: numbers by hash, so that the same row number gives the same row, on any machine.
 * First as codes (a small integer for each string), which both engines' tables are then made of.
 */
import { countries } from '../../src/demo/countries.ts';
import type { DuckDb } from '../duckdb.ts';

/** Changes with every change of what is drawn. */
export const drawVersion = 2;

export const merchantCount = 20_000;
export const customerCount = 2_000_000;
const zipfExponent = 1.05;

/** The first event; the events of all rows are spread evenly over the days after it. */
export const startMs = Date.UTC(2024, 5, 1);
export const spanMs = 30 * 86_400_000;

export const methods = [
  'card',
  'wallet',
  'bank_transfer',
  'debit_card',
  'instant_transfer',
  'buy_now_pay_later',
  'direct_debit',
  'qr_code',
  'prepaid_card',
  'mobile_money',
  'cash_voucher',
  'crypto',
];
const methodWeights = [520, 160, 90, 80, 50, 30, 25, 20, 10, 8, 5, 2];
export const statuses = ['succeeded', 'failed', 'pending', 'refunded', 'disputed'];
export const reasons = [
  'insufficient_funds',
  'do_not_honor',
  'expired_card',
  'incorrect_cvc',
  'authentication_failed',
  'suspected_fraud',
  'limit_exceeded',
  'invalid_account',
];
const reasonWeights = [40, 22, 10, 8, 8, 6, 4, 2];
export const devices = ['ios', 'android', 'web', 'pos'];
const deviceWeights = [34, 38, 22, 6];

export const countryCodes = countries.map(({ code }) => code);
export const currencyCodes = [...new Set(countries.map(({ currency }) => currency))];
/** By country's code, its currency's code. */
export const currencyOfCountry = countries.map(({ currency }) => currencyCodes.indexOf(currency));

const adjectives = `Blue Green Red Silver Golden North South East West Bright Quiet Rapid Clear Urban Royal Little Grand
  Fresh Prime Open Smart Nova Lunar Solar Alpine Coastal River Forest Stone Velvet`.split(/\s+/);
const nouns =
  `Coffee Books Market Travel Fashion Games Music Pharmacy Bikes Garden Kitchen Electronics Shoes Toys Hotels
  Taxi Fitness Optics Furniture Flowers Bakery Media Insurance Tickets Grocery`.split(/\s+/);

export const merchantNames = Array.from({ length: merchantCount }, (_, index) => {
  const adjective = adjectives[(index * 7) % adjectives.length]!;
  const noun = nouns[Math.floor(index / adjectives.length) % nouns.length]!;
  const branch = Math.floor(index / (adjectives.length * nouns.length));
  return `${adjective} ${noun}${branch === 0 ? '' : ` ${branch + 1}`}`;
});

/** `pay_` and eight digits of base 36. */
export const paymentIdPrefix = 'pay_';
export const paymentIdDigits = 8;

/** Codes of what is missing. */
export const noCode = 255;

/** Countries by weight, in so many slots: one look-up draws one. */
const slotCount = 4096;

function countrySlots(): number[] {
  const total = countries.reduce((sum, { weight }) => sum + weight, 0);
  const slots: number[] = [];
  let passed = 0;
  countries.forEach(({ weight }, index) => {
    passed += weight;
    // Each has a slot at least, so that all of them occur.
    while (slots.length < Math.round((passed / total) * slotCount) || slots.at(-1) !== index) slots.push(index);
  });
  return slots;
}

/** `CASE` that draws an index by weight from a number in [0, 1). */
function weighted(unit: string, weights: readonly number[]): string {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let passed = 0;
  const branches = weights.slice(0, -1).map((weight, index) => {
    passed += weight;
    return `WHEN ${unit} < ${passed / total} THEN ${index}`;
  });
  return `(CASE ${branches.join(' ')} ELSE ${weights.length - 1} END)`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (texts: readonly string[]): string => `[${texts.map(quote).join(', ')}]`;

/** How late the latest events are. */
const lateMsMax = 600_000;

/**
 * Makes the temporary tables `merchants` and `codes`; about a second for a million rows.
 * @param lateShare Of the events, so many come after later ones; the others in order of time.
 */
export async function drawCodes({ connection }: DuckDb, rowCount: number, lateShare = 0): Promise<void> {
  const run = (sql: string) => connection.run(sql);
  const slots = countrySlots();
  await run(`CREATE OR REPLACE TEMP MACRO u(i, k) AS (hash(i, k) >> 11)::DOUBLE / 9007199254740992`);
  await run(`CREATE OR REPLACE TEMP MACRO normal(i, k) AS
    sqrt(-2 * ln(1 - u(i, k))) * cos(6.283185307179586 * u(i, k + 1000))`);
  await run(`CREATE OR REPLACE TEMP TABLE slots AS
    SELECT unnest([${slots}])::UTINYINT AS country, unnest(range(${slots.length}))::INTEGER AS slot`);
  await run(`CREATE OR REPLACE TEMP TABLE merchants AS
    SELECT code::INTEGER AS code, name, (hash(code, 101) % ${slots.length})::INTEGER AS slot,
      2400 * exp(1.1 * normal(code, 102)) AS amount, 0.015 + 0.06 * pow(u(code, 103), 2) AS failure_rate
    FROM (SELECT unnest(${list(merchantNames)}) AS name, unnest(range(${merchantCount})) AS code)`);
  const merchantOf = (unit: string): string =>
    `least(${merchantCount}, floor(pow(1 - ${unit} * (1 - pow(${merchantCount + 1}, ${1 - zipfExponent})),
      ${1 / (1 - zipfExponent)})))::INTEGER - 1`;
  await run(`CREATE OR REPLACE TEMP TABLE codes AS
    WITH drawn AS (
      SELECT i, ${startMs} + i * ${spanMs} // ${rowCount}
          - CASE WHEN u(i, 18) < ${lateShare} THEN floor(u(i, 19) * ${lateMsMax}) ELSE 0 END AS ts,
        ${merchantOf('u(i, 1)')} AS merchant,
        CASE WHEN u(i, 2) >= 0.8 THEN (hash(i, 3) % ${slots.length})::INTEGER END AS other_slot
      FROM range(${rowCount}) AS numbers(i)
    ), placed AS (
      SELECT drawn.*, slots.country, failure_rate,
        greatest(50, round(amount * exp(0.9 * normal(i, 4))))::BIGINT AS amount,
        CASE WHEN u(i, 5) < failure_rate THEN 1
          WHEN u(i, 6) < 0.03 THEN 2 WHEN u(i, 6) < 0.052 THEN 3 WHEN u(i, 6) < 0.055 THEN 4 ELSE 0 END AS status
      FROM drawn JOIN merchants ON merchants.code = drawn.merchant
        JOIN slots ON slots.slot = coalesce(other_slot, merchants.slot)
    )
    SELECT i, ts::BIGINT AS ts, merchant::USMALLINT AS merchant,
      (CASE WHEN u(i, 7) < 0.005 THEN ${noCode} ELSE country END)::UTINYINT AS country,
      ${weighted('u(i, 8)', methodWeights)}::UTINYINT AS method, status::UTINYINT AS status,
      (CASE WHEN status <> 1 THEN ${noCode} ELSE ${weighted('u(i, 9)', reasonWeights)} END)::UTINYINT AS reason,
      (CASE WHEN u(i, 10) < 0.01 THEN -1 ELSE amount END)::BIGINT AS amount,
      (CASE status WHEN 1 THEN 0 WHEN 2 THEN -1
        ELSE round(amount * (0.012 + 0.017 * u(i, 11)) + 25) / 100 END)::DOUBLE AS fee,
      least(60000, round(180 * exp(0.55 * normal(i, 12))))::INTEGER AS latency_ms,
      (CASE WHEN u(i, 13) < 0.02 THEN 0 ELSE 1 + floor(${customerCount} * pow(u(i, 14), 2)) END)::INTEGER AS customer,
      (CASE WHEN u(i, 15) < 0.12 THEN ${noCode} ELSE country END)::UTINYINT AS ip_country,
      (CASE WHEN u(i, 16) < 0.08 THEN ${noCode} ELSE ${weighted('u(i, 17)', deviceWeights)} END)::UTINYINT AS device
    FROM placed ORDER BY i`);
}

/** DuckDB's own table, of ordinary types; strings beyond the end of their list are NULL. */
export async function createDuckDbTable({ connection }: DuckDb): Promise<void> {
  const currencies = currencyOfCountry.map(currency => currencyCodes[currency]!);
  await connection.run(`CREATE TABLE payments AS
    SELECT make_timestamp(ts * 1000) AS ts,
      ${quote(paymentIdPrefix)} || lower(to_base(i, 36, ${paymentIdDigits})) AS payment_id, merchants.name AS merchant,
      ${list(countryCodes)}[country::INTEGER + 1] AS country, ${list(currencies)}[country::INTEGER + 1] AS currency,
      ${list(methods)}[method::INTEGER + 1] AS method, ${list(statuses)}[status::INTEGER + 1] AS status,
      ${list(reasons)}[reason::INTEGER + 1] AS failure_reason, CASE WHEN codes.amount >= 0 THEN codes.amount END AS amount,
      CASE WHEN fee >= 0 THEN fee END AS fee, latency_ms,
      CASE WHEN customer > 0 THEN customer::BIGINT END AS customer_id,
      ${list(countryCodes)}[ip_country::INTEGER + 1] AS ip_country, ${list(devices)}[device::INTEGER + 1] AS device
    FROM codes JOIN merchants ON merchants.code = codes.merchant ORDER BY i`);
}
