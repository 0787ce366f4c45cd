/**
 * The session of staff as their console shows it: a screen left alone locks itself however often it looks, and leads back to where one was; a
 * login that is too old for a release is asked for anew, and the release then goes on. No test waits by the clock: the page's own is moved.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { button, ConsoleBed, inDialog, PATIENCE, recoveryOf } from './console-bed.ts';
import type { StaffMember } from './operations-driver.ts';

let bed: ConsoleBed;

beforeAll(async () => {
  bed = await ConsoleBed.open();
});
afterAll(() => bed?.close());
afterEach(() => bed.leave());

const setSession = (name: string, change: 'is idle' | 'was seen long ago' | 'logged in long ago') =>
  bed.rows`
    update staff_session set
      idle_deadline = case when ${change} = 'is idle' then now() - interval '1 second' else idle_deadline end,
      last_seen_at = case when ${change} = 'was seen long ago' then now() - interval '5 minutes' else last_seen_at end,
      auth_time = case when ${change} = 'logged in long ago' then now() - interval '6 minutes' else auth_time end
    where status = 'live' and staff_id = (select staff_id from staff where name = ${name})`;

async function secondsSinceSeen(name: string): Promise<number> {
  const [row] = await bed.rows<{ seconds: number }[]>`
    select extract(epoch from now() - max(last_seen_at))::float8 as seconds
    from staff_session where status = 'live' and staff_id = (select staff_id from staff where name = ${name})`;
  return row?.seconds ?? NaN;
}

/** The next question of the page, by what it said of whoever sits there. */
const nextLook = (staff: StaffMember, isAlone: boolean) =>
  staff.page.waitForResponse(
    async (answer) =>
      answer.url().includes('/staff/') &&
      ((await answer.request().headerValue('latchkey-unattended')) === '?1') === isAlone,
  );

describe('a screen that is left alone', () => {
  it('goes on showing what happens, and is no use of the session until somebody touches it', async () => {
    const customerId = await bed.customer();
    const ana = await bed.staff('ana');
    await ana.page.clock.install();
    await ana.goTo(`/customers/${customerId}`);
    await ana.sees('Security epoch');
    await setSession('Ana Agent', 'was seen long ago');
    const alone = nextLook(ana, true);
    await ana.page.clock.fastForward('02:00');
    expect((await alone).status()).toBe(200);
    // One that was asked before the clock moved may have counted; from here on none does.
    await setSession('Ana Agent', 'was seen long ago');
    expect((await nextLook(ana, true)).status()).toBe(200);
    expect(await secondsSinceSeen('Ana Agent')).toBeGreaterThan(250);
    await ana.page.keyboard.press('Shift');
    await nextLook(ana, false);
    await expect.poll(() => secondsSinceSeen('Ana Agent'), PATIENCE).toBeLessThan(250);
  });

  it.each([
    ['the queue, with its filters', '/recoveries?state=review&overdue=yes', 'No open case is'],
    ['the first page, which asks for nothing by itself', '/', 'What each role may do'],
  ])(
    'locks itself: what stood there is gone, and the login leads back to %s',
    async (_what, path, words) => {
      const ana = await bed.staff('ana');
      await ana.page.clock.install();
      await ana.goTo(path);
      await ana.sees(words);
      await setSession('Ana Agent', 'is idle');
      await ana.page.clock.fastForward('00:31');
      await ana.sees('Your session has ended. Log in again to go on.');
      expect(await ana.page.getByText(words).count()).toBe(0);
      await ana.shoot('states-locked');
      expect(await ana.seriousFindings()).toEqual([]);
      await ana.page.getByRole('link', { name: 'Log in' }).click();
      await ana.choose('ana');
      await ana.sees(words);
      const { pathname, search } = new URL(ana.page.url());
      expect(pathname + search).toBe(path);
    },
  );

  it('locks a case and a question that stands open on it', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    await ana.goTo(path);
    await button(ana, 'Refuse').click();
    await ana.page.locator('.dialog').getByText('Another reason').click();
    await setSession('Ana Agent', 'is idle');
    await inDialog(ana, 'Refuse').click();
    await ana.sees('Your session has ended. Log in again to go on.');
    expect(await ana.page.locator('.dialog').count()).toBe(0);
    await ana.page.getByRole('link', { name: 'Log in' }).click();
    await ana.choose('ana');
    await ana.sees('waits for the person');
    expect(new URL(ana.page.url()).pathname).toBe(path);
  });
});

describe('a release', () => {
  it('of a case asks for a login of the last minutes, and goes on after it', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    await bed.rows`update recovery set held_at = now() where recovery_id = ${recoveryOf(path)}`;
    await bed.rows`update ceremony set state = 'held' where ceremony_id = ${recoveryOf(path)}`;
    const sione = await bed.staff('sione', path);
    await setSession('Sione Supervisor', 'logged in long ago');
    const release = async () => {
      await button(sione, 'Release').click();
      await sione.page.locator('.dialog').getByText('It was a false alarm').click();
      await inDialog(sione, 'Release').click();
    };
    await release();
    await sione.sees('For this the bank wants to know that it is still you');
    await sione.shoot('states-reauthentication');
    expect(await sione.seriousFindings()).toEqual([]);
    await sione.page.getByRole('button', { name: 'Log in again', exact: true }).click();
    await sione.choose('sione');
    await sione.sees('This case is held');
    expect(new URL(sione.page.url()).pathname).toBe(path);
    await release();
    await sione.sees('It goes on.');
    await expect.poll(() => sione.page.getByText('This case is held').count(), PATIENCE).toBe(0);
  });

  it('of a hold asks whoever approves it likewise', async () => {
    const customerId = await bed.customer();
    await bed.fraud(customerId);
    const ana = await bed.staff('ana', `/customers/${customerId}`);
    await button(ana, 'Ask for the release').click();
    await ana.page.getByText('The customer was verified').click();
    await button(ana, 'Ask for it').click();
    await ana.sees('Asked for.');
    const sione = await bed.staff('sione', '/approvals');
    await setSession('Sione Supervisor', 'logged in long ago');
    await button(sione, 'Approve').last().click();
    await inDialog(sione, 'Approve').click();
    await sione.page.getByRole('button', { name: 'Log in again', exact: true }).click();
    await sione.choose('sione');
    await button(sione, 'Approve').last().click();
    await inDialog(sione, 'Approve').click();
    await sione.sees('The hold is lifted.');
    const [customer] = await bed.rows`
      select count(*)::int as holds from hold where customer_id = ${customerId} and status = 'active'`;
    expect(customer).toMatchObject({ holds: 0 });
  });
});
