/** The ingestion page in a real Chromium: pushes, and a topic of a real Kafka. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kafka, startKafka } from '../support/kafka.ts';
import { kafkaVersions, requires } from '../support/requires.ts';
import { ask, startWeir, type WeirProcess } from '../support/weir-process.ts';
import { launchChromium, openPage, screenshot, type Watched } from './browser.ts';

const columnsOf = async (table: Locator): Promise<string[]> => table.getByRole('columnheader').allInnerTexts();

/** A row's cells by the columns' names. */
async function cellsOf(table: Locator, row: number): Promise<Record<string, string>> {
  const [names, cells] = [
    await columnsOf(table),
    await table.getByRole('row').nth(row).getByRole('cell').allInnerTexts(),
  ];
  return Object.fromEntries(names.map((name, index) => [name, cells[index]!.trim()]));
}

/** The row of a table of the page that a name begins. */
async function rowOf(table: Locator, name: string): Promise<Record<string, string>> {
  const names = await columnsOf(table);
  const cells = await table
    .getByRole('row', { name: new RegExp(`^${name}\\b`) })
    .getByRole('cell')
    .allInnerTexts();
  return Object.fromEntries(names.map((column, index) => [column, (cells[index] ?? '').trim()]));
}

async function opener(weir: WeirProcess, browser: Browser, opened: Watched[], scheme: 'light' | 'dark', name: string) {
  const watched = await openPage(browser, weir.url, scheme);
  opened.push(watched);
  await watched.page.goto(new URL(`/ui/#/ingestion${name === '' ? '' : `/${name}`}`, weir.url).href);
  return watched.page;
}

/** Where every button of the page is. */
const placesOfButtons = (page: Page): Promise<unknown> =>
  page
    .getByRole('main')
    .getByRole('button')
    .evaluateAll(buttons => buttons.map(button => [button.textContent, button.getBoundingClientRect().toJSON()]));

const timeoutMs = 20_000;

