/** The call back to a requester, read as its receiver reads it: with the library of the Standard Webhooks specification. */
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWebhookCallbacks } from '../../../adapters/callbacks/webhook.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { startHttpVendor } from './http-vendor.ts';
import type { HttpVendor } from './http-vendor.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const content = { stepUpId: `cer_${'0'.repeat(32)}`, status: 'approved' };

let vendor: HttpVendor;
beforeAll(async () => {
  vendor = await startHttpVendor();
});
afterAll(() => vendor.stop());
beforeEach(() => {
  vendor.requests.length = 0;
  vendor.answer = () => ({ status: 204 });
});

const send = (
  options: { url?: string; timeoutMs?: number; allowsPrivateAddresses?: boolean } = {},
) =>
  createWebhookCallbacks({ clock: systemClock, timeoutMs: options.timeoutMs ?? 5000 }).send({
    url: options.url ?? `${vendor.url}/hook`,
    secrets: [SECRET, NEXT_SECRET],
    allowsPrivateAddresses: options.allowsPrivateAddresses ?? true,
    id: 'out_1',
    content,
  });

describe('a call back', () => {
  it('carries id and status alone, signed with each secret that is in force', async () => {
    await send();
    const [request] = vendor.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/hook' });
    const headers = Object.fromEntries(
      Object.entries(request?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers['webhook-id']).toBe('out_1');
    for (const secret of [SECRET, NEXT_SECRET])
      expect(new Webhook(secret).verify(request?.body ?? '', headers)).toEqual({
        type: 'step_up.status',
        timestamp: expect.any(String),
        data: content,
      });
    const stranger = new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`);
    expect(() => stranger.verify(request?.body ?? '', headers)).toThrow('No matching signature');
  });

  it.each([301, 302, 307, 401, 403, 404, 408, 429, 500, 503])(
    'may be tried again after a %i',
    async (status) => {
      vendor.answer = () => ({ status, headers: { location: '/elsewhere' } });
      await expect(send()).rejects.toMatchObject({ code: 'vendor_unavailable' });
      expect(vendor.requests.map(({ path }) => path)).toEqual(['/hook']);
    },
  );

  it.each([400, 410, 413, 422])('is given up after a %i', async (status) => {
    vendor.answer = () => ({ status });
    await expect(send()).rejects.toMatchObject({ code: 'vendor_refused' });
  });

  it('does not wait for a receiver that says nothing', async () => {
    vendor.answer = () => 'silent';
    await expect(send({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'vendor_unavailable' });
  });

  it.each([['its address'], ['a name that leads there']])(
    'goes nowhere inside the house, by %s, unless that was allowed',
    async (way) => {
      const url = way === 'its address' ? vendor.url : vendor.url.replace('127.0.0.1', 'localhost');
      await expect(send({ url, allowsPrivateAddresses: false })).rejects.toMatchObject({
        code: 'vendor_unavailable',
        cause: { name: 'PrivateAddressError' },
      });
      expect(vendor.requests).toEqual([]);
    },
  );
});
