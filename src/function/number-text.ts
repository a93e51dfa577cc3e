/** Numbers as PostgreSQL writes and reads them. */

/** Shortest digits that read back as the same DOUBLE, in PostgreSQL's dress: 1e+20, 1e-05, 0.001, NaN, -Infinity. */
export function formatDouble(value: number): string {
  const size = Math.abs(value);
  // In this range JavaScript and PostgreSQL write the same.
  return size >= 1e-4 && size < 1e15 ? String(value) : dress(value, 15, () => value.toExponential());
}

/** As `formatDouble` for a value that a FLOAT holds exactly: fewer digits tell it apart. */
export const formatFloat = (value: number): string => dress(value, 6, () => shortestFloat(value));

/** Digits that tell any two FLOATs apart. */
const floatDigitsMax = 9;

function shortestFloat(value: number): string {
  for (let digits = 0; digits < floatDigitsMax - 1; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(floatDigitsMax - 1);
}

function dress(value: number, plainExponentMax: number, exponential: () => string): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits, exponentText] = exponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= plainExponentMax) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  return shiftPoint(digits, exponent);
}

/** `1.25`, 3 → `1250`; `-1.25`, -2 → `-0.0125`. */
function shiftPoint(digits: string, exponent: number): string {
  const sign = digits.startsWith('-') ? '-' : '';
  const plain = digits.replace('-', '').replace('.', '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${plain}`;
  const whole = plain.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = plain.slice(exponent + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

const doublePattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const specials: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** Null for what is no number, 'overflow' for one beyond DOUBLE (or, with `single`, FLOAT) in either direction. */
export function parseDouble(text: string, single: boolean): number | null | 'overflow' {
  const trimmed = text.trim();
  if (!doublePattern.test(trimmed)) return specials[trimmed.toLowerCase()] ?? null;
  const value = single ? Math.fround(Number(trimmed)) : Number(trimmed);
  if (!Number.isFinite(value)) return 'overflow';
  if (value === 0 && /[1-9]/.test(trimmed.replace(/e.*$/i, ''))) return 'overflow';
  return value;
}

/** Digits beyond the longest 64-bit integer's are leading zeros or out of range: a bound on the work of BigInt. */
const integerDigitsMax = 400;

/** Null for what is no integer. */
export function parseInteger(text: string): bigint | null {
  const match = /^([+-]?)(\d+)$/.exec(text.trim());
  if (!match || match[2]!.length > integerDigitsMax) return null;
  return match[1] === '-' ? -BigInt(match[2]!) : BigInt(match[2]!);
}

/** Nearest integer, ties to even: C's `rint`, which PostgreSQL casts and rounds doubles with. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
