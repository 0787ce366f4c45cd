/** The reference of the API in a real browser, under its own content security policy, with nothing fetched from anywhere else. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { launchBrowser } from '../setup/programs/browser.ts';

let api: TestApi;
let browser: Browser;
let origin: string;
beforeAll(async () => {
  api = await startTestApi();
  origin = await api.app.listen({ host: '127.0.0.1', port: 0 });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await api.close();
});

it('shows the operations and asks nobody else for anything', async () => {
  const page = await browser.newPage();
  const violations: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) violations.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:'))
      elsewhere.push(url);
  });
  await page.goto(`${origin}/docs/`);
  await page.getByText('enrollment', { exact: true }).first().waitFor();
  await page.getByText('fraud', { exact: true }).first().click();
  await page.getByText('Cut a customer off').first().waitFor();
  expect({ violations, elsewhere }).toEqual({ violations: [], elsewhere: [] });
});
