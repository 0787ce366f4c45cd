import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { randomPhone, SOMEBODY } from '../setup/enrollment-bed.ts';
import { EnrollmentStack } from '../setup/enrollment-stack.ts';
import type { Enrollee } from '../setup/enrollment-stack.ts';
import { createPhone } from './fixtures.ts';
import type { Answer } from './fixtures.ts';

let stack: EnrollmentStack;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
});
afterAll(async () => {
  await stack?.close();
});

const refused = (status: number, code: string) => ({ status, body: { code, status } });

/** The row and everything that hangs on it, to show that a refusal changed nothing. */
async function footprint({ enrollmentId }: Pick<Enrollee, 'enrollmentId'>): Promise<unknown> {
  return await stack.api.inTenant(
    async (tx) => await tx`
      select state, seq, outcome, reason,
        (select count(*) from step_submission s where s.ceremony_id = c.ceremony_id) as submissions,
        (select count(*) from step_attempt a where a.ceremony_id = c.ceremony_id) as attempts,
        (select coalesce(sum(wrong_count), 0) from step_attempt a where a.ceremony_id = c.ceremony_id) as wrong,
        (select count(*) from device d where d.customer_id = c.customer_id) as devices,
        (select count(*) from audit u where u.ceremony_id = c.ceremony_id) as audit
      from ceremony c where ceremony_id = ${enrollmentId}`,
  );
}

async function expectUnchanged(enrollee: Enrollee, act: () => Promise<Answer>): Promise<Answer> {
  const before = await footprint(enrollee);
  const answer = await act();
  expect(await footprint(enrollee)).toEqual(before);
  return answer;
}

describe('a new customer', () => {
  test('enrolls by phone, identity, e-mail and passkey, and is told who he is now', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const first = await phone.get(path);
    expect(first.body).toMatchObject({
      state: 'phone',
      locale: 'en',
      code: { sentTo: `+44 ••• ${number.slice(-4)}`, digits: 6, attemptsLeft: 5, resendsLeft: 3 },
    });
    expect(await stack.provePhone(enrollee)).toMatchObject({
      status: 200,
      body: { state: 'identity' },
    });
    const since = stack.checks.length;
    expect(await stack.handInIdentity(enrollee, 'ab 123-456')).toMatchObject({
      status: 200,
      body: { state: 'identity_check' },
    });
    const check = await stack.checkOf(enrollee, since);
    expect(check).toMatchObject({ ...SOMEBODY, documentNumber: 'AB123456' });
    expect(await stack.decide(check, 'verified')).toMatchObject({ status: 202, body: {} });
    await stack.until(enrollee, 'email');
    const sent = await phone.post(`${path}/email`, { email: 'Ada.Lovelace@Exämple.test' });
    expect(sent).toMatchObject({
      status: 200,
      body: { state: 'email_code', code: { sentTo: 'a•••@xn--exmple-cua.test' } },
    });
    const code = await stack.codeFor('ada.lovelace@xn--exmple-cua.test');
    expect(await phone.post(`${path}/email-code`, { code })).toMatchObject({
      status: 200,
      body: { state: 'passkey' },
    });
    const body = await stack.passkeyBody(enrollee);
    const done = await phone.post(`${path}/passkey`, body);
    expect(done).toMatchObject({
      status: 200,
      body: { state: 'ended', outcome: 'completed', nextSteps: ['login'] },
    });
    expect(done.body.customerId).toMatch(/^cus_/);
    expect(done.body.deviceId).toMatch(/^dev_/);
    // No token comes of it.
    expect(JSON.stringify(done.body)).not.toContain('token');
    const [row] = await stack.api.inTenant(
      async (tx) => await tx`
        select d.status, d.attestation_level, d.session_jkt, c.status as credential_status, c.user_handle
        from device d join credential c using (tenant_id, device_id) where d.device_id = ${done.body.deviceId}`,
    );
    expect(row).toMatchObject({
      status: 'trusted',
      attestationLevel: 'software',
      sessionJkt: phone.jkt,
      credentialStatus: 'active',
      userHandle: Buffer.from(done.body.customerId),
    });
  });
});
