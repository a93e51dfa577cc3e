import { Button, Kbd, Menu } from '@mantine/core';
import { useClipboard, useOs } from '@mantine/hooks';
import { readCsv } from '../../api/client.ts';
import { Icon } from '../../components/icons.tsx';
import type { Example } from './examples.ts';
import { HistoryMenu } from './history-menu.tsx';
import { sharedHref } from './link.ts';
import { useQuerySession } from './session.tsx';
import styles from './toolbar.module.css';
import { useDownload } from './use-download.ts';

interface Props {
  readonly draft: string;
  readonly examples: readonly Example[];
  readonly onRun: () => void;
  readonly onExplain: () => void;
  readonly onOpen: (sql: string) => void;
}

const quiet = { size: 'xs', variant: 'default' } as const;

export function Toolbar({ draft, examples, onRun, onExplain, onOpen }: Props) {
  const { view, choice, statement } = useQuerySession();
  const clipboard = useClipboard({ timeout: 1500 });
  const mac = useOs() === 'macos';
  const download = useDownload(() => readCsv(draft));
  const empty = draft.trim() === '';

  const copyLink = (): void => {
    const url = new URL(window.location.href);
    url.hash = sharedHref({ sql: draft, view, choice });
    clipboard.copy(url.href);
  };

  return (
    <section className={styles.toolbar} aria-label="Statement">
      {statement.running ? (
        <Button size="xs" w={146} color="red" leftSection={<Icon name="stop" />} onClick={statement.cancel}>
          Cancel
        </Button>
      ) : (
        <Button size="xs" w={146} leftSection={<Icon name="run" />} onClick={onRun} disabled={empty}>
          Run
          <Kbd size="xs" className={styles.key}>
            {mac ? '⌘' : 'Ctrl'} ↵
          </Kbd>
        </Button>
      )}
      <Button {...quiet} leftSection={<Icon name="plan" />} onClick={onExplain} disabled={empty}>
        Explain
      </Button>
      <Menu position="bottom-start" width={340} shadow="md">
        <Menu.Target>
          <Button {...quiet} leftSection={<Icon name="examples" />}>
            Examples
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {examples.map(example => (
            <Menu.Item key={example.title} onClick={() => onOpen(example.sql)}>
              {example.title}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <HistoryMenu onOpen={onOpen} />
      <span className={styles.gap} />
      <Button {...quiet} leftSection={<Icon name="link" />} onClick={copyLink} disabled={empty} w={122}>
        {clipboard.copied ? 'Copied' : 'Copy link'}
      </Button>
      <Button
        {...quiet}
        leftSection={<Icon name="download" />}
        onClick={download.start}
        loading={download.busy}
        disabled={empty}
        title="Runs the statement again and saves all of its rows"
      >
        CSV
      </Button>
      {download.error !== null && (
        <span className={styles.error} role="alert">
          {download.error}
        </span>
      )}
    </section>
  );
}
