import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { createHttpIdentityVerifier } from '../../../adapters/identity/signed-http.ts';
import { createSignatureVerifier, SIGNATURE_HEADER } from '../../../adapters/signed-http.ts';
import { startIdentityVendor } from '../../../runtime/identity-vendor.ts';
import type { IdentityVendor } from '../../../runtime/identity-vendor.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const secret = 'a secret of the test';
const check = {
  reference: 'att_1',
  givenName: 'Zoë',
  familyName: 'Müller',
  birthDate: '1990-02-28',
  documentNumber: 'L01X00T47',
  callbackUrl: 'https://bank.example/t/demo/vendors/identity/results',
};

describe('the identity adapter', () => {
  let vendor: HttpVendor;
  beforeAll(async () => {
    vendor = await startHttpVendor();
  });
  afterAll(() => vendor.stop());
  const start = (timeoutMs = 5000) =>
    createHttpIdentityVerifier({
      url: `${vendor.url}/v1/`,
      secret,
      clock: systemClock,
      timeoutMs,
    }).startCheck(check);
  const accepted = (vendorReference: unknown) => () => ({
    status: 202,
    body: JSON.stringify({ vendorReference }),
  });

  it('starts a check below the address of the supplier, signed, and answers its reference', async () => {
    vendor.answer = accepted('chk_9');
    await expect(start()).resolves.toStrictEqual({ vendorReference: 'chk_9' });
    const request = vendor.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: '/v1/checks' });
    expect(JSON.parse(request?.body ?? '')).toStrictEqual(check);
    const verifier = createSignatureVerifier({ secret, clock: systemClock });
    expect(verifier.isSigned(String(request?.headers[SIGNATURE_HEADER]), request?.body ?? '')).toBe(
      true,
    );
  });

  it('sends the same reference again on a second try, so that the supplier can answer the same check', async () => {
    const checks = new Map<string, string>();
    vendor.answer = ({ body }) => {
      const { reference } = JSON.parse(body) as { reference: string };
      const vendorReference = checks.get(reference) ?? `chk_${String(checks.size)}`;
      checks.set(reference, vendorReference);
      return accepted(vendorReference)();
    };
    expect(await start()).toStrictEqual(await start());
    expect(checks.size).toBe(1);
  });

  it.each([
    ['no body', ''],
    ['no JSON', '<html>'],
    ['no reference', '{}'],
    ['an empty reference', '{"vendorReference":""}'],
    ['a number', '{"vendorReference":7}'],
    ['a reference with a line break', '{"vendorReference":"a\\nb"}'],
  ])('refuses an answer with %s', async (_, body) => {
    vendor.answer = () => ({ status: 202, body });
    await expect(start()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it.each([
    [500, 'vendor_unavailable'],
    [429, 'vendor_unavailable'],
    [422, 'vendor_refused'],
  ])('tells %i as %s', async (status, code) => {
    vendor.answer = () => ({ status });
    await expect(start()).rejects.toMatchObject({ code });
  });

  it('stops waiting for a supplier that says nothing', async () => {
    vendor.answer = () => 'silent';
    await expect(start(50)).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it('puts nothing about the person into an error', async () => {
    vendor.answer = ({ body }) => ({ status: 400, body });
    const error: unknown = await start().catch((caught: unknown) => caught);
    const told =
      error instanceof Error ? `${String(error)} ${String(error.cause)} ${error.stack ?? ''}` : '';
    expect(told).toContain('400');
    for (const value of Object.values(check)) expect(told).not.toContain(value);
  });
});

describe("the identity adapter and the developer's vendor", () => {
  let bank: HttpVendor;
  let vendor: IdentityVendor;
  beforeAll(async () => {
    bank = await startHttpVendor();
    vendor = await startIdentityVendor({ port: 0, secret, clock: systemClock, checkMs: 1 });
    vendor.setBehaviour('slow');
  });
  afterAll(async () => {
    await vendor.stop();
    await bank.stop();
  });
  const start = (reference: string, secretUsed = secret, givenName = check.givenName) => {
    const verifier = createHttpIdentityVerifier({
      url: vendor.url,
      secret: secretUsed,
      clock: systemClock,
    });
    return verifier.startCheck({
      ...check,
      reference,
      givenName,
      callbackUrl: `${bank.url}/results`,
    });
  };

  it('makes one check of a repeated reference, whose verdict comes once by a signed webhook', async () => {
    const { vendorReference } = await start('att_a');
    expect(await start('att_a')).toStrictEqual({ vendorReference });
    expect(vendor.waiting()).toStrictEqual(['att_a']);
    vendor.release();
    await expect.poll(() => bank.requests).toHaveLength(1);
    const [webhook] = bank.requests;
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      reference: 'att_a',
      vendorReference,
      verdict: 'verified',
    });
    const header = String(webhook?.headers[SIGNATURE_HEADER]);
    const signedBy = (key: string) => createSignatureVerifier({ secret: key, clock: systemClock });
    expect(signedBy(secret).isSigned(header, webhook?.body ?? '')).toBe(true);
    expect(signedBy('another').isSigned(header, webhook?.body ?? '')).toBe(false);
  });

  it('is refused for good when a reference comes back for another person, or the secret differs', async () => {
    await start('att_b');
    await expect(start('att_b', secret, 'Somebody')).rejects.toMatchObject({
      code: 'vendor_refused',
    });
    await expect(start('att_c', 'another')).rejects.toMatchObject({ code: 'vendor_refused' });
  });
});
