import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as text from '../../../src/column/text.ts';

/** What JavaScript's Date can write with four digits of a year; and all that it can hold. */
const common = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
const all = fc.integer({ min: -text.timestampMsMax, max: text.timestampMsMax });
const anyMs = fc.oneof(common, all);

describe('timestamps', () => {
  test('are written as Date does, and read back', () => {
    fc.assert(
      fc.property(anyMs, ms => {
        const iso = new Date(ms).toISOString();
        expect(text.formatTimestampIso(ms)).toBe(iso);
        expect(text.parseTimestamp(iso)).toBe(ms);
        expect(text.parseTimestamp(text.formatTimestampText(ms))).toBe(ms);
      }),
    );
  });

  test('have a zone, or are UTC', () => {
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(common, minutes, fc.constantFrom(':', ''), (ms, offset, colon) => {
        const size = Math.abs(offset);
        const digits = (value: number): string => String(value).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${digits(Math.floor(size / 60))}${colon}${digits(size % 60)}`;
        const local = new Date(ms).toISOString().slice(0, -1);
        expect(text.parseTimestamp(`${local}${zone}`)).toBe(ms - offset * 60_000);
        expect(text.parseTimestamp(local.replace('T', ' '))).toBe(ms);
      }),
    );
  });

  test.each([
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-1-2 3:04', Date.UTC(2024, 0, 2, 3, 4)],
    ['2024-01-02T03:04:05.6789Z', Date.UTC(2024, 0, 2, 3, 4, 5, 678)],
    [' 2024-01-02 24:00:00 ', Date.UTC(2024, 0, 3)],
    ['2023-02-29', null],
    ['1900-02-29', null],
    ['2024-13-01', null],
    ['2024-04-31', null],
    ['2024-01-02 25:00', null],
    ['2024-01-02 24:00:01', null],
    ['2024-01-02 03:60', null],
    ['2024-01-02T03:04:05+16:00', null],
    ['24-01-02', null],
    ['+275761-01-01', null],
    ['', null],
  ])('%s', (written, ms) => {
    expect(text.parseTimestamp(written)).toBe(ms);
  });

  test('nothing that is written makes the parser throw, or gives what is no time', () => {
    const pieces = fc.array(fc.constantFrom(...'0129-:.TZ +'), { maxLength: 30 }).map(parts => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(pieces, fc.string()), written => {
        const ms = text.parseTimestamp(written);
        if (ms !== null) expect(new Date(ms).getTime()).toBe(ms);
      }),
      { numRuns: 500 },
    );
  });
});

describe('dates', () => {
  const anyDay = fc.integer({ min: -100_000_000, max: 100_000_000 });

  test('are those of Date', () => {
    fc.assert(
      fc.property(anyDay, days => {
        const date = new Date(days * text.dayMs);
        const parts = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
        expect(text.civilFromDays(days)).toEqual(parts);
        expect(text.daysFromCivil(parts.year, parts.month, parts.day)).toBe(days);
        expect(text.daysInMonth(parts.year, parts.month)).toBe(
          new Date(Date.UTC(2000 + (parts.year % 400), parts.month, 0)).getUTCDate(),
        );
        expect(text.formatDate(days)).toBe(date.toISOString().split('T')[0]);
        expect(text.parseDate(text.formatDate(days))).toBe(days);
      }),
    );
  });
});

describe('UUIDs', () => {
  test('are read in every spelling', () => {
    fc.assert(
      fc.property(fc.uuid(), uuid => {
        const bytes = text.parseUuid(uuid)!;
        expect(Buffer.from(bytes).toString('hex')).toBe(uuid.replaceAll('-', ''));
        expect(text.formatUuid(bytes)).toBe(uuid);
        const plain = uuid.replaceAll('-', '');
        for (const other of [plain, `{${uuid}}`, uuid.toUpperCase(), plain.replace(/(.{4})(?=.)/g, '$1-')])
          expect(text.parseUuid(other)).toEqual(bytes);
      }),
    );
  });

  test.each(['', '{}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'g0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0-ee-b'])(
    'not %s',
    written => {
      expect(text.parseUuid(written)).toBeNull();
    },
  );
});

describe('decimals', () => {
  const sized = fc
    .integer({ min: 1, max: 38 })
    .chain(precision =>
      fc.tuple(
        fc.constant(precision),
        fc.integer({ min: 0, max: precision }),
        fc.bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n),
      ),
    );

  test('are read as they are written', () => {
    fc.assert(
      fc.property(sized, ([precision, scale, unscaled]) => {
        const written = text.formatDecimal(unscaled, scale);
        expect(written).toMatch(scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`));
        expect(text.parseDecimal(written, precision, scale)).toBe(unscaled);
        expect(text.parseDecimal(`${unscaled}e-${scale}`, precision, scale)).toBe(unscaled);
      }),
    );
  });

  test('are rounded half away from zero', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.integer({ min: 1, max: 8 }), (unscaled, digits) => {
        const by = 10n ** BigInt(digits);
        const size = unscaled < 0n ? -unscaled : unscaled;
        const rounded = (size * 2n + by) / (by * 2n);
        const expected = unscaled < 0n ? -rounded : rounded;
        expect(text.divideHalfAway(unscaled, by)).toBe(expected);
        expect(text.parseDecimal(text.formatDecimal(unscaled, digits + 2), 38, 2)).toBe(expected);
      }),
    );
  });

  test.each([
    ['12.345', 1235n],
    ['-12.345', -1235n],
    ['.5', 50n],
    ['5.', 500n],
    ['1e2', 10_000n],
    ['1e-9', 0n],
    ['0e9999', 0n],
    ['999.99', 99_999n],
    ['999.995', 'overflow'],
    ['1e999', 'overflow'],
    ['1e-9999', 0n],
    ['', null],
    ['.', null],
    ['1,5', null],
    ['0x10', null],
    ['NaN', null],
    ['1e', null],
  ] as const)('%s as DECIMAL(5,2)', (written, unscaled) => {
    expect(text.parseDecimal(written, 5, 2)).toBe(unscaled);
  });
});

test('intervals are written as PostgreSQL does', () => {
  expect(text.formatInterval({ months: 0, days: 0, ms: 0 })).toBe('00:00:00');
  expect(text.formatInterval({ months: 14, days: 3, ms: 14_706_789 })).toBe('1 year 2 mons 3 days 04:05:06.789');
  expect(text.formatInterval({ months: -1, days: 1, ms: -1500 })).toBe('-1 mons +1 day -00:00:01.5');
  expect(text.formatInterval({ months: 24, days: -1, ms: 0 })).toBe('2 years -1 days');
});

test('bytes are written in hexadecimal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      expect(text.formatHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
    }),
  );
});
