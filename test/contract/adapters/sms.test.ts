import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { createSignatureVerifier, SIGNATURE_HEADER } from '../../../adapters/signed-http.ts';
import { createHttpSmsSender } from '../../../adapters/sms/signed-http.ts';
import { startInbox } from '../../../runtime/inbox.ts';
import type { Inbox } from '../../../runtime/inbox.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const secret = 'a secret of the test';
const message = { to: '+4915112345678', text: 'Código: 123456', reference: 'out_1' };

describe('the SMS adapter and the inbox', () => {
  let inbox: Inbox;
  beforeAll(async () => {
    inbox = await startInbox({ port: 0, smtpPort: 0, smsSecret: secret, clock: systemClock });
  });
  afterAll(() => inbox.stop());
  beforeEach(() => {
    inbox.clear();
  });
  const sender = (secretUsed = secret) =>
    createHttpSmsSender({ url: inbox.smsUrl, secret: secretUsed, clock: systemClock });

  it('delivers a message with its reference', async () => {
    await sender().send(message);
    expect(inbox.messages()).toMatchObject([{ channel: 'sms', ...message }]);
  });

  it('delivers a repeated reference once', async () => {
    await sender().send(message);
    await sender().send(message);
    expect(inbox.messages()).toHaveLength(1);
  });

  it('is refused for good when a reference comes back with another text', async () => {
    await sender().send(message);
    await expect(sender().send({ ...message, text: 'other' })).rejects.toMatchObject({
      code: 'vendor_refused',
    });
    expect(inbox.messages()).toHaveLength(1);
  });

  it('is refused for good when the secret differs', async () => {
    await expect(sender('another').send(message)).rejects.toMatchObject({ code: 'vendor_refused' });
    expect(inbox.messages()).toHaveLength(0);
  });
});

describe('the SMS adapter and a supplier in trouble', () => {
  let vendor: HttpVendor;
  beforeAll(async () => {
    vendor = await startHttpVendor();
  });
  afterAll(() => vendor.stop());
  const send = (timeoutMs = 5000) =>
    createHttpSmsSender({ url: `${vendor.url}/sms`, secret, clock: systemClock, timeoutMs }).send(
      message,
    );

  it('posts exactly recipient, text and reference, under a signature of the body as sent', async () => {
    vendor.answer = () => ({ status: 202 });
    await send();
    const request = vendor.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: '/sms' });
    expect(JSON.parse(request?.body ?? '')).toStrictEqual(message);
    const header = request?.headers[SIGNATURE_HEADER];
    const verifier = createSignatureVerifier({ secret, clock: systemClock });
    expect(verifier.isSigned(String(header), request?.body ?? '')).toBe(true);
  });

  it.each([500, 502, 503, 408, 425, 429])('may be tried again after a %i', async (status) => {
    vendor.answer = () => ({ status });
    await expect(send()).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it.each([400, 401, 403, 404, 409, 422])('gives up after a %i', async (status) => {
    vendor.answer = () => ({ status });
    await expect(send()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it('hands on how long the supplier wants to be left alone', async () => {
    vendor.answer = () => ({ status: 429, headers: { 'retry-after': '17' } });
    await expect(send()).rejects.toMatchObject({
      code: 'vendor_unavailable',
      retryAfterSeconds: 17,
    });
  });

  it('stops waiting for a supplier that says nothing', async () => {
    vendor.answer = () => 'silent';
    await expect(send(50)).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it('follows no redirect', async () => {
    vendor.answer = () => ({ status: 307, headers: { location: '/elsewhere' } });
    await expect(send()).rejects.toMatchObject({ code: 'vendor_refused' });
    expect(vendor.requests.at(-1)?.path).toBe('/sms');
  });

  it('refuses an answer without end', async () => {
    vendor.answer = () => ({ status: 200, body: 'x'.repeat(100_000) });
    await expect(send()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it('may be tried again when nobody listens', async () => {
    const gone = await startHttpVendor();
    await gone.stop();
    const sender = createHttpSmsSender({ url: gone.url, secret, clock: systemClock });
    await expect(sender.send(message)).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });
});
