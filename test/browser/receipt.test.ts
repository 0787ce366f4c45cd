/** The page that verifies receipts, as one file from a disk, in a browser whose network is cut. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Receipt } from '../../domain/receipt.ts';
import { startTestApi } from '../setup/api.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { keyList, makeReceipt } from '../setup/receipt.ts';
import { seriousFindings, shootBothSchemes } from './both-schemes.ts';

let browser: Browser;
let folder: string;
let receipt: Receipt;
let page: Page;
let asked: string[];
const pathOf = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-receipt-'));
  await build({
    configFile: 'console/receipt/vite.config.ts',
    logLevel: 'warn',
    build: { outDir: folder },
  });
  receipt = await makeReceipt({ withCode: true });
  await writeFile(pathOf('receipt.json'), JSON.stringify(receipt, null, 2));
  const comma = JSON.stringify(receipt).replace('Invoice 7, April', 'Invoice 7; April');
  await writeFile(pathOf('changed.json'), comma);
  await writeFile(pathOf('keys.json'), await keyList());
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  const context = await browser.newContext({
    offline: true,
    reducedMotion: 'reduce',
    bypassCSP: false,
  });
  page = await context.newPage();
  asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(pathOf('receipt.html')).href);
});

const give = async (label: RegExp, name: string) =>
  await page.getByLabel(label).setInputFiles(pathOf(name));

it('finds a genuine receipt genuine, asks nobody anything, and reads well at both widths', async () => {
  await give(/The bank’s keys/, 'keys.json');
  await give(/The receipt/, 'receipt.json');
  await page.getByRole('heading', { name: /Genuine/ }).waitFor();
  expect(await page.locator('li[data-result="passed"]').count()).toBe(13);
  expect(await page.locator('dd').first().textContent()).toContain('Pay 400.00 NZD to Mere Kahu');
  expect(asked).toEqual([pathToFileURL(pathOf('receipt.html')).href]);
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await shootBothSchemes(page, `test-results/receipt/genuine-${String(width)}`);
    const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    expect(isWide).toBe(false);
  }
});

it('has no serious finding of axe, before and after', async () => {
  // axe puts its own script into the page, which the page’s policy would not let run.
  const context = await browser.newContext({ offline: true, bypassCSP: true });
  page = await context.newPage();
  await page.goto(pathToFileURL(pathOf('receipt.html')).href);
  expect(await seriousFindings(page)).toEqual([]);
  await give(/The receipt/, 'changed.json');
  await page.getByRole('heading', { name: /Not genuine/ }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
});

it('says of a changed comma what does not fit, and shows nothing of the file', async () => {
  await give(/The bank’s keys/, 'keys.json');
  await give(/The receipt/, 'changed.json');
  await page.getByRole('heading', { name: /Not genuine/ }).waitFor();
  const failed = await page
    .locator('li[data-result="failed"]')
    .evaluateAll((lines) => lines.map((line) => line.getAttribute('data-check')));
  expect(failed).toContain('personal_text');
  expect(await page.textContent('#result')).not.toContain('Mere Kahu');
  await page.setViewportSize({ width: 390, height: 844 });
  await shootBothSchemes(page, 'test-results/receipt/refused-390');
});

it('takes files that are dropped, and says what is missing without the keys', async () => {
  const text = await readFile(pathOf('receipt.json'), 'utf8');
  const data = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], 'receipt.json'));
    return transfer;
  }, text);
  await page.dispatchEvent('main', 'drop', { dataTransfer: data });
  await page.getByRole('heading', { name: /Not confirmed/ }).waitFor();
  await give(/The bank’s keys/, 'keys.json');
  await page.getByRole('heading', { name: /Genuine/ }).waitFor();
  expect(await page.locator('li[data-result="passed"]').count()).toBe(13);
});

it('saves a copy without personal text that verifies as such', async () => {
  await give(/The bank’s keys/, 'keys.json');
  await give(/The receipt/, 'receipt.json');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /Save a copy/ }).click(),
  ]);
  await download.saveAs(pathOf('copy.json'));
  expect(await readFile(pathOf('copy.json'), 'utf8')).not.toContain('Mere Kahu');
  await give(/The receipt/, 'copy.json');
  await page.getByRole('heading', { name: /text taken out/ }).waitFor();
});

it('refuses what is no receipt at all, and runs nothing that stands in it', async () => {
  await writeFile(pathOf('hostile.json'), '<img src=x onerror="document.title = 1">');
  await give(/The receipt/, 'hostile.json');
  await page.getByRole('heading', { name: /Not genuine/ }).waitFor();
  expect(await page.title()).toBe('Is this receipt genuine?');
});

it('is served by the API too, under its own policy: it verifies there and asks for nothing more', async () => {
  const api = await startTestApi({ dependencies: { pagesDirectory: folder } });
  try {
    const origin = await api.app.listen({ host: '127.0.0.1', port: 0 });
    const context = await browser.newContext({ bypassCSP: false });
    page = await context.newPage();
    const [violations, requests]: string[][] = [[], []];
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) violations?.push(message.text());
    });
    page.on('request', (request) => requests?.push(request.url()));
    // Also as a link that somebody's tracker has lengthened.
    for (const path of ['/receipt.html', '/receipt.html?from=mail']) {
      const answer = await page.goto(origin + path);
      const policy = answer?.headers()['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      await give(/The bank’s keys/, 'keys.json');
      await give(/The receipt/, 'receipt.json');
      await page.getByRole('heading', { name: /Genuine/ }).waitFor();
      await give(/The receipt/, 'changed.json');
      await page.getByRole('heading', { name: /Not genuine/ }).waitFor();
    }
    expect({ violations, requests }).toEqual({
      violations: [],
      requests: ['/receipt.html', '/receipt.html?from=mail'].map((path) => origin + path),
    });
    await context.close();
  } finally {
    await api.close();
  }
});
