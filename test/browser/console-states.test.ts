/**
 * What a case in the console says when something changes under the hands of whoever works on it: a colleague was quicker, a role is gone, fraud
 * holds it, it ran out, the live line breaks. In real browsers against the real stack; what was picked and typed stays.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { button, ConsoleBed, inDialog, PATIENCE, recoveryOf } from './console-bed.ts';
import type { StaffMember } from './operations-driver.ts';
import { NARROW } from './stage-driver.ts';

let bed: ConsoleBed;

beforeAll(async () => {
  bed = await ConsoleBed.open();
});
afterAll(() => bed?.close());
afterEach(() => bed.leave());

/** What stands greyed on the right of the case, with its reason. */
const notNow = (staff: StaffMember, act: string) =>
  staff.page.locator('.not-now li', { hasText: act });

describe('two agents at one case', () => {
  it('press at the same moment: one has it, the other reads who, and may take it once it is handed back', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    await ana.goTo(path);
    const mere = await bed.staff('mere', path);
    await button(ana, 'Take it').click();
    await button(mere, 'Take it').click();
    // Mere's press is on its way while Ana's is answered: the door refuses it, whatever the page knew.
    const isFirstThere = ana.page.getByText('It is yours.').first().waitFor();
    await mere.page.route('**/claim', async (route) => {
      await isFirstThere;
      await route.continue();
    });
    const refused = mere.page.waitForResponse('**/claim');
    await inDialog(mere, 'Take it').click();
    await inDialog(ana, 'Take it').click();
    const answer = await refused;
    expect(answer.status()).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'case_taken' });
    await mere.sees('That is possible no more. A colleague has it.');
    await button(mere, 'Leave it').click();
    await mere.sees('Ana Agent works on this case.');
    await notNow(mere, 'Take it').getByText('A colleague has it.').waitFor();
    await button(ana, 'Hand it over').click();
    await ana.page.locator('.dialog').getByText('Back to the queue').click();
    await inDialog(ana, 'Hand it over').click();
    await ana.sees('Handed over.');
    await expect
      .poll(() => mere.page.getByText('Ana Agent works on this case.').count(), PATIENCE)
      .toBe(0);
    await mere.page.unroute('**/claim');
    await button(mere, 'Take it').click();
    await inDialog(mere, 'Take it').click();
    await mere.sees('It is yours.');
    await ana.sees('Mere Agent works on this case.');
  });
});

