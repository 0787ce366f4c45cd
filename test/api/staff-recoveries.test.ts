/** A recovery at the operations door over HTTP: opened with the caller on the line, queued, claimed, put on record, decided; and who is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { bankSigner } from '../setup/receipt.ts';
import {
  checked,
  follow,
  insertRecoverable,
  opened,
  proved,
  RECOVERY_TOOLS,
  type RecoverableCustomer,
  type Run,
} from '../setup/recoveries.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

let api: TestApi;
let agent: Staff;
let colleague: Staff;
let supervisor: Staff;
let auditor: Staff;
const run: Run = (work) => api.inTenant(work);
beforeAll(async () => {
  // Contacts are sealed by the helpers that write them.
  const { personalData, otpCodes } = RECOVERY_TOOLS;
  api = await startTestApi({ dependencies: { receiptSigner: bankSigner, personalData, otpCodes } });
  agent = await createStaff(api, ['agent'], { name: 'Ana Agent' });
  colleague = await createStaff(api, ['agent'], { name: 'Col League' });
  supervisor = await createStaff(api, ['supervisor'], { name: 'Sione Supervisor' });
  auditor = await createStaff(api, ['auditor'], { name: 'Aida Auditor' });
});
afterAll(() => api.close());

const PERSON = 'person_recognised';
const customer = () => run((tx) => insertRecoverable(tx, api.tenantId));
const subjectOf = (recoveryId: string) => ({ tenantId: api.tenantId, recoveryId });
const path = (recoveryId: string, rest = '') => `/staff/recoveries/${recoveryId}${rest}`;
const look = async (who: Staff, recoveryId: string) => (await who.get(path(recoveryId))).body;

/** What the case says that this person may not do, by action. */
async function refusals(who: Staff, recoveryId: string): Promise<Record<string, string | null>> {
  // The schema of the operation says so.
  const { actions } = (await look(who, recoveryId)) as {
    actions: { action: string; because: string | null }[];
  };
  return Object.fromEntries(actions.map(({ action, because }) => [action, because]));
}

async function decided(
  who: Staff,
  recoveryId: string,
  kind: string,
  { revision, reason = PERSON }: { readonly revision?: number; readonly reason?: string } = {},
): Promise<Answer> {
  const seen = revision ?? Number((await look(who, recoveryId)).revision);
  return await who.post(path(recoveryId, '/decisions'), { kind, revision: seen, reason });
}

const openBody = (reference: string, report = 'broken') => ({
  report,
  proof: { method: 'call_back', reference },
});
const openFor = (who: Staff, { customerId }: RecoverableCustomer, body: object) =>
  who.post(`/staff/customers/${customerId}/recoveries`, body);

/** Opened by an agent, followed by the workflow. */
async function openedByAgent(one: RecoverableCustomer): Promise<string> {
  const answer = await openFor(agent, one, openBody('call-1'));
  expect(answer).toMatchObject({ status: 201, body: { joined: false } });
  const { recoveryId } = answer.body;
  await follow(run, subjectOf(String(recoveryId)));
  return String(recoveryId);
}

/** Up to the review, by the customer alone. */
async function reviewed(one: RecoverableCustomer, changes = {}): Promise<string> {
  return (await proved(run, one, changes)).recoveryId;
}

/** Takes two people. */
const reviewedByTwo = async () => await reviewed(await customer(), { report: 'stolen' });

