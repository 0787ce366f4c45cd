/**
 * The operations door in a real browser against the real stack: the staff's login, the landing page, and Temporal's own web UI behind it, with
 * its payloads opened by the codec endpoint. Photographed at both sizes.
 */
import type { Browser } from 'playwright-core';
import type postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLoopbackLogin } from '../../cli/loopback-login.ts';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { workflowId } from '../../domain/ids.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { fraudEngine, openRows } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
} from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { NARROW, WIDE } from './stage-driver.ts';

let stack: TestStack;
let browser: Browser;
let rows: postgres.Sql;
let staff: StaffMember;
/** An enrollment whose number is proved and that waits for the customer. */
let enrollmentWorkflow: string;
let phoneNumber: string;

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([
    startTestStack({ hasOwnTemporal: true, hasTemporalUi: true }),
    launchBrowser(),
  ]);
  rows = openRows(stack);
  const phone = createSoftwarePhone(stack);
  const enrollmentId = await beginEnrollment(phone);
  phoneNumber = phone.number;
  await phone.latchkey.enrollment.submitPhoneCode(
    enrollmentId,
    await codeSentTo(stack, phone.number),
  );
  const [tenant] = await rows<{ tenantId: string }[]>`select tenant_id from tenant`;
  const tenantId = tenant?.tenantId ?? '';
  enrollmentWorkflow = workflowId('enrollment', tenantId, enrollmentId);
  const customer = await enrollPhone(stack);
  const cutOff = await fraudEngine(stack).call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId: customer.customerId, reason: 'account_takeover' },
  });
  if (cutOff.status !== 202) throw new Error(`the fraud signal was answered ${cutOff.status}`);
  await rows`
    insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, attempts, error_code)
    values (${tenantId}, ${`out_${'0'.repeat(32)}`}, 'event', ${customer.customerId}, '{"type":"bank.test"}', 'dead', 9, 'vendor_refused')`;
});

afterAll(async () => {
  await rows?.end();
  await browser?.close();
  await stack?.stop();
});

afterEach(async () => {
  await staff?.close();
});

const open = async (size: typeof WIDE = WIDE) => {
  staff = await StaffMember.open(browser, stack.operationsUrl, size);
};

/** Once both lists have answered, whatever they answered. */
const listsAnswered = () =>
  expect
    .poll(() => staff.page.locator('.desk-main .card:has(.table, .nothing .icon, .closed)').count())
    .toBe(2);

describe('the way in', () => {
  it.each([WIDE, NARROW])('says where one is and what is asked, $width wide', async (size) => {
    await open(size);
    await staff.goTo('/');
    await staff.sees('For staff of the bank.');
    await staff.shoot('welcome');
    expect(await staff.seriousFindings()).toEqual([]);
    await staff.page.getByRole('link', { name: 'Log in' }).click();
    await staff.sees('no password is asked');
    await staff.shoot('directory');
    expect(await staff.seriousFindings()).toEqual([]);
    expect(staff.complaints).toEqual([]);
  });

  it('leaves a cookie that no script and no other host can read', async () => {
    await open();
    await staff.logIn('ana');
    const cookies = await staff.context.cookies();
    expect(cookies.find(({ name }) => name === '__Host-latchkey-staff')).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'Lax',
      path: '/',
      domain: 'localhost',
    });
    expect(await staff.page.evaluate(() => document.cookie)).not.toContain('latchkey');
  });
});

describe("the command's way in", () => {
  it('ends at the command, and the page says so', async () => {
    await open();
    const login = await startLoopbackLogin({ url: stack.operationsUrl, tenant: 'demo' });
    try {
      await staff.page.goto(login.address);
      await staff.choose('ana');
      await staff.sees('You are logged in. Go back to the terminal');
      expect(await login.code()).not.toBe('');
      expect(staff.complaints).toEqual([]);
    } finally {
      login.close();
    }
  });
});

