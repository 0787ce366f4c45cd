import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { createRiskEngine } from '../../../adapters/risk/engine.ts';
import { createHttpRiskEngine } from '../../../adapters/risk/signed-http.ts';
import { createSignatureVerifier, SIGNATURE_HEADER } from '../../../adapters/signed-http.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const secret = 'a secret of the test';
const subject = { customerId: 'cus_1', action: 'log_in', deviceId: 'dev_1' };

let vendor: HttpVendor;
beforeAll(async () => {
  vendor = await startHttpVendor();
});
afterAll(() => vendor.stop());

const engine = (timeoutMs?: number) =>
  createHttpRiskEngine({
    url: `${vendor.url}/v1/`,
    secret,
    clock: systemClock,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
const answers = (content: unknown) => () => ({ status: 200, body: JSON.stringify(content) });

describe('the risk adapter', () => {
  it('asks with ids alone, signed, and answers what the engine says', async () => {
    vendor.answer = answers({ risk: 'high' });
    await expect(engine().evaluate(subject)).resolves.toBe('high');
    const request = vendor.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: '/v1/evaluations' });
    expect(JSON.parse(request?.body ?? '')).toStrictEqual(subject);
    const verifier = createSignatureVerifier({ secret, clock: systemClock });
    expect(verifier.isSigned(String(request?.headers[SIGNATURE_HEADER]), request?.body ?? '')).toBe(
      true,
    );
  });

  it('leaves a device out that nobody knows', async () => {
    vendor.answer = answers({ risk: 'low' });
    await expect(engine().evaluate({ ...subject, deviceId: undefined })).resolves.toBe('low');
    expect(vendor.requests.at(-1)?.body).not.toContain('deviceId');
  });

  it.each([[{}], [{ risk: 'none' }], [{ risk: 1 }], ['low'], [null]])(
    'makes no risk of the answer %j',
    async (content) => {
      vendor.answer = answers(content);
      await expect(engine().evaluate(subject)).rejects.toMatchObject({ code: 'vendor_refused' });
    },
  );

  it.each([
    ['is down', () => ({ status: 503 })],
    ['says nothing', () => 'silent' as const],
  ])('says that an engine has not answered that %s', async (_how, answer) => {
    vendor.answer = answer;
    await expect(engine(50).evaluate(subject)).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
  });
});

describe('the engine of a process', () => {
  it('is the one that is configured, else the one without an opinion', async () => {
    vendor.answer = answers({ risk: 'medium' });
    const clock = systemClock;
    await expect(createRiskEngine(undefined, { clock }).evaluate(subject)).resolves.toBe(
      'not_evaluated',
    );
    await expect(
      createRiskEngine({ url: vendor.url, secret }, { clock }).evaluate(subject),
    ).resolves.toBe('medium');
  });
});
