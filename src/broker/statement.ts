/** Statements that are not queries: what they do, and the rows that tell of it. */
import { batchOf } from '../column/builder.ts';
import { encodeBatch } from '../column/frame.ts';
import { BOOLEAN, INT, LONG, STRING, typeText, type Value } from '../column/type.ts';
import type { BoundStatement, DescribedColumn } from '../sql/bound.ts';
import type { ResultColumn } from '../wire/broker-calls.ts';
import type { Client } from '../wire/call.ts';
import type { ControllerCalls } from '../wire/controller-calls.ts';
import type { IngestCalls } from '../wire/ingest-calls.ts';
import { alterTable } from './alter.ts';

type Command = Extract<
  BoundStatement,
  { kind: 'createTable' | 'dropTable' | 'alterTable' | 'showTables' | 'showCreateTable' | 'ingestion' | 'insert' }
>;
type Ingestion = Extract<BoundStatement, { kind: 'ingestion' }>;

interface CommandAnswer {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly Value[])[];
}

export const linesColumn: ResultColumn = { name: 'plan', type: STRING };
export const linesFrame = (lines: readonly string[]): Uint8Array =>
  encodeBatch(
    batchOf(
      [STRING],
      lines.map(line => [line]),
    ),
  );

export const describeColumns: readonly ResultColumn[] = [
  { name: 'column', type: STRING },
  { name: 'type', type: STRING },
  { name: 'nullable', type: BOOLEAN },
];

export const describeFrame = (columns: readonly DescribedColumn[]): Uint8Array =>
  encodeBatch(
    batchOf(
      describeColumns.map(column => column.type),
      columns.map(({ name, type, nullable }) => [name, typeText(type), nullable]),
    ),
  );

const statusColumns: readonly ResultColumn[] = [{ name: 'status', type: STRING }];
const tableColumns: readonly ResultColumn[] = [{ name: 'table', type: STRING }];
const insertColumns: readonly ResultColumn[] = [{ name: 'inserted', type: LONG }];

const createColumns: readonly ResultColumn[] = [{ name: 'sql', type: STRING }];
const tableAndPartition: readonly ResultColumn[] = [
  { name: 'table', type: STRING },
  { name: 'partition', type: INT },
];
const ingestionColumns: Readonly<Record<Ingestion['action'], readonly ResultColumn[]>> = {
  pause: [...tableAndPartition, { name: 'state', type: STRING }],
  resume: [...tableAndPartition, { name: 'state', type: STRING }],
  commit: [...tableAndPartition, { name: 'segments', type: INT }],
  seek: [...tableAndPartition, { name: 'offset', type: LONG }],
};

export function commandColumns(command: Command): readonly ResultColumn[] {
  switch (command.kind) {
    case 'createTable':
    case 'dropTable':
    case 'alterTable':
      return statusColumns;
    case 'showTables':
      return tableColumns;
    case 'showCreateTable':
      return createColumns;
    case 'ingestion':
      return ingestionColumns[command.action];
    case 'insert':
      return insertColumns;
  }
}

export const commandFrame = ({ columns, rows }: CommandAnswer): Uint8Array =>
  encodeBatch(
    batchOf(
      columns.map(column => column.type),
      rows,
    ),
  );

export async function runCommand(
  command: Command,
  {
    controller,
    ingest,
    signal,
  }: { controller: Client<ControllerCalls>; ingest: Client<IngestCalls>; signal: AbortSignal },
): Promise<CommandAnswer> {
  const columns = commandColumns(command);
  switch (command.kind) {
    case 'createTable': {
      const { request, ifNotExists } = command;
      const table = await controller.call('createTable', { definition: request, ifNotExists }, { signal });
      return { columns, rows: [[`created table ${table.name}`]] };
    }
    case 'dropTable': {
      const { dropped } = await controller.call(
        'dropTable',
        { name: command.name, ifExists: command.ifExists },
        { signal },
      );
      return { columns, rows: [[dropped ? `dropped table ${command.name}` : `no table ${command.name}`]] };
    }
    case 'alterTable': {
      if (command.changes.length > 0) await alterTable(command, controller, signal);
      return { columns, rows: [[command.status]] };
    }
    case 'showTables': {
      const { tables } = await controller.call('catalog', null, { signal });
      const names = tables.map(table => table.name).sort();
      return { columns, rows: names.map(name => [name]) };
    }
    case 'showCreateTable':
      return { columns, rows: [[command.sql]] };
    case 'ingestion':
      return { columns, rows: await steerIngestion(command, ingest, signal) };
    case 'insert': {
      const { tableId, columnIds, types, rows } = command;
      const frame = encodeBatch(batchOf(types, rows));
      const { inserted } = await ingest.call('insert', { tableId, columnIds, frame }, { signal });
      return { columns, rows: [[BigInt(inserted)]] };
    }
  }
}

/** A row a partition that was touched; partition NULL: all of them. */
async function steerIngestion(
  { action, tableId, table, partition, to }: Ingestion,
  ingest: Client<IngestCalls>,
  signal: AbortSignal,
): Promise<Value[][]> {
  switch (action) {
    case 'pause':
    case 'resume':
      await ingest.call(action, { tableId, partition }, { signal });
      return [[table, partition, action === 'pause' ? 'paused' : 'resumed']];
    case 'commit': {
      const { segments } = await ingest.call('commit', partition === null ? { tableId } : { tableId, partition }, {
        signal,
      });
      return [[table, partition, segments]];
    }
    case 'seek': {
      const { partitions } = await ingest.call('seek', { tableId, partition, to: to! }, { signal });
      return partitions.map(place => [table, place.partition, BigInt(place.offset)]);
    }
  }
}
