/** The page at `/ui`, in a real Chromium, on a real Weir with the demo running. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { startWeir } from '../support/weir-process.ts';
import { launchChromium, openPage, runSql, screenshot, type Watched } from './browser.ts';

/** Enough rows for a busy chart within the first seconds. */
const demoRate = '2000';

requires('chromium')('the page', () => {
  let folder: string;
  let weir: Awaited<ReturnType<typeof startWeir>>;
  let browser: Browser;
  const opened: Watched[] = [];

  const open = async (colorScheme: 'light' | 'dark' = 'light', path = ''): Promise<Watched['page']> => {
    const watched = await openPage(browser, weir.url, colorScheme);
    opened.push(watched);
    if (path !== '') await watched.page.goto(new URL(path, weir.url).href);
    return watched.page;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-page-'));
    weir = await startWeir({ args: ['--data', folder, '--http', '127.0.0.1:0', '--demo-rate', demoRate] });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await weir?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('runs a query and shows its rows, exact and with types', async () => {
    const page = await open();
    await runSql(
      page,
      'SELECT merchant, COUNT(*) AS payments, 9007199254740993 AS large, CAST(NULL AS LONG) AS nothing\nFROM payments GROUP BY merchant ORDER BY payments DESC LIMIT 5',
    );
    const result = page.getByRole('table', { name: 'Result' });
    await result.getByRole('row').nth(5).waitFor();
    expect(await result.getByRole('row').count()).toBe(6);
    expect(await result.getByRole('columnheader').allInnerTexts()).toEqual([
      '#',
      expect.stringMatching(/^merchant\s+STRING$/),
      expect.stringMatching(/^payments\s+LONG$/),
      expect.stringMatching(/^large\s+LONG$/),
      expect.stringMatching(/^nothing\s+LONG$/),
    ]);
    const cells = await result.getByRole('row').nth(1).getByRole('cell').allInnerTexts();
    expect(cells).toEqual([
      '1',
      expect.stringMatching(/\S/),
      expect.stringMatching(/^\d+$/),
      '9007199254740993',
      'null',
    ]);
    const stats = page.getByRole('region', { name: 'Answer' }).getByRole('status');
    expect(await stats.innerText()).toMatch(/5 rows[\s\S]*complete/);
    await screenshot(page, 'query-table-light');
  });

  test('draws a line over time and bars by category, and the address opens them again', async () => {
    const page = await open('dark');
    await runSql(
      page,
      "SELECT DATE_TRUNC('second', ts) AS second, COUNT(*) AS events FROM payments WHERE ts >= NOW() - INTERVAL '5 minutes' GROUP BY second ORDER BY second",
    );
    await page.getByRole('tab', { name: 'Chart' }).click();
    await page.getByRole('img', { name: 'events by second' }).locator('canvas').waitFor();
    await screenshot(page, 'query-line-dark');

    await runSql(page, 'SELECT status, COUNT(*) AS payments FROM payments GROUP BY status ORDER BY payments DESC');
    const bars = page.getByRole('list', { name: 'payments by status' });
    await bars.getByText('succeeded').waitFor();
    await page.waitForURL(/view=chart/);
    await page.waitForURL(/GROUP(\+|%20)BY(\+|%20)status/);
    await screenshot(page, 'query-bars-dark');

    const shared = await open('light', `/ui/${new URL(page.url()).hash}`);
    await shared.getByRole('list', { name: 'payments by status' }).getByText('succeeded').waitFor();
  });

  test('marks where a statement is wrong, says why and what to do', async () => {
    const page = await open();
    await runSql(page, 'SELECT country,\n  mercant\nFROM payments');
    const notice = page.getByRole('alert');
    await notice.waitFor();
    expect(await notice.innerText()).toMatch(/mercant/);
    expect(await notice.innerText()).toMatch(/line 2, column 3/);
    expect(await notice.innerText()).toMatch(/did you mean.*merchant/i);
    expect(await page.getByTestId('fault-mark').innerText()).toBe('mercant');

    await runSql(page, 'SELEC 1');
    await notice.getByText('SYNTAX_ERROR').waitFor();
    expect(await page.getByTestId('fault-mark').innerText()).toBe('SELEC');
    await screenshot(page, 'query-error-light');
  });

  test('explains a statement, completes names, keeps a history, saves CSV', async () => {
    const page = await open();
    await runSql(page, 'SELECT status, COUNT(*) AS payments FROM payments GROUP BY status');
    await page.getByRole('table', { name: 'Result' }).getByText('succeeded').waitFor();

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    expect(await readFile(await download.path(), 'utf8')).toMatch(/^status,payments\r?\n[\s\S]*succeeded,\d+/);

    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('tab', { name: 'Plan' }).waitFor();
    expect(await page.getByRole('region', { name: 'Answer' }).locator('pre').innerText()).toMatch(/payments/);

    await page.getByRole('button', { name: 'History' }).click();
    expect(await page.getByRole('menuitem').first().innerText()).toMatch(/^EXPLAIN SELECT status/);
    await page.keyboard.press('Escape');

    await page.getByRole('textbox', { name: 'SQL' }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('SELECT merch');
    await page.getByRole('option', { name: /^merchant/ }).waitFor();
  });

  test('shows a table with its columns, indexes and segments', async () => {
    const page = await open();
    await page.getByRole('link', { name: 'Tables' }).click();
    await page.getByRole('heading', { name: 'payments' }).waitFor();
    const columns = page.getByRole('table', { name: 'Columns of payments' });
    expect(await columns.getByRole('row', { name: /^ts/ }).innerText()).toMatch(/time[\s\S]*TIMESTAMP[\s\S]*not null/);
    await screenshot(page, 'tables-light');
    await page.getByRole('tab', { name: /^Segments/ }).click();
    await page.getByText(/No committed segment yet|First event/).waitFor();
    await fetch(new URL('/v1/tables/payments/commit', weir.url), { method: 'POST' });
    const segments = page.getByRole('table', { name: 'Segments of payments' });
    await segments.getByRole('cell', { name: /^0 – [\d,]+$/ }).waitFor({ timeout: 30_000 });
    await screenshot(page, 'segments-light');
  });

  test('draws the demo as it happens', async () => {
    const page = await open('dark');
    await page.getByRole('navigation').getByRole('link', { name: 'Live' }).click();
    const chart = page.getByRole('img', { name: /^Events per second of payments, now [1-9]/ });
    await chart.locator('canvas').waitFor();
    const breakdown = page.getByRole('region', { name: /^By status/ });
    await breakdown.getByText('succeeded').waitFor();
    const count = breakdown.getByRole('row').first().getByRole('cell').last();
    const first = await count.innerText();
    await expect.poll(() => count.innerText(), { timeout: 10_000 }).not.toBe(first);
    // By event time: also on a busy machine a line near the demo's rate; events that come late raise it afterwards.
    await page.getByRole('img', { name: /now (19|20)\d\d$/ }).waitFor({ timeout: 60_000 });
    await screenshot(page, 'live-dark');
  });

  test('addresses lead into the page, and load again there', async () => {
    const page = await open('light', '/');
    await page.waitForURL('**/ui/**');
    for (const [hash, heading] of [
      ['#/tables/payments', 'payments'],
      ['#/ingestion/payments', 'Ingestion'],
      ['#/live/payments', 'Live'],
    ] as const) {
      await page.goto(new URL(`/ui/${hash}`, weir.url).href);
      await page.getByRole('heading', { name: heading, exact: true }).waitFor();
      await page.reload();
      await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    }
    await page.goto(new URL('/docs', weir.url).href);
    await page.getByRole('heading', { name: '/v1/sql' }).waitFor();
    await page.getByText('application/x-ndjson', { exact: true }).click();
  });

  test('lets the reader choose the colours, and remembers', async () => {
    const page = await open('light');
    const scheme = (): Promise<string | null> => page.locator('html').getAttribute('data-mantine-color-scheme');
    expect(await scheme()).toBe('light');
    await page.getByRole('radiogroup', { name: 'Colours' }).getByText('Dark').click({ force: true });
    await expect.poll(scheme).toBe('dark');
    await page.reload();
    await expect.poll(scheme).toBe('dark');
  });

  test('nothing went wrong on any page, and nothing was asked of another host', () => {
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
