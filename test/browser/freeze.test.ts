/** The page behind the link of a security notice, in a browser, before a real API: it says, it asks, it freezes, it says what next. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createFreezeLinks } from '../../db/freeze-links.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { seriousFindings, shootBothSchemes } from './both-schemes.ts';

let browser: Browser;
let folder: string;
let api: TestApi;
let origin: string;
let page: Page;
let banker: Banker;
let asked: string[];
let violations: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-freeze-'));
  await build({
    configFile: 'console/freeze/vite.config.ts',
    logLevel: 'warn',
    build: { outDir: folder },
  });
  // As in production: no stage, the built pages alone.
  api = await startTestApi({ dependencies: { operationsPagesDirectory: folder } });
  origin = await api.app.listen({ host: '127.0.0.1', port: 0 });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await api.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  banker = await createBanker(api);
  await logIn(banker, banker.phone);
  await openPage('en-NZ');
});

async function openPage(locale: string, bypassCSP = false): Promise<void> {
  const context = await browser.newContext({ locale, reducedMotion: 'reduce', bypassCSP });
  page = await context.newPage();
  asked = [];
  violations = [];
  page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) violations.push(message.text());
  });
}

function linkTo({ customerId }: Banker, ageMs = 0): string {
  const facts = { customerId, messageId: newId('outbox'), sentAtMs: api.clock.nowMs() - ageMs };
  return `${origin}/freeze.html#${api.slug}.${createFreezeLinks(api.deps.kms).make(api.tenantId, facts)}`;
}
const frozenUntil = async () => (await banker.phone.get('/auth/me')).body.frozenUntil;
const freezeButton = () => page.getByRole('button', { name: 'Freeze my account now' });

it('says what it will do, does it when asked, and then what to do next; opening it does nothing', async () => {
  const answer = await page.goto(linkTo(banker));
  expect(answer?.headers()['content-security-policy']).toMatch(
    /^default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/,
  );
  await page.getByRole('heading', { name: 'Freeze your account?' }).waitFor();
  await page.getByText('Payments and transfers').waitFor();
  expect(asked).toEqual([`GET ${origin}/freeze.html`]);
  expect(await frozenUntil()).toBeNull();
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await shootBothSchemes(page, `test-results/freeze/ask-${String(width)}`);
    const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    expect(isWide).toBe(false);
  }
  // By keyboard alone.
  await freezeButton().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your account is frozen' }).waitFor();
  expect(await page.locator('time').getAttribute('datetime')).toBe(await frozenUntil());
  expect(page.url()).toBe(`${origin}/freeze.html`);
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await shootBothSchemes(page, `test-results/freeze/done-${String(width)}`);
  }
  expect(violations).toEqual([]);
});

it('has no serious finding of axe, before and after', async () => {
  // axe puts its own script into the page, which the page’s policy would not let run.
  await openPage('en', true);
  await page.goto(linkTo(banker));
  await freezeButton().waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await freezeButton().click();
  await page.getByRole('heading', { name: 'Your account is frozen' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
});

it('speaks German to whoever prefers it', async () => {
  await openPage('de-CH');
  await page.goto(linkTo(banker));
  await page.getByRole('button', { name: 'Mein Konto jetzt einfrieren' }).click();
  await page.getByRole('heading', { name: 'Ihr Konto ist eingefroren' }).waitFor();
  expect(await page.getAttribute('html', 'lang')).toBe('de');
});

it('says of a link that is too old, cut off or not there what to do instead', async () => {
  const WEEKS_MS = 21 * 86_400_000;
  await page.goto(linkTo(banker, WEEKS_MS));
  await freezeButton().click();
  await page.getByRole('heading', { name: 'This link is too old' }).waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await shootBothSchemes(page, 'test-results/freeze/old-390');
  await page.goto(linkTo(banker).slice(0, -3));
  await freezeButton().click();
  await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
  await page.goto(`${origin}/freeze.html#`);
  await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
  expect(await frozenUntil()).toBeNull();
});

it('lets one try again when the bank cannot be reached', async () => {
  await page.goto(linkTo(banker));
  await page.route('**/freezes/link', (route) => route.abort());
  await freezeButton().click();
  await page.getByRole('heading', { name: 'That did not work' }).waitFor();
  await page.unroute('**/freezes/link');
  await page.getByRole('button', { name: 'Try again' }).click();
  await freezeButton().click();
  await page.getByRole('heading', { name: 'Your account is frozen' }).waitFor();
  expect(await page.locator('time').getAttribute('datetime')).toBe(await frozenUntil());
});
