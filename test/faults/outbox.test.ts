/** Rows of the outbox that are delivered twice, and rows that nobody can deliver: the first change nothing, the second hold up nobody. */
import { describe, expect, test } from 'vitest';
import { customerWithEverythingOpen, cutOff, expectAllClosed } from '../setup/cut-off.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { fraudEngine, latchkey, watchRevocation } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  messagesTo,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasShortSecondListing: true });

const PATIENCE = { timeout: 60_000 };

async function waitingRows(): Promise<readonly unknown[]> {
  return await bed.rows`
    select topic from outbox where status = 'pending' union all select 'event' from event_delivery where status = 'pending'`;
}

/** Everything that a second delivery could add to. */
async function footprint() {
  const [census] = await bed.rows`
    select (select count(*)::int from audit) as audited, (select count(*)::int from outbox) as outbox,
      (select count(*)::int from session) as sessions, (select count(*)::int from revocation) as revocations,
      (select json_agg(row(state, seq, heal_count) order by ceremony_id) from ceremony) as ceremonies,
      (select json_agg(row(status, wrong_count) order by attempt_id) from step_attempt) as attempts,
      (select json_agg(row(status, security_epoch, cut_off_seq) order by customer_id) from customer) as customers`;
  const runs: string[] = [];
  for (const kind of ['enrollment', 'session', 'revocation'])
    for (const { workflowId, status } of await bed.temporal.runsOf(`${kind}/`))
      runs.push(`${workflowId} ${status}`);
  return { census, messages: bed.stack.inbox.messages().length, runs: runs.toSorted() };
}

interface PublishedEvent {
  readonly id: string;
  readonly sequence: number;
}

/** What the worker's stream of events carried, by id. */
function events(): Map<string, readonly string[]> {
  const published = new Map<string, string[]>();
  for (const line of bed.stack.lines('worker').filter((text) => text.includes('"specversion"'))) {
    // Written by adapters/events/stream.ts.
    const { id } = JSON.parse(line) as PublishedEvent;
    published.set(id, [...(published.get(id) ?? []), line]);
  }
  return published;
}

describe('every row of the outbox delivered a second time', () => {
  test('starts, ends, sends and changes nothing twice; an event comes again as the one that it was', async () => {
    const { phone, workflows } = await customerWithEverythingOpen(
      bed.stack,
      bed.rows,
      bed.temporal,
    );
    const leaver = await enrollPhone(bed.stack);
    await leaver.latchkey.logIn();
    await leaver.latchkey.logOut('this');
    const quitter = createSoftwarePhone(bed.stack);
    await quitter.latchkey.enrollment.cancel(await beginEnrollment(quitter));
    const revocationId = await cutOff(bed.stack, phone.customerId);
    await watchRevocation(fraudEngine(bed.stack), revocationId);
    await expectAllClosed(bed.rows, bed.temporal, phone.customerId, workflows);
    await expect.poll(waitingRows, PATIENCE).toEqual([]);
    const open = async () =>
      await bed.rows`select 1 from session where status = 'ended' and workflow_closed_at is null`;
    await expect.poll(open, PATIENCE).toEqual([]);
    const topics = await bed.rows`select distinct topic from outbox order by topic`;
    expect(topics.map(({ topic }) => String(topic))).toEqual([
      'ceremony.signal',
      'event',
      'message.email',
      'message.sms',
      'revocation.start',
      'session.start',
      'session.wake',
    ]);
    const before = await footprint();
    const published = events();

    await bed.rows`update outbox set status = 'pending', delivered_at = null, attempts = 0 where topic <> 'event'`;
    await bed.rows`update event_delivery set status = 'pending', delivered_at = null, attempts = 0`;
    await expect.poll(waitingRows, PATIENCE).toEqual([]);
    const dead = await bed.rows`
      select topic from outbox where status <> 'delivered' union all select 'event' from event_delivery where status <> 'delivered'`;
    expect(dead).toEqual([]);
    expect(await footprint()).toEqual(before);
    await expect
      .poll(() => [...events().values()].every((lines) => lines.length > 1), PATIENCE)
      .toBe(true);
    expect([...events().keys()]).toEqual([...published.keys()]);
    for (const lines of events().values()) expect(new Set(lines).size).toBe(1);
  });
});

describe('rows that nobody can deliver', () => {
  test('go to the dead letters, hold up neither a revocation nor a login nor a message, and are delivered once cured', async () => {
    const { phone, tenantId, workflows } = await customerWithEverythingOpen(
      bed.stack,
      bed.rows,
      bed.temporal,
    );
    // More than the relay claims at a time, and older than what has to pass them.
    const nonsense = { ceremonyId: 'enr_none', kind: 'nonsense', signal: 'revoke' };
    await bed.rows`
      insert into outbox (tenant_id, topic, subject, payload)
      select ${tenantId}, 'ceremony.signal', 'poison', ${bed.rows.json(nonsense)} from generate_series(1, 30)`;
    const [contact] = await bed.rows<{ contactId: string }[]>`
      select contact_id from contact where customer_id = ${phone.customerId} and kind = 'phone'`;
    const message = {
      customerId: phone.customerId,
      contactId: contact?.contactId ?? '',
      template: 'nonsense',
      locale: 'en',
    };
    const [unsendable] = await bed.rows<{ outboxId: string }[]>`
      insert into outbox (tenant_id, topic, subject, payload)
      values (${tenantId}, 'message.sms', 'poison', ${bed.rows.json(message)}) returning outbox_id`;

    const revocationId = await cutOff(bed.stack, phone.customerId);
    const passer = await enrollPhone(bed.stack);
    await passer.latchkey.logIn();
    await watchRevocation(fraudEngine(bed.stack), revocationId);
    await expectAllClosed(bed.rows, bed.temporal, phone.customerId, workflows);
    await expect
      .poll(
        async () => {
          // Their back-off is ended in the rows, no clock.
          await bed.rows`update outbox set not_before = latchkey_now() where subject = 'poison' and status = 'pending'`;
          return await waitingRows();
        },
        { ...PATIENCE, interval: 250 },
      )
      .toEqual([]);
    const dead = () => bed.rows`
      select topic, count(*)::int as rows, max(attempts) as attempts, max(error_code) as error_code from outbox
      where status = 'dead' group by topic order by topic`;
    expect(await dead()).toEqual([
      { topic: 'ceremony.signal', rows: 30, attempts: 5, errorCode: 'internal_error' },
      { topic: 'message.sms', rows: 1, attempts: 1, errorCode: 'internal_error' },
    ]);

    const outboxId = unsendable?.outboxId ?? '';
    expect(await latchkey(bed.stack, 'outbox', 'list')).toContain(outboxId);
    await bed.rows`
      update outbox set payload = payload || '{"template": "hold_released"}' where outbox_id = ${outboxId}`;
    const told = () => messagesTo(bed.stack, phone.number);
    const before = told().length;
    await latchkey(bed.stack, 'outbox', 'retry', outboxId);
    await expect.poll(told, PATIENCE).toHaveLength(before + 1);
    expect(await codeSentTo(bed.stack, passer.number)).toMatch(/^\d{6}$/);
  });
});
