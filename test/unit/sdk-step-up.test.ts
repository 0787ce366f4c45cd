/** Step-ups in the SDK: what is shown is what is signed, one prompt for one action however often the line breaks, and refusals that ask for one. */
import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { deviceKey } from '../../sdk/keys.ts';
import type { OpenedStepUp } from '../../sdk/types.ts';
import type { WebAuthn } from '../../sdk/webauthn.ts';
import { memoryStore } from '../setup/memory-store.ts';
import { ISSUER, json, phone, problem, tokenAnswer } from './sdk-fakes.ts';
import type { Answerer } from './sdk-fakes.ts';

const CONTEXT = { onCall: false, screenShared: false, accessibilityService: false };
const WISH = { locale: 'en', context: CONTEXT };
const TEXT = 'Pay 400.00 NZD to Mere Roofing\nAmount: 400.00 NZD\nTo: Mere Roofing';

const AMOUNT = { label: 'Amount', value: '400.00 NZD' };
const TO = { label: 'To', value: 'Mere Roofing' };

function withFields(...fields: (typeof AMOUNT)[]): OpenedStepUp {
  return opened({ display: { ...opened().display, fields } });
}

function opened(change: Partial<OpenedStepUp> = {}, signed: object = {}): OpenedStepUp {
  const display = {
    locale: 'en',
    template: 'payment',
    version: 1,
    text: TEXT,
    fields: [AMOUNT, TO],
  };
  const preimage = JSON.stringify({
    action: { type: 'payment' },
    display: { locale: 'en', template: 'payment', text: TEXT, version: 1 },
    requester: { id: 'demo-payments', kind: 'client', name: 'Demo Bank payments' },
    rpId: 'localhost',
    stepUpId: 'cer_1',
    ...signed,
  });
  const challenge = createHash('sha256')
    .update(`latchkey/step-up/1\0${preimage}`)
    .digest('base64url');
  return {
    stepUpId: 'cer_1',
    status: 'pending',
    type: 'payment',
    requester: { kind: 'client', name: 'Demo Bank payments' },
    required: 'latchkey:3',
    display,
    createdAt: '2027-01-15T08:00:00.000Z',
    approveBy: '2027-01-15T08:05:00.000Z',
    approvedAt: null,
    preimage,
    challenge,
    rpId: 'localhost',
    allowCredentials: [{ id: 'Y3JlZA', type: 'public-key', transports: ['internal'] }],
    delaySeconds: 0,
    ...change,
  };
}

/** Logged in, with a passkey that counts how often it is asked. */
async function customer(answer: Answerer) {
  let prompts = 0;
  const get: WebAuthn['get'] = ({ challenge }) => {
    prompts += 1;
    // The answer of the platform: only its bytes travel, and nobody here reads them.
    return Promise.resolve({ id: 'Y3JlZA', challenge } as unknown as Awaited<
      ReturnType<WebAuthn['get']>
    >);
  };
  const create: WebAuthn['create'] = () => Promise.reject(new TypeError('not asked for'));
  const store = memoryStore();
  const made = phone(
    (request) => (request.path === '/oauth/token' ? tokenAnswer(1) : answer(request)),
    { store, webauthn: { get, create } },
  );
  store.records.set('session', { sessionId: 'ses_1', refreshToken: 'refresh-0' });
  await made.latchkey.session.restore();
  return { ...made, store, prompts: () => prompts };
}

