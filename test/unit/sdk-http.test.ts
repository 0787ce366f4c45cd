import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { deviceKey, proveApprovalKey } from '../../sdk/keys.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { memoryStore } from '../setup/memory-store.ts';
import { json, phone, problem } from './sdk-fakes.ts';

const VIEW = { enrollmentId: 'cer_1', state: 'phone', locale: 'en' };

describe('device keys', () => {
  it('are P-256 and cannot be exported', async () => {
    const key = await deviceKey(memoryStore(), 'session-key');
    expect(key.privateKey.extractable).toBe(false);
    expect(key.privateKey.algorithm).toMatchObject({ name: 'ECDSA', namedCurve: 'P-256' });
    await expect(crypto.subtle.exportKey('jwk', key.privateKey)).rejects.toMatchObject({
      name: 'InvalidAccessError',
    });
    expect(Object.keys(key.jwk).toSorted()).toStrictEqual(['crv', 'kty', 'x', 'y']);
    expect(key.level).toBe('software');
  });

  it('are made once, also by two tabs that ask at once, and differ by use', async () => {
    const store = memoryStore();
    const [first, second] = await Promise.all([
      deviceKey(store, 'session-key'),
      deviceKey(store, 'session-key'),
    ]);
    const approval = await deviceKey(store, 'approval-key');
    expect(second.jkt).toBe(first.jkt);
    expect(approval.jkt).not.toBe(first.jkt);
  });

  it('prove the approval key over the challenge and the session key', async () => {
    const key = await deviceKey(memoryStore(), 'approval-key');
    const { jwk, proof } = await proveApprovalKey(key, { challenge: 'c', sessionJkt: 'jkt' });
    const { payload } = await jwtVerify(proof, await importJWK({ ...jwk }, 'ES256'), {
      typ: 'latchkey-approval-key+jwt',
    });
    expect(payload).toStrictEqual({ challenge: 'c', sessionJkt: 'jkt' });
  });
});

describe('a DPoP proof', () => {
  it('is signed by the session key over method and address without query', async () => {
    const { latchkey, seen } = phone(() => json(200, VIEW));
    await latchkey.enrollment.view('cer_1');
    const header = decodeProtectedHeader(seen[0]?.headers['dpop'] ?? '');
    const { jwk } = await latchkey.sessionKey();
    expect(header).toMatchObject({ alg: 'ES256', typ: 'dpop+jwt', jwk });
    expect(seen[0]?.proof).toMatchObject({
      htm: 'GET',
      htu: 'https://login.example/t/demo/auth/enrollments/cer_1',
      iat: 1_800_000_000,
    });
  });

  it.each([
    [401, { code: 'dpop_nonce_required' }],
    [400, { error: 'use_dpop_nonce' }],
  ])('takes the nonce of a refusal (%i) and is sent once more', async (status, body) => {
    let isFirst = true;
    const { latchkey, seen } = phone(() => {
      if (!isFirst) return json(200, VIEW);
      isFirst = false;
      return json(status, body, { 'dpop-nonce': 'n1' });
    });
    await latchkey.enrollment.view('cer_1');
    expect(seen.map(({ proof }) => proof['nonce'])).toStrictEqual([undefined, 'n1']);
    expect(seen[0]?.proof['jti']).not.toBe(seen[1]?.proof['jti']);
  });

  it('is not repeated a second time: a server that never likes the nonce is told so', async () => {
    const { latchkey, seen } = phone(() =>
      problem(401, 'dpop_nonce_required', { 'dpop-nonce': 'n' }),
    );
    await expect(latchkey.enrollment.view('cer_1')).rejects.toMatchObject({
      code: 'dpop_nonce_required',
    });
    expect(seen).toHaveLength(2);
  });

  it('uses the nonce of the last answer', async () => {
    let answers = 0;
    const { latchkey, seen } = phone(() => {
      answers += 1;
      return json(200, VIEW, { 'dpop-nonce': `n${String(answers)}` });
    });
    await latchkey.enrollment.view('cer_1');
    await latchkey.enrollment.view('cer_1');
    await latchkey.enrollment.view('cer_1');
    expect(seen.map(({ proof }) => proof['nonce'])).toStrictEqual([undefined, 'n1', 'n2']);
  });

  it('is dated by the server when the clock of the phone is wrong', async () => {
    const serverNow = new Date(1_800_000_600_000).toUTCString();
    const { latchkey, seen } = phone(() => json(200, VIEW, { date: serverNow }));
    await latchkey.enrollment.view('cer_1');
    await latchkey.enrollment.view('cer_1');
    expect(seen[1]?.proof['iat']).toBe(1_800_000_600);
  });
});