requires('chromium')('the ingestion page', () => {
  let folder: string;
  let weir: WeirProcess;
  let browser: Browser;
  const opened: Watched[] = [];
  const open = (scheme: 'light' | 'dark', name = '') => opener(weir, browser, opened, scheme, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-ingestion-'));
    weir = await startWeir({ args: ['--data', folder, '--demo-rate', '500'] });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await weir?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('shows a table that consumes, with numbers that move while nothing else does', async () => {
    const page = await open('light');
    await page.getByRole('heading', { name: 'Ingestion' }).waitFor();
    const summary = page.getByRole('table', { name: 'Ingestion of all tables' });
    await expect
      .poll(() => rowOf(summary, 'payments'), { timeout: timeoutMs })
      .toMatchObject({
        Source: 'embedded log',
        State: 'consuming',
        Rejected: '0',
        'Rows/s': expect.stringMatching(/^\d{2,}$/),
      });
    const partitions = page.getByRole('table', { name: 'Partitions of payments' });
    const first = await cellsOf(partitions, 1);
    expect(first).toMatchObject({ Partition: '0', State: 'consuming', Rejected: '0', Lost: '0' });
    expect(first.Ingested).toMatch(/^[\d,]+$/);
    expect(first.Watermark).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(first.Age).toMatch(/^[\d.]+ (ms|s)$/);
    const places = await placesOfButtons(page);
    await expect
      .poll(async () => (await cellsOf(partitions, 1)).Ingested, { timeout: timeoutMs })
      .not.toBe(first.Ingested);
    expect(await placesOfButtons(page)).toEqual(places);
    await screenshot(page, 'ingestion-light');
  });

  test('counts a bad row as rejected, and shows it', async () => {
    await ask(weir.url, 'CREATE TABLE orders (id LONG NOT NULL, note STRING)');
    const page = await open('dark', 'orders');
    const partitions = page.getByRole('table', { name: 'Partitions of orders' });
    await expect
      .poll(() => cellsOf(partitions, 1), { timeout: timeoutMs })
      .toMatchObject({ State: 'idle', Rows: '0', Watermark: '–' });
    await fetch(new URL('/v1/tables/orders/rows', weir.url), {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"id":1,"note":"good"}\n{"id":"no number"}\n',
    });
    await expect
      .poll(() => cellsOf(partitions, 1), { timeout: timeoutMs })
      .toMatchObject({ State: 'consuming', Rows: '1', Rejected: '1', Ingested: '1', End: '1', Lag: '0' });
    await page.getByRole('tab', { name: 'Rejected rows (1)' }).click();
    const rejects = page.getByRole('table', { name: 'Rejected rows of orders' });
    await rejects
      .getByRole('cell', { name: /no number/ })
      .last()
      .waitFor();
    expect(await cellsOf(rejects, 1)).toMatchObject({ Line: '2', Column: 'id', Reason: expect.stringMatching(/\S/) });
    await screenshot(page, 'ingestion-rejects-dark');
  });

  test('a log can be committed, and neither paused nor moved', async () => {
    const page = await open('light', 'orders');
    const details = page.getByRole('region', { name: 'orders', exact: true });
    await details.getByRole('button', { name: 'Commit', exact: true }).click();
    await details.getByText('1 segment committed').waitFor();
    const partitions = page.getByRole('table', { name: 'Partitions of orders' });
    await expect.poll(async () => (await cellsOf(partitions, 1)).Committed, { timeout: timeoutMs }).toBe('1');
    expect(await details.getByRole('button', { name: /Pause|Seek/ }).count()).toBe(0);
    await partitions.getByRole('button', { name: 'Commit partition 0' }).press('Enter');
    await details.getByText('Nothing to commit').waitFor();
  });

  test('a topic that cannot be looked at is one state, with its cause in full', async () => {
    await ask(
      weir.url,
      "CREATE TABLE nowhere (id LONG) FROM KAFKA (brokers = '127.0.0.1:1', topic = 'absent', format = 'json')",
    );
    const page = await open('dark', 'nowhere');
    const partitions = page.getByRole('table', { name: 'Partitions of nowhere' });
    await expect
      .poll(() => cellsOf(partitions, 1), { timeout: timeoutMs })
      .toMatchObject({ Partition: 'topic', State: 'failed' });
    const problems = page.getByRole('region', { name: 'Problems of nowhere' });
    expect(await problems.innerText()).toMatch(/Failed[\s\S]*topic[\s\S]*127\.0\.0\.1:1/);
    expect(await rowOf(page.getByRole('table', { name: 'Ingestion of all tables' }), 'nowhere')).toMatchObject({
      Source: 'Kafka absent · json',
      State: 'failed',
    });
    await screenshot(page, 'ingestion-topic-dark');
    await ask(weir.url, 'DROP TABLE nowhere');
  });

  test('without tables it says how to make one', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'weir-ingestion-none-'));
    const other = await startWeir({ args: ['--data', empty, '--no-demo'] });
    try {
      const page = await opener(other, browser, opened, 'light', '');
      await page
        .getByText(/^No tables yet/)
        .first()
        .waitFor();
    } finally {
      await other.stop();
      await rm(empty, { recursive: true, force: true });
    }
  });

  test('nothing went wrong on any page', () => {
    expect(opened.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});

requires('chromium', 'kafka')('the ingestion page over Kafka', () => {
  let folder: string;
  let kafka: Kafka;
  let weir: WeirProcess;
  let browser: Browser;
  let page: Page;
  let partitions: Locator;
  const opened: Watched[] = [];

  const statesOf = async (count: number): Promise<(string | undefined)[]> =>
    Promise.all(Array.from({ length: count }, async (_, index) => (await cellsOf(partitions, index + 1)).State));
  const produce = (partition: number, ...ids: (number | string)[]): Promise<void> =>
    kafka.produce(
      'orders',
      partition,
      ids.map(id => ({ value: JSON.stringify({ id, ts: new Date().toISOString() }) })),
    );

  beforeAll(async () => {
    kafka = await startKafka({ version: kafkaVersions[1] });
    await kafka.createTopic('orders', 3);
    folder = await mkdtemp(join(tmpdir(), 'weir-ingestion-kafka-'));
    weir = await startWeir({ args: ['--data', folder, '--no-demo'] });
    await ask(
      weir.url,
      `CREATE TABLE orders (id LONG NOT NULL, ts TIMESTAMP NOT NULL)
       FROM KAFKA (brokers = '${kafka.brokers[0]}', topic = 'orders', format = 'json') WITH (time_column = 'ts')`,
    );
    browser = await launchChromium();
    page = await opener(weir, browser, opened, 'light', 'orders');
    partitions = page.getByRole('table', { name: 'Partitions of orders' });
  });
  afterAll(async () => {
    await browser?.close();
    await weir?.stop();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('shows the partitions, where they are, and what was rejected', async () => {
    await produce(0, 1, 2, 'no number');
    await produce(1, 3);
    await expect
      .poll(() => cellsOf(partitions, 1), { timeout: timeoutMs })
      .toMatchObject({
        Partition: '0',
        State: 'consuming',
        Ingested: '3',
        End: '3',
        Lag: '0',
        Rows: '2',
        Rejected: '1',
      });
    await expect.poll(() => cellsOf(partitions, 2), { timeout: timeoutMs }).toMatchObject({ Rows: '1', Lost: '0' });
    expect(await partitions.getByRole('row').count()).toBe(4);
    const details = page.getByRole('region', { name: 'orders', exact: true });
    expect(await details.innerText()).toContain(kafka.brokers[0]);
    await page.getByRole('tab', { name: 'Rejected rows (1)' }).click();
    const rejects = page.getByRole('table', { name: 'Rejected rows of orders' });
    await rejects
      .getByRole('cell', { name: /no number/ })
      .last()
      .waitFor();
    expect(await cellsOf(rejects, 1)).toMatchObject({ Partition: '0', Offset: '2', Column: 'id' });
    await page.getByRole('tab', { name: /^Partitions/ }).click();
    await screenshot(page, 'ingestion-kafka-light');
  });

  test('pauses and resumes: the table, and one partition', async () => {
    const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
    await button('Pause').click();
    await page.getByText('All partitions paused').waitFor();
    await expect.poll(() => statesOf(3), { timeout: timeoutMs }).toEqual(['paused', 'paused', 'paused']);
    await screenshot(page, 'ingestion-paused-light');
    await produce(1, 4);
    await button('Resume partition 1').click();
    await expect.poll(() => cellsOf(partitions, 2), { timeout: timeoutMs }).toMatchObject({ Rows: '2' });
    expect(await statesOf(3)).toEqual(['paused', 'consuming', 'paused']);
    expect((await rowOf(page.getByRole('table', { name: 'Ingestion of all tables' }), 'orders')).State).toBe(
      'paused (2 of 3)',
    );
    await button('Resume').click();
    await expect.poll(() => statesOf(3), { timeout: timeoutMs }).not.toContain('paused');
    // By keyboard, and the focus stays.
    await button('Pause partition 2').press('Enter');
    await expect.poll(() => statesOf(3), { timeout: timeoutMs }).toContain('paused');
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Resume partition 2');
    await page.keyboard.press('Enter');
    await expect.poll(() => statesOf(3), { timeout: timeoutMs }).not.toContain('paused');
  });

  test('seeks after a warning, and says why it cannot', async () => {
    await page.getByRole('button', { name: 'Seek partition 0' }).click();
    const dialog = page.getByRole('dialog', { name: 'Seek orders' });
    await dialog.getByText(/are dropped and read again/).waitFor();
    await dialog.getByRole('radio', { name: 'Offset' }).check();
    await dialog.getByRole('textbox', { name: 'Offset' }).fill('99');
    await screenshot(page, 'ingestion-seek-light');
    await dialog.getByRole('button', { name: 'Seek' }).click();
    const alert = dialog.getByRole('alert').filter({ hasText: 'INVALID_REQUEST' });
    expect(await alert.innerText()).toMatch(/99 is not among them[\s\S]*SEEK|seek/);
    await dialog.getByRole('radio', { name: 'Beginning of the topic' }).check();
    await dialog.getByRole('button', { name: 'Seek' }).click();
    await page.getByText('Moved: partition 0 at 0').waitFor();
    // Read again: counted again.
    await expect.poll(() => cellsOf(partitions, 1), { timeout: timeoutMs }).toMatchObject({ Ingested: '3', Rows: '4' });
    expect(await ask(weir.url, 'SELECT COUNT(*) FROM orders')).toEqual([[4]]);
  });

  test('a broker that is gone is a failure with its cause, until it is back', async () => {
    await kafka.kill();
    await expect.poll(() => statesOf(3), { timeout: 60_000 }).toEqual(['failed', 'failed', 'failed']);
    const problems = page.getByRole('region', { name: 'Problems of orders' });
    expect(await problems.innerText()).toMatch(/Failed[\s\S]*partition/);
    expect(await problems.innerText()).toContain(kafka.brokers[0]);
    await screenshot(page, 'ingestion-failed-light');
    await kafka.restart();
    await expect.poll(() => statesOf(3), { timeout: 60_000 }).not.toContain('failed');
  });

  test('a hundred partitions are there, and only those in view are drawn', async () => {
    await kafka.createTopic('many', 100);
    await ask(
      weir.url,
      `CREATE TABLE many (id LONG) FROM KAFKA (brokers = '${kafka.brokers[0]}', topic = 'many', format = 'json')`,
    );
    const other = await opener(weir, browser, opened, 'dark', 'many');
    await other.getByRole('tab', { name: 'Partitions (100)' }).waitFor({ timeout: timeoutMs });
    const table = other.getByRole('table', { name: 'Partitions of many' });
    expect(await table.getByRole('row').count()).toBeLessThan(60);
    await screenshot(other, 'ingestion-many-dark');
    await table.getByRole('button', { name: 'Commit partition 0', exact: true }).focus();
    await other.keyboard.press('End');
    await table.getByRole('button', { name: 'Seek partition 99' }).click();
    await other.getByRole('dialog', { name: 'Seek many' }).getByRole('radio', { name: 'Time' }).check();
    await other.getByRole('dialog').getByRole('textbox', { name: 'Time' }).fill('yesterday');
    await other.getByRole('dialog').getByRole('button', { name: 'Seek' }).click();
    await other.getByRole('alert').getByText('yesterday is no time').waitFor();
    await screenshot(other, 'ingestion-seek-dark');
  });

  test('without the server the page says so, and an order says why it failed', async () => {
    await weir.kill();
    await page.getByText(/^Not up to date: /).waitFor({ timeout: timeoutMs });
    await page.getByRole('button', { name: 'Commit', exact: true }).click();
    await page.getByRole('alert').getByText('CONNECTION_FAILED').waitFor({ timeout: timeoutMs });
    await screenshot(page, 'ingestion-no-server-light');
  });

  test('nothing went wrong on the page', () => {
    expect(opened.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
