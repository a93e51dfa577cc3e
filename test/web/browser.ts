/** A real Chromium for a test: nothing of it outlasts the test, and it calls no other host. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../support/requires.ts';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const screenshots = new URL('../../test-results/', import.meta.url);

/** The size that the pages are laid out for at least. */
const viewport = { width: 1280, height: 800 };

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath()!, args: flags });

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What must not happen: exceptions, refusals by the content security policy, requests to another host. */
  readonly complaints: readonly string[];
}

export async function openPage(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<Watched> {
  const context = await browser.newContext({ viewport, colorScheme, acceptDownloads: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(`exception: ${error.message}`));
  page.on('console', message => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
  });
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(url).origin) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(new URL('/ui/', url).href);
  return { context, page, complaints };
}

/** Into `test-results/`, which CI keeps. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, screenshots)) });
}

/** Puts a statement in place of what the editor holds, and runs it by keyboard. */
export async function runSql(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: 'SQL' }).click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(sql);
  await page.keyboard.press('Control+Enter');
}
