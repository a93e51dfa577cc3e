/**
 * JSON with all its digits: an integer that a double cannot hold exactly becomes a bigint; everything else is as
 * `JSON.parse` gives it. `JSON.parse` itself does the work unless the text has a run of digits long enough to matter.
 */

/** Arrays and objects inside one another: far deeper than any request or answer, far shallower than the call stack. */
export const jsonDepthMax = 512;

/** 2^53 has sixteen digits: an integer with fewer is exact. */
const longDigits = /\d{16}/;

/**
 * @throws SyntaxError names the position (in UTF-16 units).
 */
export function parseJson(text: string): unknown {
  return longDigits.test(text) ? new Reader(text).readDocument() : JSON.parse(text);
}

/** The counterpart of `parseJson`: a bigint is written as its digits. Plain data only. */
export function writeJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  const members: string[] = [];
  for (const [name, member] of Object.entries(value))
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${writeJson(member)}`);
  return `{${members.join(',')}}`;
}

const space = /[ \t\n\r]*/y;
const numeral = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
/** A string's end is found by one regular expression; `JSON.parse` of the part undoes escapes and refuses bad ones. */
const quoted = /"(?:[^"\\]|\\.)*"/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    const value = this.#readValue(0);
    if (this.#at < this.#text.length) this.#fail();
    return value;
  }

  #fail(): never {
    const found = this.#text[this.#at];
    throw new SyntaxError(
      found === undefined
        ? `the JSON ends too early, at position ${this.#at}`
        : `unexpected ${JSON.stringify(found)} in JSON at position ${this.#at}`,
    );
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  /** Takes `character`, if it comes next, with the white space after it. */
  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#match(space);
    return true;
  }

  #readValue(depth: number): unknown {
    if (depth > jsonDepthMax) throw new SyntaxError(`the JSON nests deeper than ${jsonDepthMax} levels`);
    if (depth === 0) this.#match(space);
    const value = this.#readBare(depth);
    this.#match(space);
    return value;
  }

  #readBare(depth: number): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#readObject(depth);
      case '[':
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      case 't':
        return this.#readWord('true', true);
      case 'f':
        return this.#readWord('false', false);
      case 'n':
        return this.#readWord('null', null);
      default:
        return this.#readNumber();
    }
  }

  #readWord<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
    return value;
  }

  #readNumber(): number | bigint {
    const match = this.#match(numeral);
    if (!match) this.#fail();
    const value = Number(match[0]);
    const integral = match[1] === undefined && match[2] === undefined;
    return integral && !Number.isSafeInteger(value) ? BigInt(match[0]) : value;
  }

  #readString(): string {
    const start = this.#at;
    const match = this.#match(quoted);
    if (!match) this.#fail();
    try {
      return JSON.parse(match[0]);
    } catch {
      throw new SyntaxError(`bad escape or control character in the JSON string at position ${start}`);
    }
  }

  #readArray(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#take('[');
    if (this.#take(']')) return items;
    do items.push(this.#readValue(depth + 1));
    while (this.#take(','));
    if (!this.#take(']')) this.#fail();
    return items;
  }

  #readObject(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#take('{');
    if (this.#take('}')) return object;
    do {
      if (this.#text[this.#at] !== '"') this.#fail();
      const name = this.#readString();
      this.#match(space);
      if (!this.#take(':')) this.#fail();
      const value = this.#readValue(depth + 1);
      // As JSON.parse: an own property, also where an assignment would set the prototype.
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      else object[name] = value;
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail();
    return object;
  }
}