describe('the key of an operation', () => {
  it('stays the same over the retries of a lost answer', async () => {
    let losses = 2;
    const { latchkey, seen, pauses } = phone(() => {
      losses -= 1;
      return losses >= 0 ? undefined : json(200, VIEW);
    });
    await latchkey.enrollment.submitPhoneCode('cer_1', '123456');
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(seen).toHaveLength(3);
    expect(pauses).toStrictEqual([400, 800]);
  });

  it('waits as long as the server asks before it tries an unknown outcome again', async () => {
    let isPending = true;
    const { latchkey, pauses } = phone(() => {
      if (!isPending) return json(200, VIEW);
      isPending = false;
      return problem(503, 'outcome_pending', { 'retry-after': '2' });
    });
    await latchkey.enrollment.submitPhoneCode('cer_1', '123456');
    expect(pauses).toStrictEqual([2_000]);
  });

  it('outlives a failure that the customer answers by trying again', async () => {
    let isDown = true;
    const { latchkey, seen } = phone(() =>
      isDown ? problem(503, 'temporal_unavailable') : json(200, VIEW),
    );
    await expect(latchkey.enrollment.submitPhoneCode('cer_1', '123456')).rejects.toMatchObject({
      status: 503,
    });
    isDown = false;
    await latchkey.enrollment.submitPhoneCode('cer_1', '123456');
    expect(seen[0]?.headers['idempotency-key']).toBe(seen[1]?.headers['idempotency-key']);
  });

  it('is new after a decision: the same wrong code twice is two attempts', async () => {
    const { latchkey, seen } = phone(() => problem(422, 'wrong_code'));
    await expect(latchkey.enrollment.submitPhoneCode('cer_1', '000000')).rejects.toMatchObject({
      status: 422,
    });
    await expect(latchkey.enrollment.submitPhoneCode('cer_1', '000000')).rejects.toMatchObject({
      status: 422,
    });
    expect(seen[0]?.headers['idempotency-key']).not.toBe(seen[1]?.headers['idempotency-key']);
  });
});

describe('a refusal', () => {
  it('arrives with its code, its status and its further members', async () => {
    const { latchkey } = phone(() =>
      json(
        422,
        { code: 'wrong_code', title: 'No.', attemptsLeft: 3 },
        { 'latchkey-request-id': 'req_1' },
      ),
    );
    const refused = await latchkey.enrollment
      .submitPhoneCode('cer_1', '1')
      .catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(LatchkeyProblem);
    expect(refused).toMatchObject({
      code: 'wrong_code',
      status: 422,
      requestId: 'req_1',
      extra: { attemptsLeft: 3 },
    });
  });

  it('that is no problem document keeps its status', async () => {
    const { latchkey } = phone(() => new Response('<html>', { status: 502 }));
    await expect(latchkey.enrollment.view('cer_1')).rejects.toMatchObject({
      code: 'answer_unreadable',
      status: 502,
    });
  });

  it('is told to the observer even when a retry mends it', async () => {
    const told: string[] = [];
    let isFirst = true;
    const { latchkey } = phone(
      () => {
        if (!isFirst) return json(200, VIEW);
        isFirst = false;
        return problem(503, 'outcome_pending');
      },
      { onProblem: (operation, { code }) => told.push(`${operation} ${code}`) },
    );
    await latchkey.enrollment.view('cer_1');
    expect(told).toStrictEqual(['getEnrollment outcome_pending']);
  });
});