describe('opening a step-up', () => {
  it('answers what will be signed when text, parts and challenge agree', async () => {
    const { latchkey, seen } = await customer(() => json(200, opened()));
    await expect(latchkey.stepUps.open('cer_1', WISH)).resolves.toStrictEqual(opened());
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toStrictEqual(WISH);
  });

  const forged: readonly (readonly [string, OpenedStepUp])[] = [
    ['another challenge', opened({ challenge: 'A'.repeat(43) })],
    ['another text', opened({ display: { ...opened().display, text: 'Pay 4.00 NZD' } })],
    ['another text signed', opened({}, { display: { text: 'Pay 40000.00 NZD to a thief' } })],
    ['another step-up signed', opened({}, { stepUpId: 'cer_2' })],
    ['another bank signed', opened({}, { rpId: 'evil.example' })],
    [
      'a part that stands nowhere in the text',
      opened({ display: { ...opened().display, fields: [{ label: 'To', value: 'Aroha' }] } }),
    ],
    ['a part cut short', withFields({ label: 'Amount', value: '400.00' }, TO)],
    ['a part left out', withFields(AMOUNT)],
    ['no parts', withFields()],
    ['labels exchanged', withFields({ ...AMOUNT, label: 'To' }, { ...TO, label: 'Amount' })],
    ['parts in another order', withFields(TO, AMOUNT)],
    ['another asking', opened({ requester: { kind: 'client', name: 'Your bank' } })],
    [
      'a service that says it is staff',
      opened({ requester: { kind: 'staff', name: 'Demo Bank payments' } }),
    ],
    ['another type of action', opened({ type: 'verified_call' })],
  ];
  it.each(forged)('shows nothing of %s', async (_name, answer) => {
    const { latchkey } = await customer(() => json(200, answer));
    await expect(latchkey.stepUps.open('cer_1', WISH)).rejects.toMatchObject({
      code: 'text_mismatch',
    });
  });
});

describe('approving a step-up', () => {
  it('signs with both keys over the challenge, the approval key in canonical form', async () => {
    const { latchkey, seen, store } = await customer(() => json(200, { status: 'approved' }));
    await latchkey.stepUps.approve(opened());
    const { assertion, approvalSignature } = JSON.parse(seen.at(-1)?.body ?? '');
    expect(assertion).toStrictEqual({ id: 'Y3JlZA', challenge: opened().challenge });
    const { jwk } = await deviceKey(store, 'approval-key');
    const { payload, protectedHeader } = await compactVerify(
      approvalSignature,
      await importJWK({ ...jwk }, 'ES256'),
    );
    expect(protectedHeader).toStrictEqual({ alg: 'ES256', typ: 'latchkey-approval+jwt' });
    expect(new TextDecoder().decode(payload)).toBe(
      `{"challenge":"${opened().challenge}","iss":"${ISSUER}","stepUpId":"cer_1"}`,
    );
  });

  it('repeats an approval whose answer was lost as it was: same key, same signatures, no second prompt', async () => {
    const answers = [undefined, undefined, undefined, undefined, json(200, { status: 'approved' })];
    const { latchkey, seen, prompts } = await customer(() => answers.shift());
    await expect(latchkey.stepUps.approve(opened())).rejects.toMatchObject({
      code: 'network_lost',
    });
    await expect(latchkey.stepUps.approve(opened())).resolves.toStrictEqual({ status: 'approved' });
    const sent = seen.filter(({ path }) => path.endsWith('/approve'));
    expect(sent).toHaveLength(5);
    expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
    expect(prompts()).toBe(1);
  });

  it('asks anew after a refusal, and for what was opened anew', async () => {
    const { latchkey, prompts } = await customer(() => problem(409, 'step_up_ended'));
    await expect(latchkey.stepUps.approve(opened())).rejects.toMatchObject({ status: 409 });
    await expect(latchkey.stepUps.approve(opened())).rejects.toMatchObject({ status: 409 });
    expect(prompts()).toBe(2);
    const lost = await customer(() => undefined);
    await lost.latchkey.stepUps.approve(opened()).catch(() => undefined);
    await lost.latchkey.stepUps.approve(opened({}, { nonce: '2' })).catch(() => undefined);
    expect(lost.prompts()).toBe(2);
  });
});

describe('the other answers', () => {
  it('go where the contract says', async () => {
    const { latchkey, seen } = await customer(({ path }) =>
      json(200, path === '/auth/step-ups' ? { stepUps: [] } : {}),
    );
    const { stepUps } = latchkey;
    await stepUps.list();
    await stepUps.view('cer_1');
    await stepUps.submitCode('cer_1', '123456');
    await stepUps.resendCode('cer_1');
    await stepUps.deny('cer_1', 'not_me');
    await stepUps.receipt('cer_1');
    expect(seen.slice(1).map(({ method, path, body }) => [method, path, body])).toStrictEqual([
      ['GET', '/auth/step-ups', ''],
      ['GET', '/auth/step-ups/cer_1', ''],
      ['POST', '/auth/step-ups/cer_1/code', '{"code":"123456"}'],
      ['POST', '/auth/step-ups/cer_1/resend-code', '{}'],
      ['POST', '/auth/step-ups/cer_1/deny', '{"reason":"not_me"}'],
      ['GET', '/auth/step-ups/cer_1/receipt', ''],
    ]);
  });
});