describe('an action that became forbidden while its question stood open', () => {
  it('because fraud holds the case keeps what was typed, and the page behind it is brought up to date', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    await ana.goTo(path);
    await button(ana, 'Record evidence').click();
    await ana.page.locator('.dialog').getByText('Seen by video').click();
    await ana.page.getByLabel('Reference').fill('video-4711');
    await bed.fraud(await bed.customerOf(path));
    await ana.sees('That is possible no more. It is held.');
    expect(await inDialog(ana, 'Record evidence').isDisabled()).toBe(true);
    expect(await ana.page.getByLabel('Reference').inputValue()).toBe('video-4711');
    expect(await ana.page.getByLabel('Seen by video').isChecked()).toBe(true);
    await ana.shoot('states-held-while-open');
    expect(await ana.seriousFindings()).toEqual([]);
    await button(ana, 'Leave it').click();
    await ana.sees('This case is held');
    await notNow(ana, 'Record evidence').getByText('It is held.').waitFor();
  });

  it('because the role is gone says so, on the case and on the customer’s page, and greys what was offered', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    const customerId = await bed.customerOf(path);
    await ana.tells(`/customers/${customerId}/freeze`, { reason: 'other' });
    await bed.rows`update ceremony set state = 'held' where ceremony_id = ${recoveryOf(path)}`;
    await bed.rows`update recovery set held_at = now() where recovery_id = ${recoveryOf(path)}`;
    const sione = await bed.staff('sione', path);
    await button(sione, 'Release').click();
    await sione.page.locator('.dialog').getByText('It was a false alarm').click();
    const atCustomer = await bed.staff('sione', `/customers/${customerId}`);
    await button(atCustomer, 'End the freeze').click();
    await atCustomer.page.locator('.dialog').getByText('The customer asks for it').click();
    // As a later login elsewhere brings it: the directory has made an agent of the supervisor.
    const changed = await bed.rows<
      { staffId: string }[]
    >`update staff set roles = '{agent}' where name = 'Sione Supervisor' returning staff_id as "staffId"`;
    expect(changed).toHaveLength(1);
    try {
      // His sessions brought one role, which is gone: no session stands without any.
      await bed.rows`update staff_session set roles = '{agent,supervisor}' where staff_id = ${changed[0]?.staffId ?? ''}`;
      await inDialog(sione, 'Release').click();
      await sione.sees('That is possible no more. Needs a supervisor.');
      expect(await sione.page.getByLabel('It was a false alarm').isChecked()).toBe(true);
      await sione.shoot('states-role-gone');
      expect(await sione.seriousFindings()).toEqual([]);
      await button(sione, 'Leave it').click();
      await notNow(sione, 'Release').getByText('Needs a supervisor.').waitFor();
      await inDialog(atCustomer, 'End the freeze').click();
      await atCustomer.sees('Your roles do not allow that. Ask a supervisor.');
      await button(atCustomer, 'Leave it').click();
      await atCustomer.sees('A supervisor ends a freeze');
      expect(await button(atCustomer, 'End the freeze').isDisabled()).toBe(true);
    } finally {
      await bed.rows`update staff set roles = '{supervisor}' where name = 'Sione Supervisor'`;
    }
  });

  it('because its time ran out says so, and an address of no case leads back to the queue', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.reviewBy(ana);
    const mere = await bed.staff('mere', path, NARROW);
    await button(mere, 'Approve').click();
    await mere.page.locator('.dialog').getByText('The evidence fits together').click();
    await bed.rows`update ceremony set step_deadline = now() - interval '1 minute' where ceremony_id = ${recoveryOf(path)}`;
    await inDialog(mere, 'Approve').click();
    await mere.sees('That is possible no more. Its time has run out.');
    await button(mere, 'Leave it').click();
    // Until the workflow has ended it too.
    await mere.sees(/Its time has run out\.|A step ran out of time\./);
    await mere.shoot('states-expired');
    await mere.goTo(`/recoveries/cer_${'0'.repeat(32)}`);
    await mere.sees('There is no such recovery.');
    await mere.shoot('states-no-such-case');
    expect(await mere.seriousFindings()).toEqual([]);
    await mere.page.getByRole('link', { name: 'All recoveries' }).click();
    await mere.page.getByRole('heading', { name: 'Recoveries' }).waitFor();
  });
});

describe('a live line that is lost', () => {
  it('is said with the age of what stands there; changes still come, and the line mends itself', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.caseBy(ana);
    const sione = await bed.staff('sione');
    await sione.page.route('**/stream', (route) => route.abort());
    await sione.goTo(path);
    await sione.sees(/The live line is lost\. This is as it was (just now|\d+ s ago)\./);
    // Not even asking reaches the door: the page grows old, says how old, and keeps what it has.
    await sione.page.route(`**/staff${path}`, (route) => route.abort());
    await sione.sees(/The door does not answer\. This is as it was \d+ s ago\./);
    await sione.sees('Call back');
    await sione.shoot('states-line-lost');
    expect(await sione.seriousFindings()).toEqual([]);
    await sione.page.unroute(`**/staff${path}`);
    await ana.tells(`${path}/claim`, {});
    await sione.sees('Ana Agent works on this case.');
    await sione.sees('The live line is lost.');
    await sione.page.unroute('**/stream');
    await expect
      .poll(() => sione.page.getByText('The live line is lost.').count(), PATIENCE)
      .toBe(0);
    await sione.page.getByText('live', { exact: true }).waitFor();
    await ana.tells(`${path}/hand-over`, { to: null });
    await expect
      .poll(() => sione.page.getByText('Ana Agent works on this case.').count(), PATIENCE)
      .toBe(0);
  });
});
