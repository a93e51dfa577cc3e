/** Type names in SQL: Weir's own, and PostgreSQL's as aliases. */
import { fault } from '../base/fault.ts';
import { didYouMean } from '../base/suggest.ts';
import {
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  UUID,
} from '../column/type.ts';
import { decimalPrecisionMax } from '../function/coercion.ts';
import type { TypeSyntax } from './ast.ts';

const types: Readonly<Record<string, Type>> = {
  boolean: BOOLEAN,
  bool: BOOLEAN,
  int: INT,
  integer: INT,
  int2: INT,
  int4: INT,
  smallint: INT,
  long: LONG,
  bigint: LONG,
  int8: LONG,
  float: FLOAT,
  real: FLOAT,
  float4: FLOAT,
  double: DOUBLE,
  'double precision': DOUBLE,
  float8: DOUBLE,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMP,
  'timestamp with time zone': TIMESTAMP,
  'timestamp without time zone': TIMESTAMP,
  datetime: TIMESTAMP,
  date: DATE,
  interval: INTERVAL,
  string: STRING,
  text: STRING,
  varchar: STRING,
  character: STRING,
  'character varying': STRING,
  uuid: UUID,
  json: JSON_TYPE,
  jsonb: JSON_TYPE,
  bytes: BYTES,
  bytea: BYTES,
};
const decimalNames: ReadonlySet<string> = new Set(['decimal', 'numeric', 'dec']);

/** Names whose `(n)` is taken and means nothing: strings have no length limit, timestamps have milliseconds. */
const lengthNames: ReadonlySet<string> = new Set([
  ...['varchar', 'character varying', 'timestamp', 'timestamptz', 'interval'],
  ...['timestamp with time zone', 'timestamp without time zone'],
]);

/** DECIMAL without digits, which PostgreSQL does not bound: 29 before the point and 9 after, as BigQuery's NUMERIC. */
const defaultDecimal = decimal(decimalPrecisionMax, 9);

/** @throws {FaultError} UNSUPPORTED for arrays; INVALID_DEFINITION for an unknown name or digits out of range. */
export function resolveType(syntax: TypeSyntax): Type {
  const { name, args, isArray, at: position } = syntax;
  if (isArray)
    throw fault('UNSUPPORTED', `array types are not supported yet: ${name.toUpperCase()}[]`, {
      position,
      hint: 'use JSON, or one row for each element',
    });
  if (decimalNames.has(name)) return resolveDecimal(syntax);
  const type = types[name];
  if (type === undefined)
    throw fault('INVALID_DEFINITION', `unknown type ${name.toUpperCase()}`, {
      position,
      hint:
        didYouMean(
          name.toUpperCase(),
          [...Object.keys(types), ...decimalNames].map(known => known.toUpperCase()),
        ) ?? 'types: BOOLEAN, INT, LONG, FLOAT, DOUBLE, DECIMAL, TIMESTAMP, DATE, INTERVAL, STRING, UUID, JSON, BYTES',
    });
  if (args.length > 0 && !lengthNames.has(name))
    throw fault('INVALID_DEFINITION', `type ${name.toUpperCase()} takes no number`, { position });
  return type;
}

function resolveDecimal({ args, at: position }: TypeSyntax): Type {
  if (args.length === 0) return defaultDecimal;
  const [precision, scale = 0] = args;
  if (args.length > 2 || !Number.isInteger(precision) || precision! < 1 || precision! > decimalPrecisionMax)
    throw fault('INVALID_DEFINITION', `DECIMAL precision ${args[0]} must be between 1 and ${decimalPrecisionMax}`, {
      position,
    });
  if (!Number.isInteger(scale) || scale < 0 || scale > precision!)
    throw fault('INVALID_DEFINITION', `DECIMAL scale ${scale} must be between 0 and precision ${precision}`, {
      position,
    });
  return decimal(precision!, scale);
}
