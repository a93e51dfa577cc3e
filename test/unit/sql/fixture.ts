/** One table and one system table to bind against, and the checks that tests share. */
import { expect } from 'vitest';
import { FaultError } from '../../../src/base/fault.ts';
import type { TableDefinition } from '../../../src/catalog/table.ts';
import {
  BOOLEAN,
  DATE,
  DOUBLE,
  decimal,
  FLOAT,
  INT,
  JSON_TYPE,
  LONG,
  STRING,
  TIMESTAMP,
  type Type,
  type Value,
} from '../../../src/column/type.ts';
import type { QueryPlan } from '../../../src/plan/node.ts';
import { bindStatement } from '../../../src/sql/bind.ts';
import type { BoundStatement } from '../../../src/sql/bound.ts';
import type { SqlCatalog } from '../../../src/sql/catalog.ts';
import { parseStatement } from '../../../src/sql/parse.ts';

const columnTypes: Readonly<Record<string, Type>> = {
  ts: TIMESTAMP,
  id: STRING,
  merchant: STRING,
  country: STRING,
  amount: LONG,
  fee: DOUBLE,
  rate: FLOAT,
  tries: INT,
  day: DATE,
  price: decimal(10, 2),
  paid: BOOLEAN,
  extra: JSON_TYPE,
};

export const payments: TableDefinition = {
  id: '0123456789ab',
  name: 'payments',
  version: 1,
  columns: Object.entries(columnTypes).map(([name, type], index) => ({
    ...{ id: index + 1, name, type },
    nullable: name !== 'ts',
    defaultValue: name === 'country' ? 'US' : null,
  })),
  timeColumnId: 1,
  indexes: [],
  source: { kind: 'log', partitionCount: 1 },
  settings: { segmentRows: 1_000_000, segmentAgeMs: 3_600_000, retentionMs: null },
  createdAtMs: 0,
};

const mixedCase: TableDefinition = {
  ...payments,
  id: 'ba9876543210',
  name: 'Mixed',
  columns: ['Name', 'name', 'Town'].map((name, index) => ({
    ...{ id: index + 1, name, type: STRING, nullable: true, defaultValue: null },
  })),
};

export const catalog: SqlCatalog = {
  tables: [payments, mixedCase],
  systemTables: [
    {
      name: 'system.queries',
      columns: [
        { name: 'query_id', type: STRING },
        { name: 'elapsed_ms', type: LONG },
      ],
    },
  ],
};

/** 2024-01-02 03:04:05 UTC. */
export const nowMs = Date.UTC(2024, 0, 2, 3, 4, 5);

export const bind = (sql: string, parameters: readonly Value[] = []): BoundStatement =>
  bindStatement(parseStatement(sql), { catalog, parameters, nowMs, timeZone: 'UTC' });

export function planOf(sql: string, parameters: readonly Value[] = []): QueryPlan {
  const bound = bind(sql, parameters);
  if (bound.kind !== 'select' && bound.kind !== 'explain') throw new Error(`a ${bound.kind} has no plan`);
  return bound.plan;
}

/** `CODE line:column message (hint)` of the fault that an action raises. */
export function faultText(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { code, position, message, hint } = error.fault;
    const where = position === undefined ? '-' : `${position.line}:${position.column}`;
    return `${code} ${where} ${message}${hint === undefined ? '' : ` (${hint})`}`;
  }
  return 'no fault';
}

/** `want`: all of `faultText`, or a pattern of it. */
export function checkFault(sql: string, want: string | RegExp, parameters: readonly Value[] = []): void {
  const text = faultText(() => bind(sql, parameters));
  if (typeof want === 'string') expect(text).toBe(want);
  else expect(text).toMatch(want);
}
