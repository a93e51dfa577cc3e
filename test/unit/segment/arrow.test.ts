/** columns.arrow is plain Arrow: readers that are not ours find the same values in it. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, expect, test } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.ts';
import { formatHex, formatUuid } from '../../../src/column/text.ts';
import { blockRows } from '../../../src/segment/block.ts';
import { DiskStore } from '../../../src/store/disk-store.ts';
import { requires } from '../../support/requires.ts';
import { buildTestSegment, everyType, everyTypeTable, expectedColumns } from './stored-fixtures.ts';

const folder = await mkdtemp(`${tmpdir()}/weir-arrow-`);
afterAll(() => rm(folder, { recursive: true }));

const rowCount = blockRows + 40;
const store = new DiskStore(nodeDisk, folder);
const entry = await buildTestSegment(store, everyType, rowCount, { definition: everyTypeTable });
const key = `${entry.tableId}/${entry.id}/columns.arrow`;
/** Around the edge between two blocks, and at both ends. */
const rows = [0, 1, 2, 3, 4, 5, 6, 7, ...Array.from({ length: 48 }, (_, index) => blockRows - 8 + index)];
const expected = expectedColumns(everyType, rowCount, { byTime: true }).map(column => rows.map(row => column[row]!));

const names = [...everyType.map(column => column.name), '$offset', '$ingested_at'];

const words128 = (words: Uint32Array): bigint =>
  BigInt.asIntN(
    128,
    words.reduceRight((value, word) => (value << 32n) | BigInt(word), 0n),
  );

/** A value as apache-arrow gives it, as `show` would spell it. */
function showArrow(name: string, value: unknown): string | null {
  if (value === null) return null;
  if (name === 'price') return String(words128(value as Uint32Array));
  if (name === 'day') return String((value as number) / 86_400_000);
  if (name === 'device' || name === 'event') return formatUuid(value as Uint8Array);
  if (name === 'blob') return formatHex(value as Uint8Array);
  if (name === 'span') {
    const { months, days, ms } = value as { months: number; days: number; ms: bigint };
    return `${months} ${days} ${ms}`;
  }
  return Object.is(value, -0) ? '-0' : String(value);
}

test('apache-arrow reads the values', async () => {
  const table = tableFromIPC(await readFile(`${folder}/${key}`));
  expect(table.batches.map(batch => batch.numRows)).toEqual([blockRows, 40]);
  expect(table.schema.fields.map(field => field.name)).toEqual(names);
  expect(table.schema.fields.map(field => field.metadata.get('weir.column_id'))).toEqual([
    ...everyType.map((_, index) => String(index + 1)),
    '-1',
    '-4',
  ]);
  expect(Object.fromEntries(table.schema.metadata)).toEqual({
    'weir.format': '1',
    'weir.table_id': entry.tableId,
    'weir.table_version': '3',
    'weir.segment_id': entry.id,
  });
  names.forEach((name, index) => {
    const column = table.getChild(name)!;
    expect([name, rows.map(row => showArrow(name, column.get(row)))]).toEqual([name, expected[index]]);
  });
});

/** Prints the values of some rows, spelt as `show` does, after pyarrow's own full validation. */
const pyarrowScript = `
import json, sys, pyarrow as pa, pyarrow.ipc as ipc
file = ipc.open_file(pa.memory_map(sys.argv[1]))
table = file.read_all()
table.validate(full=True)
rows = json.loads(sys.argv[2])

def number(value):
    if value != value: return 'NaN'
    if value in (float('inf'), float('-inf')): return 'Infinity' if value > 0 else '-Infinity'
    return value

def show(field, value):
    if value is None: return None
    kind = field.type
    if pa.types.is_floating(kind): return number(value)
    if pa.types.is_decimal(kind): return str(int(value.scaleb(kind.scale)))
    if pa.types.is_boolean(kind): return 'true' if value else 'false'
    if pa.types.is_struct(kind): return '%d %d %d' % (value['months'], value['days'], value['ms'])
    if isinstance(value, bytes): return value.hex()
    return str(value)

columns = []
for field, column in zip(table.schema, table.columns):
    if pa.types.is_timestamp(field.type):
        assert field.type.unit == 'ms' and field.type.tz == 'UTC'
        column = column.cast(pa.int64())
    if pa.types.is_date32(field.type): column = column.cast(pa.int32())
    picked = column.take(pa.array(rows)).to_pylist()
    columns.append([show(field, value) for value in picked])
print(json.dumps({'batches': [file.get_batch(i).num_rows for i in range(file.num_record_batches)], 'columns': columns}))
`;

requires('pyarrow')('pyarrow', () => {
  test('reads the values', () => {
    const printed = execFileSync('python3', ['-c', pyarrowScript, `${folder}/${key}`, JSON.stringify(rows)], {
      encoding: 'utf8',
    });
    const { batches, columns } = JSON.parse(printed) as { batches: number[]; columns: (string | number | null)[][] };
    expect(batches).toEqual([blockRows, 40]);
    const text = (name: string, value: string | number | null): string | null => {
      if (value === null) return null;
      if (name === 'device' || name === 'event') return formatUuid(Buffer.from(value as string, 'hex'));
      return Object.is(value, -0) ? '-0' : String(value);
    };
    names.forEach((name, index) => {
      expect([name, columns[index]!.map(value => text(name, value))]).toEqual([name, expected[index]]);
    });
  });
});
