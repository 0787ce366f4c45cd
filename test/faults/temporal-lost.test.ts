/**
 * Temporal's store lost completely: a server that knows nothing starts in its place. Every open row gets a successor of its workflow, counted,
 * which goes on from the row; nothing is sent, asked or counted twice.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { customerWithEverythingOpen, cutOff } from '../setup/cut-off.ts';
import {
  armFault,
  fraudEngine,
  openRows,
  openTemporalEyes,
  restart,
  shortenSecondListing,
  watchRevocation,
  type TemporalEyes,
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
import { startTestStack, type TestStack } from '../setup/stack.ts';

let stack: TestStack;
let rows: postgres.Sql;
let temporal: TemporalEyes;

beforeAll(async () => {
  stack = await startTestStack({ hasOwnTemporal: true });
  rows = openRows(stack);
  temporal = await openTemporalEyes(stack);
});

afterAll(async () => {
  await temporal?.close();
  await rows?.end();
  await stack?.stop();
});

const PATIENCE = { timeout: 60_000 };
const DETAILS = {
  givenName: 'Ada',
  familyName: 'Byron',
  birthDate: '1990-12-10',
  documentNumber: 'L0STST0RE',
};

/** Every file of the store goes; the server that starts in its place has the namespace and nothing else. */
async function loseStore(): Promise<void> {
  await stack.killTemporal();
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    await rm(join(stack.directory, `temporal.db${suffix}`), { force: true });
  await stack.startTemporal();
}

/** The reconciler leaves rows alone whose start may still be under way: these get older by a minute, no clock. */
async function ageRows(): Promise<void> {
  await rows`update session set started_at = started_at - interval '1 minute'`;
  await rows`update ceremony set created_at = created_at - interval '1 minute'`;
  await rows`update revocation set effective_at = effective_at - interval '1 minute'`;
}

async function openPhone() {
  const phone = createSoftwarePhone(stack);
  const enrollmentId = await beginEnrollment(phone);
  const code = await codeSentTo(stack, phone.number);
  const submit = () => phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
  return { phone, enrollmentId, submit };
}

/** A revocation whose workflow sleeps towards a second listing that is far away. */
async function sleepingRevocation(): Promise<string> {
  await rows`update policy set document = jsonb_set(document, '{revocation,secondListingSeconds}', '3600')`;
  const victim = await customerWithEverythingOpen(stack, rows, temporal);
  const revocationId = await cutOff(stack, victim.phone.customerId);
  const closed = () => rows`
    select 1 from session join ceremony using (revocation_id)
    where revocation_id = ${revocationId} and session.workflow_closed_at is not null and ceremony.workflow_closed_at is not null`;
  await expect.poll(closed, PATIENCE).toHaveLength(1);
  await shortenSecondListing(rows);
  return revocationId;
}

test('sessions, ceremonies and revocations are healed from their rows as their first successors, and everything works after', async () => {
  const owner = await enrollPhone(stack);
  const { sessionId } = await owner.latchkey.logIn();
  const waiting = await openPhone();
  const checked = await openPhone();
  await checked.submit();
  stack.identityVendor.setBehaviour('slow');
  await checked.phone.latchkey.enrollment.submitIdentity(checked.enrollmentId, DETAILS);
  await expect.poll(() => stack.identityVendor.waiting(), PATIENCE).toHaveLength(1);
  stack.identityVendor.setBehaviour('normal');
  const judged = await openPhone();
  const revocationId = await sleepingRevocation();
  const fault = await armFault(stack, 'worker', 'activity.before.advanceEnrollment');
  const step = untilDecided(judged.submit);
  await fault.reached();
  await ageRows();
  const sent = stack.inbox.messages().length;

  await loseStore();
  await restart(stack, 'worker');

  const [{ tenantId } = { tenantId: '' }] = await rows<{ tenantId: string }[]>`
    select tenant_id from session where session_id = ${sessionId}`;
  const open = [
    workflowId('session', tenantId, sessionId, 1),
    ...[waiting, checked, judged].map((one) =>
      workflowId('enrollment', tenantId, one.enrollmentId, 1),
    ),
  ];
  for (const id of open)
    await expect
      .poll(() => temporal.runsOf(id.replace(/~1$/, '')), PATIENCE)
      .toEqual([{ workflowId: id, status: 'RUNNING' }]);
  const { receipt } = await watchRevocation(fraudEngine(stack), revocationId);
  expect(receipt.stopped).toEqual({ devices: 1, credentials: 1, sessions: 1, ceremonies: 1 });
  const healed = await rows`
    select heal_count from session where session_id = ${sessionId}
    union all select heal_count from revocation
    union all select heal_count from ceremony where outcome is null`;
  expect(healed.map(({ healCount }) => Number(healCount))).toEqual([1, 1, 1, 1, 1]);

  // Each goes on from where its row stands; what was judged is followed without anybody asking again, and then told.
  await reach(judged.phone, judged.enrollmentId, 'identity');
  expect(await step).toMatchObject({ state: 'identity' });
  expect(await waiting.submit()).toMatchObject({ state: 'identity' });
  expect(stack.identityVendor.waiting()).toHaveLength(1);
  stack.identityVendor.release();
  await reach(checked.phone, checked.enrollmentId, 'email');
  const done = await rows`
    select count(*)::int as steps from audit where action = 'enrollment.step_done'
      and ceremony_id in (${waiting.enrollmentId}, ${judged.enrollmentId}) group by ceremony_id`;
  expect(done).toEqual([{ steps: 1 }, { steps: 1 }]);
  for (const { phone } of [waiting, checked, judged])
    expect(messagesTo(stack, phone.number)).toHaveLength(1);
  expect(stack.inbox.messages()).toHaveLength(sent);

  const completed = { state: 'ended', outcome: 'completed' };
  expect(await finishEnrollment(stack, judged.phone, judged.enrollmentId)).toMatchObject(completed);
  expect((await owner.latchkey.session.refresh()).sessionId).toBe(sessionId);
  await owner.latchkey.logOut('this');
  const [session = ''] = open;
  await expect
    .poll(() => temporal.runsOf(session), PATIENCE)
    .toEqual([{ workflowId: session, status: 'COMPLETED' }]);
  await owner.latchkey.logIn();
});
