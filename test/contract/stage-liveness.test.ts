/** The liveness vendor's buttons, as stage control answers them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIVENESS_ENDS, startLivenessVendor } from '../../runtime/liveness-vendor.ts';
import type { LivenessVendor } from '../../runtime/liveness-vendor.ts';
import { answerLivenessRequest, describeLiveness } from '../../runtime/stage-control-liveness.ts';

let vendor: LivenessVendor;
beforeEach(async () => {
  const clock = { nowMs: () => Date.now() };
  vendor = await startLivenessVendor({ port: 0, secret: 'of this test', clock });
});
afterEach(() => vendor.stop());

const press = (path: string, content: unknown = {}, method = 'POST') =>
  answerLivenessRequest(
    { method, url: new URL(path, 'http://localhost'), body: JSON.stringify(content) },
    vendor,
  );

describe('stage control', () => {
  test.each(LIVENESS_ENDS)('has the next session end with %s', (end) => {
    expect(press('/liveness/next', { end })).toEqual({
      status: 200,
      body: { next: end, ends: LIVENESS_ENDS, waiting: [] },
    });
    expect(describeLiveness(vendor).next).toBe(end);
  });

  test('refuses an end that it does not know', () => {
    expect(press('/liveness/next', { end: 'dances' })?.status).toBe(400);
    expect(press('/liveness/next', 'pass')?.status).toBe(400);
    expect(vendor.nextEnd()).toBe('pass');
  });

  test('releases what waits, and leaves every other request alone', () => {
    expect(press('/liveness/release')?.status).toBe(200);
    expect(press('/liveness/other')).toBeUndefined();
    expect(press('/liveness/next', { end: 'pass' }, 'GET')).toBeUndefined();
    expect(press('/identity/release')).toBeUndefined();
  });

  test('says that there is none where there is none', () => {
    const url = new URL('http://localhost/liveness/release');
    expect(answerLivenessRequest({ method: 'POST', url, body: '' }, undefined)).toMatchObject({
      status: 409,
    });
  });
});