describe('a service that wants more than a login', () => {
  const WANTS = {
    code: 'insufficient_user_authentication',
    title: 'More is needed.',
    stepUpId: 'cer_1',
    acrValues: 'latchkey:3 latchkey:4',
  };

  it('is answered in flow: the customer approves, and the very same request goes again', async () => {
    const answers = [json(401, WANTS), json(200, { status: 'paid' })];
    const { latchkey, seen } = await customer(() => answers.shift());
    const asked: unknown[] = [];
    const body = { paymentId: 'p1', amount: '400.00' };
    const paid = latchkey.callService(
      'pay',
      'https://bank.example/pay',
      body,
      async (challenge) => {
        asked.push(challenge);
      },
    );
    await expect(paid).resolves.toStrictEqual({ status: 'paid' });
    expect(asked).toStrictEqual([{ stepUpId: 'cer_1', acrValues: ['latchkey:3', 'latchkey:4'] }]);
    const sent = seen.slice(1);
    expect(sent.map((request) => request.body)).toStrictEqual([
      JSON.stringify(body),
      JSON.stringify(body),
    ]);
    expect(sent[0]?.headers['dpop']).not.toBe(sent[1]?.headers['dpop']);
  });

  it('is told to the caller when the customer refuses, and when no step-up is named', async () => {
    const { latchkey } = await customer(() => json(401, WANTS));
    await expect(
      latchkey.callService('pay', 'https://bank.example/pay', {}, () =>
        Promise.reject(new Error('declined')),
      ),
    ).rejects.toThrow('declined');
    const plain = await customer(() => problem(401, 'insufficient_user_authentication'));
    await expect(
      plain.latchkey.callService('pay', 'https://bank.example/pay', {}, () => Promise.resolve()),
    ).rejects.toMatchObject({ code: 'insufficient_user_authentication' });
  });
});

describe('the stream', () => {
  it('tells each standing, comes back when it breaks, and ends with the session', async () => {
    const frames = [
      'event: step_up\ndata: {"stepUpId":"cer_1","status":"pending"}\n\nevent: beat\ndata: {}\n\n',
      'event: step_up\ndata: {"stepUpId":"cer_1","status":"approved"}\n\n',
    ];
    const { latchkey, seen } = await customer(({ path }) => {
      if (path !== '/auth/stream') return undefined;
      const frame = frames.shift();
      return frame === undefined ? problem(401, 'session_ended') : new Response(frame);
    });
    const heard: unknown[] = [];
    await latchkey.followStepUps((standing) => heard.push(standing), new AbortController().signal);
    expect(heard).toStrictEqual([
      { stepUpId: 'cer_1', status: 'pending' },
      { stepUpId: 'cer_1', status: 'approved' },
    ]);
    expect(latchkey.session.state()).toStrictEqual({ status: 'ended', code: 'session_ended' });
    expect(seen.filter(({ path }) => path === '/auth/stream')).toHaveLength(3);
  });
});

describe('a login that needs more', () => {
  it('names the step-up, takes the code and ends in a session', async () => {
    const { latchkey, seen } = await customer(({ path }) => {
      if (path.endsWith('/finish')) return tokenAnswer(2);
      return json(200, { stepUpId: 'cer_9', status: 'approved' });
    });
    await latchkey.loginStepUps.view('cer_9');
    await latchkey.loginStepUps.resendCode('cer_9');
    await latchkey.loginStepUps.submitCode('cer_9', '123456');
    await expect(latchkey.loginStepUps.finish('cer_9')).resolves.toMatchObject({
      status: 'active',
    });
    expect(seen.slice(1).map(({ path }) => path)).toStrictEqual([
      '/auth/login-step-ups/cer_9',
      '/auth/login-step-ups/cer_9/resend-code',
      '/auth/login-step-ups/cer_9/code',
      '/auth/login-step-ups/cer_9/finish',
    ]);
    expect(seen.at(-1)?.headers['authorization']).toBeUndefined();
  });
});
