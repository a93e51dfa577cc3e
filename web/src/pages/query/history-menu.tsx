import { Button, Menu } from '@mantine/core';
import { formatCount, formatDuration, formatInstant } from '../../components/format.ts';
import { Icon } from '../../components/icons.tsx';
import { useQuerySession } from './session.tsx';
import styles from './toolbar.module.css';

/** Statements that ran in this browser, newest first. Choosing one writes it; with Ctrl or Cmd it runs too. */
export function HistoryMenu({ onOpen }: { onOpen: (sql: string) => void }) {
  const { history, setDraft, setChoice } = useQuerySession();
  const take = (sql: string): void => {
    setChoice(null);
    setDraft(sql);
  };
  return (
    <Menu position="bottom-start" width={520} shadow="md">
      <Menu.Target>
        <Button size="xs" variant="default" leftSection={<Icon name="history" />} disabled={history.length === 0}>
          History
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={styles.history}>
        {history.map(entry => (
          <Menu.Item
            key={entry.sql}
            onClick={event => (event.metaKey || event.ctrlKey ? onOpen(entry.sql) : take(entry.sql))}
          >
            <code className={styles.sql}>{entry.sql.replace(/\s+/g, ' ')}</code>
            <span className={entry.rowCount === null ? styles.failed : styles.facts}>
              {formatInstant(entry.atMs).slice(0, 19)} ·{' '}
              {entry.rowCount === null ? 'failed' : `${formatCount(entry.rowCount)} rows`} ·{' '}
              {formatDuration(entry.elapsedMs)}
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
