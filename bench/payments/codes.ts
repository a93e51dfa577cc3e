/** A segment's worth of drawn rows, and Weir's columns of them. */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Column, DictionaryColumn, FixedColumn, FixedValues } from '../../src/column/column.ts';
import { DOUBLE, INT, LONG, STRING, TIMESTAMP, type Type } from '../../src/column/type.ts';
import {
  countryCodes,
  currencyCodes,
  currencyOfCountry,
  devices,
  merchantNames,
  methods,
  noCode,
  paymentIdDigits,
  paymentIdPrefix,
  reasons,
  statuses,
} from './draw.ts';

/** In the order of `codesQuery`. */
const makeArrays = (capacity: number) => ({
  ts: new BigInt64Array(capacity),
  merchant: new Uint16Array(capacity),
  country: new Uint8Array(capacity),
  method: new Uint8Array(capacity),
  status: new Uint8Array(capacity),
  reason: new Uint8Array(capacity),
  amount: new BigInt64Array(capacity),
  fee: new Float64Array(capacity),
  latency_ms: new Int32Array(capacity),
  customer: new Int32Array(capacity),
  ip_country: new Uint8Array(capacity),
  device: new Uint8Array(capacity),
});

export const codesQuery = `SELECT ${Object.keys(makeArrays(0)).join(', ')} FROM codes`;

/** Strings one after another, as dictionaries have them. */
function poolOf(texts: readonly string[]): Pick<DictionaryColumn, 'offsets' | 'bytes'> {
  const encoded = texts.map(text => Buffer.from(text));
  const offsets = new Uint32Array(texts.length + 1);
  encoded.forEach((bytes, index) => {
    offsets[index + 1] = offsets[index]! + bytes.length;
  });
  return { offsets, bytes: Buffer.concat(encoded) };
}

const pools = {
  merchant: poolOf(merchantNames),
  country: poolOf(countryCodes),
  currency: poolOf(currencyCodes),
  method: poolOf(methods),
  status: poolOf(statuses),
  reason: poolOf(reasons),
  device: poolOf(devices),
};

export class CodeRows {
  readonly capacity: number;
  /** Of row 0, in the whole table. */
  readonly firstRow: number;
  rowCount = 0;
  readonly #arrays: ReturnType<typeof makeArrays>;

  constructor(capacity: number, firstRow: number) {
    this.capacity = capacity;
    this.firstRow = firstRow;
    this.#arrays = makeArrays(capacity);
  }

  /** Takes rows of the chunk from `start` on, as many as there is room for; returns how many. */
  append(chunk: DuckDBDataChunk, start: number): number {
    const count = Math.min(chunk.rowCount - start, this.capacity - this.rowCount);
    Object.values(this.#arrays).forEach((array, index) => {
      // The vector's own memory: its methods make a JavaScript value a row, which takes ten times as long.
      const { items } = chunk.getColumnVector(index) as unknown as { items: Uint8Array };
      (array as Uint8Array).set(items.subarray(start, start + count), this.rowCount);
    });
    this.rowCount += count;
    return count;
  }

  get firstMs(): number {
    return Number(this.#arrays.ts[0]);
  }

  get lastMs(): number {
    return Number(this.#arrays.ts[this.rowCount - 1]);
  }

  /** A column of `paymentsTable` by name. */
  column(name: string): Column {
    const arrays = this.#arrays;
    switch (name) {
      case 'ts':
        return this.#fixed(TIMESTAMP, arrays.ts, () => true);
      case 'payment_id':
        return this.#paymentIds();
      case 'merchant':
        return this.#dictionary(pools.merchant, arrays.merchant, code => code);
      case 'country':
        return this.#dictionary(pools.country, arrays.country, code => code);
      case 'currency':
        return this.#dictionary(pools.currency, arrays.country, code => currencyOfCountry[code] ?? noCode);
      case 'method':
        return this.#dictionary(pools.method, arrays.method, code => code);
      case 'status':
        return this.#dictionary(pools.status, arrays.status, code => code);
      case 'failure_reason':
        return this.#dictionary(pools.reason, arrays.reason, code => code);
      case 'amount':
        return this.#fixed(LONG, arrays.amount, value => value >= 0n);
      case 'fee':
        return this.#fixed(DOUBLE, arrays.fee, value => value >= 0);
      case 'latency_ms':
        return this.#fixed(INT, arrays.latency_ms, () => true);
      case 'customer_id':
        return this.#fixed(LONG, BigInt64Array.from(arrays.customer, BigInt), value => value > 0n);
      case 'ip_country':
        return this.#dictionary(pools.country, arrays.ip_country, code => code);
      case 'device':
        return this.#dictionary(pools.device, arrays.device, code => code);
      default:
        throw new Error(`the bench draws no column ${name}`);
    }
  }

  /** `$offset`. */
  offsets(): Column {
    const values = new BigInt64Array(this.rowCount);
    for (let row = 0; row < this.rowCount; row++) values[row] = BigInt(this.firstRow + row);
    return { form: 'fixed', type: LONG, length: this.rowCount, validity: null, values };
  }

  #validity(isPresent: (row: number) => boolean): Uint8Array | null {
    const validity = new Uint8Array((this.rowCount + 7) >> 3);
    let missingCount = 0;
    for (let row = 0; row < this.rowCount; row++)
      if (isPresent(row)) validity[row >> 3]! |= 1 << (row & 7);
      else missingCount++;
    return missingCount > 0 ? validity : null;
  }

  #fixed<T extends bigint | number>(
    type: Type,
    array: FixedValues & { [row: number]: T },
    isPresent: (value: T) => boolean,
  ): FixedColumn {
    const values = array.subarray(0, this.rowCount) as typeof array;
    const validity = this.#validity(row => isPresent(values[row]!));
    return { form: 'fixed', type, length: this.rowCount, validity, values };
  }

  #dictionary(
    pool: Pick<DictionaryColumn, 'offsets' | 'bytes'>,
    array: Uint8Array | Uint16Array,
    codeOf: (code: number) => number,
  ): DictionaryColumn {
    const entryCount = pool.offsets.length - 1;
    const codes = Uint32Array.from(array.subarray(0, this.rowCount), codeOf);
    const validity = this.#validity(row => codes[row]! < entryCount);
    if (validity) for (let row = 0; row < codes.length; row++) if (codes[row]! >= entryCount) codes[row] = 0;
    return { form: 'dictionary', type: STRING, length: this.rowCount, validity, codes, ...pool };
  }

  #paymentIds(): Column {
    const sizeBytes = paymentIdPrefix.length + paymentIdDigits;
    const offsets = Uint32Array.from({ length: this.rowCount + 1 }, (_, row) => row * sizeBytes);
    const bytes = new Uint8Array(this.rowCount * sizeBytes);
    for (let row = 0, at = 0; row < this.rowCount; row++, at += sizeBytes) {
      for (let index = 0; index < paymentIdPrefix.length; index++)
        bytes[at + index] = paymentIdPrefix.charCodeAt(index);
      let rest = this.firstRow + row;
      for (let index = sizeBytes - 1; index >= paymentIdPrefix.length; index--) {
        const digit = rest % 36;
        bytes[at + index] = digit < 10 ? 48 + digit : 87 + digit;
        rest = Math.floor(rest / 36);
      }
    }
    return { form: 'raw', type: STRING, length: this.rowCount, validity: null, offsets, bytes };
  }
}