describe('a recovery with the caller on the line', () => {
  test('is opened with what proves him, and once under its key', async () => {
    const one = await customer();
    const options = { idempotencyKey: `open-${one.customerId}` };
    const url = `/staff/customers/${one.customerId}/recoveries`;
    const first = await agent.post(url, openBody('call-1'), options);
    expect(first).toMatchObject({ status: 201, body: { joined: false } });
    expect((await agent.post(url, openBody('call-1'), options)).body).toEqual(first.body);
    const again = await openFor(agent, one, openBody('call-2'));
    expect(again.body).toEqual({ recoveryId: first.body.recoveryId, joined: true });
    const recoveryId = String(first.body.recoveryId);
    await follow(run, subjectOf(recoveryId));
    expect(await look(agent, recoveryId)).toMatchObject({
      state: 'identity',
      openedBy: { kind: 'staff', name: 'Ana Agent' },
      ledger: [
        { method: 'call_back', strength: 1, recordedBy: { kind: 'staff', name: 'Ana Agent' } },
        { method: 'call_back' },
      ],
      needed: { missing: ['identity'], people: 2, approved: 0 },
      doubts: ['risk_not_evaluated', 'opened_by_staff'],
      hasPhone: false,
    });
  });

  test('takes a verified call of this customer alone, and of the last hour', async () => {
    const callId = `cer_${'0'.repeat(32)}`;
    const proof = { method: 'verified_call', callId };
    const body = { report: 'broken', proof };
    expect(await openFor(agent, await customer(), body)).toMatchObject({
      status: 409,
      body: { code: 'caller_not_proved' },
    });
  });

  test('restricts the phone that was reported, and counts no call to it', async () => {
    const one = await customer();
    const answer = await openFor(agent, one, openBody('call-9', 'stolen'));
    const recoveryId = String(answer.body.recoveryId);
    await follow(run, subjectOf(recoveryId));
    expect(await look(agent, recoveryId)).toMatchObject({
      state: 'contact',
      devices: [{ isReported: true, status: 'restricted', isNew: false }],
      ledger: [{ method: 'call_back', strength: 0, isOnReportedPhone: true }],
      needed: { missing: ['contact', 'identity'] },
    });
  });

  test('is held from its first moment for a customer on hold', async () => {
    const one = await customer();
    await run((tx) => cutOffCustomer(tx, one));
    const answer = await openFor(agent, one, openBody('call-3'));
    const recoveryId = String(answer.body.recoveryId);
    expect(await look(agent, recoveryId)).toMatchObject({
      state: 'held',
      customer: { isOnHold: true },
      ledger: [],
    });
    expect(await decided(supervisor, recoveryId, 'release')).toMatchObject({
      body: { code: 'customer_on_hold' },
    });
  });

  test('is not opened for nobody, nor for oneself', async () => {
    const nobody = { customerId: `cus_${'0'.repeat(32)}` } as RecoverableCustomer;
    expect((await openFor(agent, nobody, openBody('call-4'))).body).toMatchObject({
      code: 'not_found',
    });
    const one = await customer();
    const self = await createStaff(api, ['agent'], { employeeId: one.customerId });
    expect((await openFor(self, one, openBody('call-5'))).body).toMatchObject({
      code: 'own_account',
    });
  });

  test('takes a report and a proof from the lists, and nothing typed', async () => {
    const one = await customer();
    for (const body of [
      {},
      openBody('call-1', 'eaten by a dog'),
      { report: 'lost', proof: { method: 'sms_code', reference: 'x' } },
      { report: 'lost', proof: { method: 'call_back', reference: 'two words' } },
      { ...openBody('call-1'), note: 'he sounded nice' },
    ])
      expect(await openFor(agent, one, body)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
  });
});

describe('the queue', () => {
  test('shows what waits for staff first, in pages that leave nothing out', async () => {
    const waiting = (await opened(run, await customer())).recoveryId;
    await follow(run, subjectOf(waiting));
    const review = await reviewed(await customer());
    const overdue = await reviewed(await customer());
    await run(
      (tx) =>
        tx`update recovery set escalated_at = latchkey_now(), review_due_at = null where recovery_id = ${overdue}`,
    );
    const seen: string[] = [];
    let next: string | null = '';
    for (let page = 0; next !== null && page < 50; page += 1) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const { body } = await agent.get(`/staff/recoveries?limit=2${cursor}`);
      for (const { recoveryId } of body.recoveries) seen.push(String(recoveryId));
      next = body.next as string | null;
    }
    expect(new Set(seen).size).toBe(seen.length);
    const at = (recoveryId: string) => seen.indexOf(recoveryId);
    expect([at(overdue) < at(review), at(review) < at(waiting)]).toEqual([true, true]);
    expect(at(overdue)).toBeGreaterThanOrEqual(0);
  });

  test('is narrowed by state, claim, delay, customer and to what waits for a second person', async () => {
    const one = await customer();
    const recoveryId = await reviewed(one, { report: 'stolen' });
    const ids = async (query: string): Promise<string[]> => {
      const { body } = await agent.get(`/staff/recoveries?limit=100&${query}`);
      return (body.recoveries as { recoveryId: string }[]).map((entry) => entry.recoveryId);
    };
    expect(await ids(`customerId=${one.customerId}`)).toEqual([recoveryId]);
    expect(await ids('state=review')).toContain(recoveryId);
    expect(await ids('state=held')).not.toContain(recoveryId);
    expect(await ids('mine=yes')).not.toContain(recoveryId);
    await agent.post(path(recoveryId, '/claim'), {});
    expect(await ids('mine=yes')).toContain(recoveryId);
    expect(await ids('overdue=yes')).not.toContain(recoveryId);
    api.clock.advance(4 * 3_600_000 + 1_000);
    const late = await createStaff(api, ['auditor']);
    const { body } = await late.get(`/staff/recoveries?overdue=yes&customerId=${one.customerId}`);
    expect(body.recoveries).toMatchObject([
      { recoveryId, isOverdue: true, isMine: false, claimedBy: { name: 'Ana Agent' } },
    ]);
    await relogIn();
    expect(await ids('secondPerson=yes')).not.toContain(recoveryId);
    expect(await decided(supervisor, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect(await ids('secondPerson=yes')).toContain(recoveryId);
  });

  test('refuses a cursor and a filter that are none', async () => {
    for (const query of ['cursor=bm9uZQ', 'state=starting', 'mine=no', 'order=x'])
      expect((await agent.get(`/staff/recoveries?${query}`)).status).toBe(400);
  });
});

/** Whoever was there before is logged out by the clock that was moved. */
async function relogIn(): Promise<void> {
  const same = ({ employeeId }: Staff, name: string) => ({ employeeId, name });
  agent = await createStaff(api, ['agent'], same(agent, 'Ana Agent'));
  colleague = await createStaff(api, ['agent'], same(colleague, 'Col League'));
  supervisor = await createStaff(api, ['supervisor'], same(supervisor, 'Sione Supervisor'));
  auditor = await createStaff(api, ['auditor'], same(auditor, 'Aida Auditor'));
}

describe('a claim', () => {
  test('is for one of two, and is handed over by whoever has it or a supervisor', async () => {
    const recoveryId = await reviewed(await customer());
    const answers = await Promise.all(
      [agent, colleague].map((who) => who.post(path(recoveryId, '/claim'), {})),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const [winner, loser] = answers[0]?.status === 200 ? [agent, colleague] : [colleague, agent];
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'case_taken',
    });
    expect(await refusals(loser, recoveryId)).toMatchObject({
      claim: 'case_taken',
      hand_over: 'case_taken',
    });
    expect(await refusals(winner, recoveryId)).toMatchObject({
      claim: 'yours_already',
      hand_over: null,
    });
    const handOver = (who: Staff, to: string | null) =>
      who.post(path(recoveryId, '/hand-over'), { to });
    expect((await handOver(loser, null)).body).toMatchObject({ code: 'case_taken' });
    expect((await handOver(winner, auditor.staffId)).body).toMatchObject({
      code: 'staff_role_missing',
    });
    expect(await handOver(supervisor, supervisor.staffId)).toMatchObject({ status: 200 });
    expect(await look(winner, recoveryId)).toMatchObject({
      claimedBy: { staffId: supervisor.staffId, name: 'Sione Supervisor' },
      isMine: false,
    });
    expect(await handOver(supervisor, null)).toMatchObject({ status: 200 });
    expect(await look(winner, recoveryId)).toMatchObject({ claimedBy: null });
  });
});

describe('evidence', () => {
  test('by video counts once a second person confirms it, and asks for two people from then on', async () => {
    const one = await customer();
    const { recoveryId } = await opened(run, one);
    await follow(run, subjectOf(recoveryId));
    const put = { method: 'video', evidenceId: 'video-77' };
    expect(await agent.post(path(recoveryId, '/evidence'), put)).toMatchObject({ status: 200 });
    const seen = await look(agent, recoveryId);
    const video = seen.ledger.find(({ method }: { method: string }) => method === 'video');
    expect(video).toMatchObject({ strength: 1, needsSecondPerson: true, confirmedBy: null });
    expect(seen).toMatchObject({ needed: { people: 2 }, doubts: ['seen_by_staff'] });
    const confirm = path(recoveryId, `/evidence/${String(video.factorId)}/confirm`);
    expect((await refusals(agent, recoveryId)).confirm_evidence).toBe('four_eyes_required');
    expect((await agent.post(confirm, {})).body).toMatchObject({ code: 'four_eyes_required' });
    expect((await refusals(colleague, recoveryId)).confirm_evidence).toBeNull();
    expect(await colleague.post(confirm, {})).toMatchObject({ status: 200 });
    const { state } = await follow(run, subjectOf(recoveryId));
    expect(state).toBe('review');
    expect((await refusals(agent, recoveryId)).approve).toBe('four_eyes_required');
    expect((await decided(agent, recoveryId, 'approve')).body).toMatchObject({
      code: 'four_eyes_required',
    });
    const nothing = path(recoveryId, `/evidence/fac_${'0'.repeat(32)}/confirm`);
    expect((await colleague.post(nothing, {})).body).toMatchObject({ code: 'not_found' });
  });

  test('in a branch is offered and taken while a second contact is missing, and the case goes on', async () => {
    const one = await customer();
    await run(
      (tx) =>
        tx`update contact set proved_at = latchkey_now() where customer_id = ${one.customerId}`,
    );
    const { recoveryId } = await opened(run, one, { report: 'stolen' });
    await follow(run, subjectOf(recoveryId));
    expect(await look(agent, recoveryId)).toMatchObject({
      state: 'contact',
      needed: { missing: ['second_contact', 'identity'] },
    });
    expect((await refusals(agent, recoveryId)).record_evidence).toBeNull();
    const inBranch = { method: 'branch', evidenceId: 'branch-21' };
    expect(await agent.post(path(recoveryId, '/evidence'), inBranch)).toMatchObject({
      status: 200,
    });
    const { state } = await follow(run, subjectOf(recoveryId));
    expect(state).toBe('review');
    expect(await look(colleague, recoveryId)).toMatchObject({ needed: { missing: [], people: 2 } });
    expect((await refusals(agent, recoveryId)).approve).toBe('four_eyes_required');
  });

  test('of the person waits for the new phone; a call that nobody proved is none', async () => {
    const recoveryId = await openedByAgent(await customer());
    const put = (body: object) => agent.post(path(recoveryId, '/evidence'), body);
    const inBranch = { method: 'branch', evidenceId: 'branch-12' };
    expect((await refusals(agent, recoveryId)).record_evidence).toBe('phone_not_joined');
    expect((await put(inBranch)).body).toMatchObject({ code: 'phone_not_joined' });
    const call = { method: 'verified_call', evidenceId: `cer_${'0'.repeat(32)}` };
    expect((await put(call)).body).toMatchObject({ code: 'caller_not_proved' });
    expect((await put({ method: 'liveness', evidenceId: 'x' })).status).toBe(400);
    const back = await colleague.post(path(recoveryId, '/call-back'), { reference: 'call-2' });
    expect(back).toMatchObject({ status: 200, body: { state: 'identity' } });
  });
});

describe('a decision', () => {
  test('takes two people of whom one is a supervisor; what is refused is greyed with its code', async () => {
    const recoveryId = await reviewedByTwo();
    expect((await refusals(agent, recoveryId)).approve).toBeNull();
    expect(await decided(agent, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect((await refusals(agent, recoveryId)).approve).toBe('approved_by_you');
    expect((await refusals(colleague, recoveryId)).approve).toBe('staff_role_missing');
    expect(await decided(colleague, recoveryId, 'approve')).toMatchObject({
      status: 403,
      body: { code: 'staff_role_missing' },
    });
    const twin = await createStaff(api, ['supervisor'], { employeeId: agent.employeeId });
    expect(await decided(twin, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect(await look(agent, recoveryId)).toMatchObject({ needed: { people: 2, approved: 1 } });
    expect(await decided(supervisor, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect((await follow(run, subjectOf(recoveryId))).state).toBe('cooling');
  });

  test('names the case as it was seen: an edit since makes the approval void', async () => {
    const one = await customer();
    const recoveryId = await reviewed(one, { report: 'stolen' });
    const { revision } = await look(supervisor, recoveryId);
    expect(await decided(agent, recoveryId, 'approve')).toMatchObject({ status: 200 });
    await colleague.post(path(recoveryId, '/evidence'), {
      method: 'document',
      evidenceId: 'archive-5',
    });
    expect(await decided(supervisor, recoveryId, 'approve', { revision })).toMatchObject({
      status: 409,
      body: { code: 'approval_void' },
    });
    expect(await look(agent, recoveryId)).toMatchObject({ needed: { approved: 0 } });
    expect(await decided(supervisor, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect((await follow(run, subjectOf(recoveryId))).state).toBe('review');
  });

  test('that approves or releases asks for a login of the last minutes, refusing and sending back do not', async () => {
    const stale = await createStaff(api, ['supervisor'], { loggedInMsAgo: 6 * 60_000 });
    const recoveryId = await reviewedByTwo();
    for (const kind of ['approve', 'release'])
      expect(await decided(stale, recoveryId, kind)).toMatchObject({
        status: 401,
        body: { code: 'reauthentication_required' },
      });
    expect(await decided(stale, recoveryId, 'send_back')).toMatchObject({ status: 200 });
    await follow(run, subjectOf(recoveryId));
    expect(await look(stale, recoveryId)).toMatchObject({ state: 'identity' });
    expect(await decided(stale, recoveryId, 'approve')).toMatchObject({ status: 401 });
    expect(await decided(supervisor, recoveryId, 'approve')).toMatchObject({
      body: { code: 'wrong_step' },
    });
    expect(await decided(stale, recoveryId, 'refuse', { reason: 'suspected_fraud' })).toMatchObject(
      { status: 200, body: { state: 'ended' } },
    );
    expect(await look(stale, recoveryId)).toMatchObject({
      outcome: 'denied',
      reason: 'refused_by_staff',
    });
    expect((await refusals(agent, recoveryId)).claim).toBe('ceremony_ended');
    expect((await agent.post(path(recoveryId, '/claim'), {})).body).toMatchObject({
      code: 'ceremony_ended',
    });
  });

  test('waits for what is missing and for the right step', async () => {
    const one = await customer();
    const { recoveryId } = await opened(run, one);
    await follow(run, subjectOf(recoveryId));
    expect((await decided(supervisor, recoveryId, 'approve')).body).toMatchObject({
      code: 'wrong_step',
    });
    await checked(run, one, subjectOf(recoveryId));
    await follow(run, subjectOf(recoveryId));
    await run(
      (tx) =>
        tx`update recovery_factor set voided_at = latchkey_now() where recovery_id = ${recoveryId} and method = 'liveness'`,
    );
    expect((await refusals(supervisor, recoveryId)).approve).toBe('factors_missing');
    expect((await decided(supervisor, recoveryId, 'approve')).body).toMatchObject({
      code: 'factors_missing',
    });
  });

  test('to release is a supervisor’s, and the person is proved anew', async () => {
    const one = await customer();
    const recoveryId = await reviewed(one);
    await run((tx) => cutOffCustomer(tx, one));
    await follow(run, subjectOf(recoveryId));
    expect(await look(agent, recoveryId)).toMatchObject({ state: 'held', doubts: ['on_hold'] });
    expect(
      (await agent.post(path(recoveryId, '/call-back'), { reference: 'c' })).body,
    ).toMatchObject({ code: 'recovery_held' });
    expect((await decided(agent, recoveryId, 'release')).body).toMatchObject({
      code: 'staff_role_missing',
    });
    expect((await refusals(agent, recoveryId)).release).toBe('staff_role_missing');
    await run(
      (
        tx,
      ) => tx`update hold set status = 'released', released_at = latchkey_now(), released_by = 'x'
      where customer_id = ${one.customerId}`,
    );
    expect((await refusals(supervisor, recoveryId)).release).toBeNull();
    expect(await decided(supervisor, recoveryId, 'release')).toMatchObject({
      status: 200,
      body: { state: 'identity' },
    });
  });

  test('after the step’s time is none', async () => {
    const recoveryId = await reviewedByTwo();
    await run(
      (tx) =>
        tx`update ceremony set step_deadline = latchkey_now() where ceremony_id = ${recoveryId}`,
    );
    expect((await refusals(supervisor, recoveryId)).approve).toBe('ceremony_expired');
    expect((await decided(supervisor, recoveryId, 'approve')).body).toMatchObject({
      code: 'ceremony_expired',
    });
  });

  test('about one’s own account is nobody’s', async () => {
    const one = await customer();
    const recoveryId = await reviewed(one);
    const self = await createStaff(api, ['supervisor'], { employeeId: one.customerId });
    expect(Object.values(await refusals(self, recoveryId))).toEqual(
      Array.from({ length: 9 }, () => 'own_account'),
    );
    for (const kind of ['approve', 'refuse', 'send_back'])
      expect((await decided(self, recoveryId, kind)).body).toMatchObject({ code: 'own_account' });
    const body = { method: 'branch', evidenceId: 'b' };
    for (const [rest, sent] of [
      ['/claim', {}],
      ['/evidence', body],
      ['/call-back', { reference: 'c' }],
    ] as const)
      expect((await self.post(path(recoveryId, rest), sent)).body).toMatchObject({
        code: 'own_account',
      });
  });
});

describe('a case', () => {
  test('that is not there is not found, by any of its operations', async () => {
    const nothing = `cer_${'0'.repeat(32)}`;
    for (const rest of ['', '/stream', '/record'])
      expect((await supervisor.get(path(nothing, rest))).body).toMatchObject({
        code: 'recovery_not_found',
      });
    for (const [rest, body] of [
      ['/claim', {}],
      ['/hand-over', { to: null }],
      ['/evidence', { method: 'branch', evidenceId: 'b' }],
      [`/evidence/fac_${'0'.repeat(32)}/confirm`, {}],
      ['/call-back', { reference: 'c' }],
      ['/decisions', { kind: 'refuse', revision: 0, reason: 'other' }],
    ] as const)
      expect((await supervisor.post(path(nothing, rest), body)).body).toMatchObject({
        code: 'recovery_not_found',
      });
  });

  test('shows no contact in clear, no code and no link, and a look by a stranger to it is noted', async () => {
    const one = await customer();
    const recoveryId = await reviewed(one);
    const text = JSON.stringify(await look(auditor, recoveryId));
    expect(text).not.toContain(one.phone);
    expect(text).not.toContain(one.email);
    expect(text).not.toContain(one.newJkt);
    expect(text).not.toMatch(/onfidence|https?:/);
    expect(Object.values(await refusals(auditor, recoveryId))).toEqual(
      Array.from({ length: 9 }, () => 'staff_role_missing'),
    );
    const looks = () =>
      run(
        (tx) => tx`
      select 1 from audit where subject_id = ${recoveryId} and action = 'staff.recovery_viewed'`,
      );
    expect(await looks()).toHaveLength(2);
    await agent.post(path(recoveryId, '/claim'), {});
    await look(agent, recoveryId);
    expect(await looks()).toHaveLength(2);
  });
});
