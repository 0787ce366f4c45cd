import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERASED, hasClosed, tracesOf } from '../setup/rows/enrollment-rows.ts';
import { SOMEBODY, randomPhone } from '../setup/somebody.ts';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import { createPhone } from '../setup/callers.ts';

let stack: EnrollmentStack;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
});
afterAll(async () => {
  await stack?.close();
});

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
    const code = await stack.codeTo('ada.lovelace@xn--exmple-cua.test');
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
      async (tx) =>
        await tx`
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

  test('finds his enrollment again after the app was restarted, with the same key', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'email');
    const again = await enrollee.phone.get(enrollee.path);
    expect(again).toMatchObject({ status: 200, body: { state: 'email' } });
  });

  test('may correct his e-mail address until its code was right', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'email');
    const { phone, path } = enrollee;
    await phone.post(`${path}/email`, { email: 'wrong@example.test' });
    const old = await stack.codeTo('wrong@example.test');
    stack.api.clock.advance(31_000);
    await phone.post(`${path}/email`, { email: 'right@example.test' });
    const code = await stack.codeTo('right@example.test');
    expect(await phone.post(`${path}/email-code`, { code: old })).toMatchObject({
      body: { code: 'wrong_code' },
    });
    expect(await phone.post(`${path}/email-code`, { code })).toMatchObject({
      body: { state: 'passkey' },
    });
  });

  test('gives up: everything he handed in is erased', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'email');
    const { phone, path } = enrollee;
    expect(await phone.post(`${path}/cancel`, {})).toMatchObject({
      status: 200,
      body: { state: 'ended', outcome: 'cancelled', reason: 'cancelled_by_customer' },
    });
    expect(await tracesOf(stack.api, enrollee)).toEqual(ERASED);
    expect(await phone.post(`${path}/email`, { email: 'a@example.test' })).toMatchObject({
      status: 409,
      body: { code: 'ceremony_ended', state: 'ended', outcome: 'cancelled' },
    });
    await expect.poll(() => hasClosed(stack.api, enrollee), { timeout: 20_000 }).toBe(true);
  });
});

describe('somebody who is known', () => {
  test('gets the same answer and the same message as anybody, until his code was right', async () => {
    const known = await stack.begin();
    await stack.enroll(known);
    const phones = [await createPhone(stack.api), await createPhone(stack.api)] as const;
    const numbers = [known.number, randomPhone()] as const;
    const views = [];
    for (const [index, phone] of phones.entries()) {
      const start = await phone.post('/auth/enrollments', {
        clientId: 'demo-app',
        phone: numbers[index],
      });
      const path = `/auth/enrollments/${String(start.body.enrollmentId)}`;
      const view = await stack.until({ phone, path }, 'phone');
      views.push({ start, view });
    }
    const [first, second] = views;
    const shape = (answer: { status: number; body: unknown }) => ({
      status: answer.status,
      body: JSON.stringify(answer.body).replaceAll(/cer_[0-9a-f]+|\d{4}-\d\d-[^"]+|••• \d+/g, ''),
    });
    if (first === undefined || second === undefined) throw new Error('two views');
    expect(shape(first.start)).toEqual(shape(second.start));
    expect(shape(first.view)).toEqual(shape(second.view));
    // A notice of the first enrollment may come later than the code.
    const textTo = (number: string) =>
      stack.messages
        .findLast(({ to, text }) => to === number && text.includes('is your code'))
        ?.text.replace(/\d{6}/, '');
    await stack.codeTo(numbers[0], 1);
    await stack.codeTo(numbers[1]);
    expect(textTo(numbers[0])).toBe(textTo(numbers[1]));

    const path = `/auth/enrollments/${String(first.view.body.enrollmentId)}`;
    const code = await stack.codeTo(known.number, 1);
    const end = await phones[0].post(`${path}/phone-code`, { code });
    expect(end).toMatchObject({
      status: 200,
      body: { outcome: 'denied', reason: 'customer_exists', nextSteps: ['login', 'recovery'] },
    });
    expect(end.body.customerId).toBeUndefined();
  });

  test('is not enrolled twice under two numbers: his document tells', async () => {
    const first = await stack.begin();
    await stack.enroll(first, 'DOC-4711');
    const second = await stack.begin();
    await stack.provePhone(second);
    const since = stack.checks.length;
    await stack.handInIdentity(second, 'doc 4711');
    await stack.decide(await stack.checkOf(second, since), 'verified');
    expect(await stack.until(second, 'ended')).toMatchObject({
      body: { outcome: 'denied', reason: 'person_exists', nextSteps: ['recovery'] },
    });
    expect(await tracesOf(stack.api, second)).toEqual(ERASED);
  });

  test('learns that his address is taken only after he has proved it, and gives another', async () => {
    const first = await stack.begin();
    await stack.to(first, 'email');
    await stack.proveEmail(first, 'shared@example.test');
    await stack.bind(first);
    const second = await stack.begin();
    await stack.to(second, 'email');
    expect(await stack.proveEmail(second, 'shared@example.test')).toMatchObject({
      status: 409,
      body: { code: 'email_in_use', state: 'email' },
    });
    stack.api.clock.advance(31_000);
    expect(await stack.proveEmail(second)).toMatchObject({ body: { state: 'passkey' } });
  });

  test('cannot enroll again with the key of a device he has', async () => {
    const enrollee = await stack.begin();
    await stack.enroll(enrollee);
    expect(
      await enrollee.phone.post('/auth/enrollments', {
        clientId: 'demo-app',
        phone: randomPhone(),
      }),
    ).toMatchObject({ status: 409, body: { code: 'device_key_exists' } });
  });
});

describe('the identity vendor', () => {
  test('refuses: the enrollment ends, and what was handed in is erased', async () => {
    const enrollee = await stack.begin();
    await stack.provePhone(enrollee);
    const since = stack.checks.length;
    await stack.handInIdentity(enrollee);
    const check = await stack.checkOf(enrollee, since);
    await stack.decide(check, 'refused');
    expect(await stack.until(enrollee, 'ended')).toMatchObject({
      body: { outcome: 'denied', reason: 'identity_refused', nextSteps: ['contact_bank'] },
    });
    expect(await tracesOf(stack.api, enrollee)).toEqual(ERASED);
    // A verdict that comes late, or again, or changes its mind.
    expect(await stack.decide(check, 'verified')).toMatchObject({ status: 202 });
    expect((await enrollee.phone.get(enrollee.path)).body.reason).toBe('identity_refused');
  });

  test('is asked again until it answers, and the customer goes on', async () => {
    stack.isVendorDown = true;
    const enrollee = await stack.begin();
    await stack.provePhone(enrollee);
    const since = stack.checks.length;
    expect(await stack.handInIdentity(enrollee)).toMatchObject({
      body: { state: 'identity_check' },
    });
    stack.isVendorDown = false;
    await stack.decide(await stack.checkOf(enrollee, since), 'verified');
    expect(await stack.until(enrollee, 'email')).toMatchObject({ status: 200 });
  });
});
