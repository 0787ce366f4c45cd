/**
 * Temporal's store lost completely: a server that knows nothing starts in its place. Every open row gets a successor of its workflow, counted,
 * which goes on from the row; nothing is sent, asked or counted twice.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { customerWithEverythingOpen, cutOff } from '../setup/cut-off.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import {
  armFault,
  fraudEngine,
  restart,
  shortenSecondListing,
  watchRevocation,
} from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  finishEnrollment,
  messagesTo,
  reach,
  untilDecided,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasOwnTemporal: true });

const PATIENCE = { timeout: 60_000 };
const DETAILS = {
  givenName: 'Ada',
  familyName: 'Byron',
  birthDate: '1990-12-10',
  documentNumber: 'L0STST0RE',
};

/** Every file of the store goes; the server that starts in its place has the namespace and nothing else. */
async function loseStore(): Promise<void> {
  await bed.stack.killTemporal();
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    await rm(join(bed.stack.directory, `temporal.db${suffix}`), { force: true });
  await bed.stack.startTemporal();
}

/** The reconciler leaves rows alone whose start may still be under way: these get older by a minute, no clock. */
async function ageRows(): Promise<void> {
  await bed.rows`update session set started_at = started_at - interval '1 minute'`;
  await bed.rows`update ceremony set created_at = created_at - interval '1 minute'`;
  await bed.rows`update revocation set effective_at = effective_at - interval '1 minute'`;
}

async function openPhone() {
  const phone = createSoftwarePhone(bed.stack);
  const enrollmentId = await beginEnrollment(phone);
  const code = await codeSentTo(bed.stack, phone.number);
  const submit = () => phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
  return { phone, enrollmentId, submit };
}

/** A revocation whose workflow sleeps towards a second listing that is far away. */
async function sleepingRevocation(): Promise<string> {
  await bed.rows`update policy set document = jsonb_set(document, '{revocation,secondListingSeconds}', '3600')`;
  const victim = await customerWithEverythingOpen(bed.stack, bed.rows, bed.temporal);
  const revocationId = await cutOff(bed.stack, victim.phone.customerId);
  const closed = () => bed.rows`
    select 1 from session join ceremony using (revocation_id)
    where revocation_id = ${revocationId} and session.workflow_closed_at is not null and ceremony.workflow_closed_at is not null`;
  await expect.poll(closed, PATIENCE).toHaveLength(1);
  await shortenSecondListing(bed.rows);
  return revocationId;
}

test('sessions, ceremonies and revocations are healed from their rows as their first successors, and everything works after', async () => {
  const owner = await enrollPhone(bed.stack);
  const { sessionId } = await owner.latchkey.logIn();
  const waiting = await openPhone();
  const checked = await openPhone();
  await checked.submit();
  bed.stack.identityVendor.setBehaviour('slow');
  await checked.phone.latchkey.enrollment.submitIdentity(checked.enrollmentId, DETAILS);
  await expect.poll(() => bed.stack.identityVendor.waiting(), PATIENCE).toHaveLength(1);
  bed.stack.identityVendor.setBehaviour('normal');
  const judged = await openPhone();
  const revocationId = await sleepingRevocation();
  const fault = await armFault(bed.stack, 'worker', 'activity.before.advanceEnrollment');
  const step = untilDecided(judged.submit);
  await fault.reached();
  await ageRows();
  const sent = bed.stack.inbox.messages().length;

  await loseStore();
  await restart(bed.stack, 'worker');

  const [{ tenantId } = { tenantId: '' }] = await bed.rows<{ tenantId: string }[]>`
    select tenant_id from session where session_id = ${sessionId}`;
  const open = [
    workflowId('session', tenantId, sessionId, 1),
    ...[waiting, checked, judged].map((one) =>
      workflowId('enrollment', tenantId, one.enrollmentId, 1),
    ),
  ];
  for (const id of open)
    await expect
      .poll(() => bed.temporal.runsOf(id.replace(/~1$/, '')), PATIENCE)
      .toEqual([{ workflowId: id, status: 'RUNNING' }]);
  const { receipt } = await watchRevocation(fraudEngine(bed.stack), revocationId);
  expect(receipt.stopped).toEqual({ devices: 1, credentials: 1, sessions: 1, ceremonies: 1 });
  const healed = await bed.rows`
    select heal_count from session where session_id = ${sessionId}
    union all select heal_count from revocation
    union all select heal_count from ceremony where outcome is null`;
  expect(healed.map(({ healCount }) => Number(healCount))).toEqual([1, 1, 1, 1, 1]);

  // Each goes on from where its row stands; what was judged is followed without anybody asking again, and then told.
  await reach(judged.phone, judged.enrollmentId, 'identity');
  expect(await step).toMatchObject({ state: 'identity' });
  expect(await waiting.submit()).toMatchObject({ state: 'identity' });
  expect(bed.stack.identityVendor.waiting()).toHaveLength(1);
  bed.stack.identityVendor.release();
  await reach(checked.phone, checked.enrollmentId, 'email');
  const done = await bed.rows`
    select count(*)::int as steps from audit where action = 'enrollment.step_done'
      and ceremony_id in (${waiting.enrollmentId}, ${judged.enrollmentId}) group by ceremony_id`;
  expect(done).toEqual([{ steps: 1 }, { steps: 1 }]);
  for (const { phone } of [waiting, checked, judged])
    expect(messagesTo(bed.stack, phone.number)).toHaveLength(1);
  expect(bed.stack.inbox.messages()).toHaveLength(sent);

  const completed = { state: 'ended', outcome: 'completed' };
  expect(await finishEnrollment(bed.stack, judged.phone, judged.enrollmentId)).toMatchObject(
    completed,
  );
  expect((await owner.latchkey.session.refresh()).sessionId).toBe(sessionId);
  await owner.latchkey.logOut('this');
  const [session = ''] = open;
  await expect
    .poll(() => bed.temporal.runsOf(session), PATIENCE)
    .toEqual([{ workflowId: session, status: 'COMPLETED' }]);
  await owner.latchkey.logIn();
});
