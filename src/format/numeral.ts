/** Numerals to exact values: what the sinks fall back to where their loops over plain digits do not do. */

const numeralPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

/** 10^400 is beyond every type; an exponent outside is not worth the digits it would write. */
const exponentMax = 400;

const long = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/**
 * The integer that a numeral names exactly: `12`, `-0`, `1.0`, `1.5e1`. null for what is no numeral,
 * 'fraction' for what lies between integers, 'range' beyond 64 bits.
 */
export function exactInteger(text: string): bigint | 'fraction' | 'range' | null {
  const match = numeralPattern.exec(text.trim());
  if (!match) return null;
  const fraction = match[3] ?? '';
  let digits = match[2]! + fraction;
  if (digits === '') return null;
  digits = digits.replace(/^0+/, '');
  if (digits === '') return 0n;
  let exponent = Number(match[4] ?? 0) - fraction.length;
  const trailing = digits.length - digits.replace(/0+$/, '').length;
  digits = digits.slice(0, digits.length - trailing);
  exponent += trailing;
  if (exponent < 0) return 'fraction';
  if (exponent > exponentMax || digits.length + exponent > 19) return 'range';
  const value = BigInt(`${match[1] === '-' ? '-' : ''}${digits}${'0'.repeat(exponent)}`);
  return value < long.min || value > long.max ? 'range' : value;
}

const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** The double nearest a numeral; NaN and infinities only by their names. null for what is neither, 'range' beyond. */
export function nearestDouble(text: string): number | 'range' | null {
  const trimmed = text.trim();
  const match = numeralPattern.exec(trimmed);
  if (!match) return words[trimmed.toLowerCase()] ?? null;
  if (match[2] === '' && !match[3]) return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : 'range';
}

/** The shortest numeral that names a number of 32 bits: 0.1, where the double of the same value is 0.10000000149011612. */
export function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
