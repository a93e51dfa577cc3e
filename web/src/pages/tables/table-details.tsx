import { Button, Tabs } from '@mantine/core';
import { quoteName, type TableInfo } from '../../api/client.ts';
import { hrefOf } from '../../app/route.ts';
import { formatBytes, formatCount, formatDuration, formatInstant } from '../../components/format.ts';
import { Icon } from '../../components/icons.tsx';
import { SchemaTable } from './schema-table.tsx';
import { SegmentsTable } from './segments-table.tsx';
import styles from './table-details.module.css';

function factsOf(table: TableInfo): [string, string][] {
  const { settings } = table;
  return [
    ['Rows', formatCount(table.rows)],
    ['of them consuming', formatCount(table.consumingRows)],
    ['Segments', `${formatCount(table.segments)}, ${formatBytes(table.sizeBytes)}`],
    ['Time column', table.timeColumn ?? 'none'],
    ['Source', table.source.kind === 'log' ? 'embedded log' : table.source.kind],
    ['Seals at', `${formatCount(settings.segmentRows)} rows or ${formatDuration(settings.segmentAgeMs)}`],
    ['Retention', settings.retentionMs === null ? 'for ever' : formatDuration(settings.retentionMs)],
    ['Created', formatInstant(table.createdAtMs).slice(0, 16)],
  ];
}

/** One table: what it holds, its columns, its segments. */
export function TableDetails({ table }: { table: TableInfo }) {
  const sql = `SELECT *\nFROM ${quoteName(table.name)}\nLIMIT 100`;
  return (
    <section className={styles.details} aria-label={table.name}>
      <header className={styles.header}>
        <h2>{table.name}</h2>
        <Button
          component="a"
          href={hrefOf('query', null, { sql })}
          size="xs"
          variant="default"
          leftSection={<Icon name="query" />}
        >
          Query
        </Button>
        <Button
          component="a"
          href={hrefOf('ingestion', table.name)}
          size="xs"
          variant="default"
          leftSection={<Icon name="ingestion" />}
        >
          Ingestion
        </Button>
        {table.timeColumn !== null && (
          <Button
            component="a"
            href={hrefOf('live', table.name)}
            size="xs"
            variant="default"
            leftSection={<Icon name="live" />}
          >
            Live
          </Button>
        )}
      </header>
      <dl className={styles.facts}>
        {factsOf(table).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Tabs defaultValue="columns" className={styles.tabs} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="columns">Columns ({table.columns.length})</Tabs.Tab>
          <Tabs.Tab value="segments">Segments ({formatCount(table.segments)})</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="columns" className={styles.panel}>
          <SchemaTable table={table} />
        </Tabs.Panel>
        <Tabs.Panel value="segments" className={styles.panel}>
          <SegmentsTable table={table} />
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}
