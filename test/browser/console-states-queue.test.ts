/**
 * The queue of recoveries as it is worked all day: each filter, who has a case, its clocks by colour, and a review that nobody came for, brought
 * before a supervisor.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { button, ConsoleBed, PATIENCE, recoveryOf } from './console-bed.ts';
import type { StaffMember } from './operations-driver.ts';

let bed: ConsoleBed;

beforeAll(async () => {
  bed = await ConsoleBed.open();
});
afterAll(() => bed?.close());
afterEach(() => bed.leave());

const pathsIn = async (staff: StaffMember): Promise<readonly string[]> => {
  const hrefs = await staff.page
    .locator('a.row-link')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  return hrefs.toSorted((a, b) => a.localeCompare(b));
};

const rowOf = (staff: StaffMember, path: string) =>
  staff.page.locator('.queue-table tr', { has: staff.page.locator(`a[href="${path}"]`) });

/** The row as a case of that kind has it; the workflow behind it stays where it was. */
async function stands(path: string, how: 'held' | 'cooling'): Promise<void> {
  const id = recoveryOf(path);
  await bed.rows`update recovery set
      held_at = case when ${how} = 'held' then now() - interval '20 minutes' end,
      cooling_from = case when ${how} = 'cooling' then now() end
    where recovery_id = ${id}`;
  await bed.rows`update ceremony set state = ${how} where ceremony_id = ${id}`;
}

describe('the queue', () => {
  it('is narrowed by every filter, says whose a case is, and how its clock stands', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const [waiting, held, cooling, review] = [
      await bed.caseBy(ana),
      await bed.caseBy(ana),
      await bed.caseBy(ana),
      await bed.reviewBy(ana),
    ];
    await stands(held, 'held');
    await stands(cooling, 'cooling');
    const mere = await bed.staff('mere');
    await mere.tells(`${review}/claim`, {});
    const [{ revision } = { revision: 0 }] = await bed.rows<{ revision: number }[]>`
      select revision from recovery where recovery_id = ${recoveryOf(review)}`;
    const reason = 'person_recognised';
    await mere.tells(`${review}/decisions`, { kind: 'approve', revision, reason });
    await ana.goTo('/recoveries');
    await rowOf(ana, review).waitFor();
    expect(await pathsIn(ana)).toEqual(
      [waiting, held, cooling, review].toSorted((a, b) => a.localeCompare(b)),
    );
    for (const [filter, left] of [
      ['To review', [review]],
      ['Held', [held]],
      ['Waiting for the person', [waiting]],
      ['May object', [cooling]],
      ['Second person', [review]],
      ['Overdue', []],
      ['Mine', []],
    ] as const) {
      await button(ana, filter).click();
      await expect.poll(() => pathsIn(ana), PATIENCE).toEqual(left);
      expect(await button(ana, filter).getAttribute('aria-pressed')).toBe('true');
      await button(ana, 'All open').click();
      await rowOf(ana, waiting).waitFor();
    }
    await rowOf(ana, review).getByText('Mere Agent').waitFor();
    await rowOf(ana, review).getByText('1 of 2').waitFor();
    await ana.tells(`${waiting}/claim`, {});
    await rowOf(ana, waiting).getByText('you', { exact: true }).waitFor();
    await button(ana, 'Mine').click();
    await expect.poll(() => pathsIn(ana), PATIENCE).toEqual([waiting]);
    await ana.tells(`${waiting}/hand-over`, { to: null });
    await ana.sees('No open case is like that.');
    await button(ana, 'All open').click();
    const clock = (path: string, words: RegExp) =>
      rowOf(ana, path).locator('.tag', { hasText: words }).first();
    const toneOf = async (path: string, words: RegExp) => {
      await clock(path, words).waitFor();
      return await clock(path, words).getAttribute('data-tone');
    };
    expect(await toneOf(held, /^held, 2\d min ago$/)).toBe('danger');
    expect(await toneOf(waiting, /^customer’s turn, .+ left$/)).toBe('plain');
    expect(await toneOf(review, /^due in [34] h/)).toBe('plain');
    expect(await toneOf(cooling, /^owner may object, .+ left$/)).toBe('plain');
    await bed.rows`update recovery set review_due_at = now() + interval '40 minutes' where recovery_id = ${recoveryOf(review)}`;
    expect(await toneOf(review, /^due in (40|39|38) min$/)).toBe('wait');
    await ana.shoot('states-queue-clocks');
    expect(await ana.seriousFindings()).toEqual([]);
  });

  it('brings a review that no supervisor came for to its head, and tells the bank', async () => {
    const ana = await bed.staff('ana', '/recoveries');
    const path = await bed.reviewBy(ana);
    const id = recoveryOf(path);
    const customerId = await bed.customerOf(path);
    const sione = await bed.staff('sione', '/recoveries');
    await bed.rows`update recovery set review_due_at = now() - interval '1 second' where recovery_id = ${id}`;
    // The workflow reads its row anew at everything that is put on the record.
    await ana.tells(`${path}/evidence`, { method: 'branch', evidenceId: 'branch-13' });
    const row = rowOf(sione, path);
    await row.locator('.tag[data-tone=danger]', { hasText: 'before a supervisor' }).waitFor();
    await button(sione, 'Overdue').click();
    await expect.poll(() => pathsIn(sione), PATIENCE).toEqual([path]);
    await sione.shoot('states-queue-escalated');
    await row.click();
    await sione.sees('Somebody should have looked by now: it was brought before a supervisor.');
    await sione.sees('Nobody reviewed it in time');
    await sione.sees('Brought before a supervisor');
    await sione.shoot('states-escalated');
    expect(await sione.seriousFindings()).toEqual([]);
    const told = await bed.rows<{ data: unknown }[]>`
      select payload -> 'data' as data from outbox
      where subject = ${customerId} and payload ->> 'type' = 'bank.app.recovery_escalated'`;
    expect(told).toMatchObject([{ data: { customerId, recoveryId: id, because: 'overdue' } }]);
  });
});