describe('the landing page', () => {
  it.each<[DemoPersonId, string, typeof WIDE]>([
    ['ana', 'Agent', WIDE],
    ['sione', 'Supervisor', NARROW],
    ['aida', 'Auditor', WIDE],
    ['amir', 'Administrator', NARROW],
  ])('shows %s, %s, what this person may do and what waits', async (person, role, size) => {
    await open(size);
    await staff.logIn(person);
    const mine = staff.page.locator('.roles li[data-mine=true]');
    await expect.poll(() => mine.count()).toBe(1);
    expect(await mine.textContent()).toContain(role);
    await listsAnswered();
    const mayReadHolds = person !== 'amir';
    const mayReadWorkflows = person === 'aida' || person === 'amir';
    expect(await staff.page.getByText('account takeover').count()).toBe(mayReadHolds ? 1 : 0);
    expect(await staff.page.getByText('vendor_refused').count()).toBe(mayReadWorkflows ? 1 : 0);
    expect(await staff.page.getByRole('link', { name: 'Open Temporal' }).count()).toBe(
      mayReadWorkflows ? 1 : 0,
    );
    await staff.shoot(`landing-${person}`);
    expect(await staff.seriousFindings()).toEqual([]);
    expect(staff.complaints).toEqual([]);
  });

  it('has a runbook for every workflow, open to whoever reaches the door', async () => {
    await open(NARROW);
    await staff.goTo('/runbook#revocation');
    await staff.sees('The alarm is raised.');
    await staff.shoot('runbook');
    expect(await staff.seriousFindings()).toEqual([]);
    expect(staff.complaints).toEqual([]);
  });
});

describe("Temporal's UI behind the door", () => {
  const workflows = '/temporal/namespaces/latchkey/workflows';
  const enrollment = () => `${workflows}/${encodeURIComponent(enrollmentWorkflow)}`;
  const everything = async () => {
    const frames = staff.page.frames().map((frame) => frame.locator('body').innerText());
    return (await Promise.all(frames)).join('\n');
  };

  it('is reached over the login, says what is waited for and shows what is decoded', async () => {
    await open();
    await staff.goTo(enrollment());
    await staff.choose('aida');
    await staff.sees(/^name and document, until .+ UTC, then a reminder is sent$/);
    // The input, which only the codec endpoint can open.
    await staff.sees(`"id": "${enrollmentWorkflow.split('/')[2] ?? ''}"`);
    expect(await everything()).not.toContain(phoneNumber);
    await staff.shoot('temporal-timeline');
    await staff.page.getByRole('tab', { name: 'User Metadata' }).click();
    await expect
      .poll(everything, { timeout: 30_000 })
      .toContain('The customer hands in name and document.');
    const told = await everything();
    expect(told).toContain('Enrollment of a new customer');
    expect(told).toContain('the customer, in the app');
    await staff.page.getByText('Details', { exact: true }).first().hover();
    await staff.page.mouse.wheel(0, 1_000);
    await staff.shoot('temporal-details');
    expect(staff.complaints).toEqual([]);
    const [reading] = await rows<{ name: string }[]>`
      select staff.name from audit join staff on staff_id = actor_id
      where action = 'payloads.decoded' and subject_id = ${enrollmentWorkflow}`;
    expect(reading?.name).toBe('Aida Auditor');
  });

  it('tells an agent in plain words that it is not for agents', async () => {
    await open(NARROW);
    await staff.logIn('ana');
    await staff.goTo(workflows);
    await staff.sees('You may not look in here');
    await staff.shoot('forbidden');
    expect(await staff.seriousFindings()).toEqual([]);
    await staff.page.getByRole('link', { name: 'Back to operations' }).click();
    await staff.page.getByRole('button', { name: 'Log out' }).waitFor();
  });

  it('is closed by the logout', async () => {
    await open();
    await staff.logIn('amir');
    await staff.page.getByRole('link', { name: 'Open Temporal' }).click();
    await staff.sees('Workflow ID');
    await staff.shoot('temporal-list');
    await staff.goTo('/');
    await staff.logOut();
    await staff.goTo(enrollment());
    await staff.sees('no password is asked');
    const settings = await staff.page.request.get(
      `${stack.operationsUrl}/temporal/api/v1/settings`,
    );
    expect(settings.status()).toBe(401);
  });
});
