/** What an approval is refused for: every guard before both signatures, and who may approve at all. Nothing of it is kept. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import type { Answer } from '../setup/callers.ts';
import { createPhone } from '../setup/callers.ts';
import { addDevice, logIn, loginBody } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { approvalBody, openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';
import type { SpoiltApproval } from '../setup/beds/step-up-stack.ts';

let stack: StepUpStack;
let issuer: string;
beforeAll(async () => {
  stack = await StepUpStack.start();
  ({ issuer } = await stack.api.tenant());
});
afterAll(async () => {
  await stack?.close();
});

describe('an approval is refused, and nothing of it is kept, when', () => {
  const passkeyGuards: readonly (readonly [string, string, SpoiltApproval])[] = [
    [
      'the passkey answered for another origin',
      'origin_mismatch',
      { origin: 'https://evil.example' },
    ],
    ['it was used in a frame', 'origin_mismatch', { clientData: { crossOrigin: true } }],
    [
      'it was used below another page',
      'origin_mismatch',
      { clientData: { topOrigin: 'https://a.example' } },
    ],
    ['it answered for another relying party', 'relying_party_mismatch', { rpId: 'evil.example' }],
    ['its user was not verified', 'user_verification_missing', { userVerified: false }],
    ['its user was not present', 'user_verification_missing', { userPresent: false }],
    ['it was registered, not used', 'credential_invalid', { type: 'webauthn.create' }],
    ['another key signed', 'credential_invalid', { wrongKey: true }],
    [
      'it names another user',
      'credential_invalid',
      { userHandle: Buffer.from('cus_x').toString('base64url') },
    ],
    [
      'it is over another challenge',
      'challenge_invalid',
      { challenge: Buffer.alloc(32, 7).toString('base64url') },
    ],
  ];
  const keyGuards: readonly (readonly [string, NonNullable<SpoiltApproval['approval']>])[] = [
    ['the approval key’s proof has another type', { typ: 'latchkey-approval-key+jwt' }],
    [
      'it is over another challenge',
      { payload: { challenge: Buffer.alloc(32, 7).toString('base64url') } },
    ],
    ['it is for another step-up', { payload: { stepUpId: newId('ceremony') } }],
    ['it is for another bank', { payload: { iss: 'https://other.example/t/demo' } }],
    ['it signs something more along', { payload: { also: 'this' } }],
    ['it is spelt in another way', { text: (signature) => `${signature}=` }],
    ['its signature was changed', { text: (signature) => `${signature.slice(0, -2)}AA` }],
  ];
  let banker: Banker;
  let opened: Answer;
  beforeAll(async () => {
    banker = await stack.loggedIn();
    opened = await openIt(banker.phone, await stack.ask(banker));
  });
  const untouched = async () => {
    const stepUpId = String(opened.body.stepUpId);
    const rows = await stack.api.inTenant(
      (tx) => tx`select 1 from step_submission where ceremony_id = ${stepUpId}`,
    );
    expect([await stack.stateOf(stepUpId), rows.length]).toEqual(['open', 0]);
  };

  test.each(passkeyGuards)('%s: %s', async (_what, code, spoil) => {
    expect((await stack.approve(banker, opened, { spoil })).body).toMatchObject({ code });
    await untouched();
  });

  test.each(keyGuards)('%s', async (_what, approval) => {
    expect(await stack.approve(banker, opened, { spoil: { approval } })).toMatchObject({
      status: 422,
      body: { code: 'approval_invalid' },
    });
    await untouched();
  });

  test('the session key signed in the place of the approval key', async () => {
    const spoil = { approval: { key: banker.phone.key } };
    expect((await stack.approve(banker, opened, { spoil })).body).toMatchObject({
      code: 'approval_invalid',
      detail: 'signature',
    });
    await untouched();
  });

  test('the approval key is that of another of his devices', async () => {
    const other = await addDevice(stack.api, banker);
    const spoil = { approval: { key: other.phone.approvalKey } };
    expect((await stack.approve(banker, opened, { spoil })).body).toMatchObject({
      code: 'approval_invalid',
      detail: 'signature',
    });
    await untouched();
  });

  test('its passkey is another customer’s, or nobody’s any more', async () => {
    const { authenticator } = await stack.loggedIn();
    const stolen = { authenticator, phone: banker.phone };
    expect(await stack.approve(stolen, opened)).toMatchObject({
      status: 401,
      body: { code: 'credential_unknown' },
    });
    const further = await addDevice(stack.api, banker);
    await stack.api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${further.credentialId}`,
    );
    const removed = { authenticator: further.authenticator, phone: banker.phone };
    expect((await stack.approve(removed, opened)).body).toMatchObject({
      code: 'credential_unknown',
    });
    await untouched();
  });

  test('its assertion was made for a login', async () => {
    const { accessToken } = banker.phone;
    banker.phone.accessToken = undefined;
    const { credential } = await loginBody(banker, banker.phone);
    banker.phone.accessToken = accessToken;
    const { approvalSignature } = await approvalBody(banker, banker.phone, { opened, issuer });
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/approve`;
    expect(
      await banker.phone.post(path, { assertion: credential, approvalSignature }),
    ).toMatchObject({ status: 400, body: { code: 'challenge_invalid' } });
    await untouched();
  });
});

describe('who may approve', () => {
  test('is the customer alone: to another, and to the key of a login, it does not exist', async () => {
    const banker = await stack.loggedIn();
    const stranger = await stack.loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    const stepUpId = String(opened.body.stepUpId);
    const absent = { status: 404, body: { code: 'step_up_not_found' } };
    expect(await stranger.phone.get(`/auth/step-ups/${stepUpId}`)).toMatchObject(absent);
    expect(await openIt(stranger.phone, stepUpId)).toMatchObject(absent);
    expect(await stack.approve(stranger, opened)).toMatchObject(absent);
    expect(
      await stranger.phone.post(`/auth/step-ups/${stepUpId}/deny`, { reason: 'declined' }),
    ).toMatchObject(absent);
    expect((await stranger.phone.get('/auth/step-ups')).body.stepUps).toEqual([]);
    const key = await createPhone(stack.api);
    expect(await key.get(`/auth/login-step-ups/${stepUpId}`)).toMatchObject(absent);
  });

  test('is no session that may only read: it is told to log in on a trusted device', async () => {
    const banker = await stack.loggedIn();
    const stepUpId = await stack.ask(banker);
    const thief = { authenticator: banker.authenticator, phone: await createPhone(stack.api) };
    await logIn(banker, thief.phone);
    const opened = await openIt(banker.phone, stepUpId);
    const refused = {
      status: 401,
      body: { code: 'insufficient_user_authentication', acr_values: 'latchkey:2' },
    };
    expect(await openIt(thief.phone, stepUpId)).toMatchObject(refused);
    expect(await stack.approve(thief, opened)).toMatchObject(refused);
    // What it sees names nobody.
    const { stepUps } = (await thief.phone.get('/auth/step-ups')).body;
    expect(stepUps).toMatchObject([{ stepUpId, display: null }]);
    expect(JSON.stringify(stepUps)).not.toContain('Mere');
  });

  test('is no phone that was reported lost', async () => {
    const banker = await stack.loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    await stack.restrict(banker);
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect(await openIt(banker.phone, String(opened.body.stepUpId))).toMatchObject(refused);
    expect(await stack.approve(banker, opened)).toMatchObject(refused);
  });

  test('is the device that the requester named, when it named one', async () => {
    const banker = await stack.loggedIn();
    const other = await addDevice(stack.api, banker);
    await logIn(other, other.phone);
    const stepUpId = await stack.ask(banker, { deviceId: banker.deviceId });
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect(await openIt(other.phone, stepUpId)).toMatchObject(refused);
    const opened = await openIt(banker.phone, stepUpId);
    expect(await stack.approve(other, opened)).toMatchObject(refused);
    expect((await stack.approve(banker, opened)).body).toMatchObject({ status: 'approved' });
  });

  test('is the device that it was opened on last', async () => {
    const banker = await stack.loggedIn();
    const other = await addDevice(stack.api, banker);
    await logIn(other, other.phone);
    const opened = await openIt(banker.phone, await stack.ask(banker));
    expect(await stack.approve(other, opened)).toMatchObject({
      body: { code: 'challenge_invalid' },
    });
    const there = await openIt(other.phone, String(opened.body.stepUpId));
    expect(await stack.approve(banker, opened)).toMatchObject({
      body: { code: 'challenge_invalid' },
    });
    expect((await stack.approve(other, there)).body).toMatchObject({ status: 'approved' });
  });
});
