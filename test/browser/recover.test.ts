/** The page behind the links of a recovery, in a browser, before a real API: it says what it is for, asks for the number, or lets the owner object. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createObjectionLinks, createRecoveryLinks } from '../../db/recovery-links.ts';
import { checkNumberOf, createRecoveryRequest } from '../../db/recovery-requests.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createBanker } from '../setup/login-bed.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { newKey } from '../setup/recoveries.ts';
import { seriousFindings, shootBothSchemes } from './both-schemes.ts';

let browser: Browser;
let folder: string;
let api: TestApi;
let origin: string;
let page: Page;
let asked: string[];
let violations: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-recover-'));
  await build({
    configFile: 'console/recover/vite.config.ts',
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
beforeEach(() => openPage('en-NZ'));

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

/** A customer whose address asked for a link. */
async function request() {
  const { customerId } = await createBanker(api);
  const { tenantId, deps } = api;
  const email = `${newId('contact')}@example.test`;
  const requestId = newId('recoveryRequest');
  await api.inTenant(async (tx) => {
    await tx`update contact set blind_index = ${deps.personalData.blindIndex(tenantId, 'email', email)}
      where customer_id = ${customerId} and kind = 'email'`;
    await createRecoveryRequest(tx, deps, {
      tenantId,
      requestId,
      clientId: 'demo-app',
      jkt: newKey(),
      contact: { kind: 'email', value: email },
      report: 'broken',
      locale: 'en',
    });
  });
  const token = createRecoveryLinks(deps.kms).make(tenantId, requestId);
  const url = `${origin}/recover.html#${api.slug}.${token}`;
  return { url, requestId, token, number: checkNumberOf(deps.otpCodes, requestId) };
}

const statusOf = async (requestId: string) => {
  const [row] = await api.inTenant(
    (tx) => tx<{ status: string; recoveryId: string | null }[]>`
      select status, recovery_id from recovery_request where request_id = ${requestId}`,
  );
  return row;
};
const proveButton = () => page.getByRole('button', { name: 'Yes, that is my phone' });
const field = () => page.getByLabel('Number on the new phone');

async function shoot(name: string): Promise<void> {
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    await shootBothSchemes(page, `test-results/recover/${name}-${String(width)}`);
    const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
    expect(isWide).toBe(false);
  }
}

it('asks for the number on the new phone, says what a wrong one is, and goes on with the right one; opening it does nothing', async () => {
  const { url, requestId, number } = await request();
  const answer = await page.goto(url);
  expect(answer?.headers()).toMatchObject({ 'referrer-policy': 'no-referrer' });
  await page.getByRole('heading', { name: 'Are you moving your account' }).waitFor();
  expect(asked).toEqual([`GET ${origin}/recover.html`]);
  expect((await statusOf(requestId))?.status).toBe('sent');
  await shoot('ask');
  await proveButton().click();
  await page.getByText('Type the four digits').waitFor();
  await field().fill(number === '0000' ? '1111' : '0000');
  await page.keyboard.press('Enter');
  await page.getByText('That is not the number').waitFor();
  await field().fill(number);
  // By keyboard alone.
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Go on with your new phone' }).waitFor();
  expect((await statusOf(requestId))?.status).toBe('proved');
  expect(page.url()).toBe(`${origin}/recover.html`);
  await shoot('done');
  expect(violations).toEqual([]);
  await page.goto(url);
  await field().fill(number);
  await proveButton().click();
  await page.getByRole('heading', { name: 'This link has been used' }).waitFor();
});

it('lets the owner object, and has no serious finding of axe on either side', async () => {
  // axe puts its own script into the page, which the page’s policy would not let run.
  await openPage('en', true);
  const { url, requestId, number } = await request();
  await page.goto(url);
  await field().fill(number);
  expect(await seriousFindings(page)).toEqual([]);
  await proveButton().click();
  await page.getByRole('heading', { name: 'Go on with your new phone' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  const { recoveryId } = (await statusOf(requestId)) ?? {};
  const token = createObjectionLinks(api.deps.kms).make(api.tenantId, recoveryId ?? '');
  await page.goto(`${origin}/recover.html#${api.slug}.stop.${token}`);
  await page.getByRole('heading', { name: 'Was that not you?' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'That was not me' }).click();
  await page.getByRole('heading', { name: 'It is stopped' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
});

it('speaks German to whoever prefers it, and says of a link that is cut off what to do', async () => {
  await openPage('de-CH');
  await page.goto((await request()).url);
  await page.getByRole('button', { name: 'Ja, das ist mein Telefon' }).waitFor();
  expect(await page.getAttribute('html', 'lang')).toBe('de');
  await page.goto(`${origin}/recover.html#`);
  await page.getByRole('heading', { name: 'Dieser Link ist nicht vollständig' }).waitFor();
});

it('says of a link that is too old what to do, and nothing has happened', async () => {
  const { url, requestId, number } = await request();
  api.clock.advance(15 * 60_000 + 1_000);
  await page.goto(url);
  await field().fill(number);
  await proveButton().click();
  await page.getByRole('heading', { name: 'This link is too old' }).waitFor();
  await page.getByText('Ask again on the new phone.').waitFor();
  expect((await statusOf(requestId))?.status).not.toBe('proved');
  await shoot('too-old');
  expect(violations).toEqual([]);
});
