import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startIdentityVendor } from '../../runtime/identity-vendor.ts';
import type { IdentityVendor } from '../../runtime/identity-vendor.ts';
import { isSignedBody, SIGNATURE_HEADER, signBody } from '../../runtime/vendor-signature.ts';

const secret = 'the identity secret of this test';
const clock = { nowMs: () => Date.now() };

interface Webhook {
  readonly isSigned: boolean;
  readonly body: Record<string, unknown>;
}

let vendor: IdentityVendor;
let bank: Server;
let callbackUrl: string;
let webhooks: Webhook[];
let answers: number[];

beforeEach(async () => {
  webhooks = [];
  answers = [];
  bank = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const header = request.headers[SIGNATURE_HEADER];
      webhooks.push({
        isSigned: isSignedBody(String(header), { secret, body: text }, Date.now()),
        body: JSON.parse(text) as Record<string, unknown>,
      });
      response.writeHead(answers.shift() ?? 202).end();
    });
  });
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  const address = bank.address();
  callbackUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/results`;
  vendor = await startIdentityVendor({ port: 0, secret, clock, checkMs: 5 });
});
afterEach(async () => {
  await vendor.stop();
  bank.closeAllConnections();
  bank.close();
});

const call = async (method: string, path: string, content?: unknown, key = secret) => {
  const body = content === undefined ? '' : JSON.stringify(content);
  const answer = await fetch(`${vendor.url}${path}`, {
    method,
    headers: { [SIGNATURE_HEADER]: signBody({ secret: key, body }, Date.now()) },
    ...(content === undefined ? {} : { body }),
  });
  // What the vendor answers is JSON made by itself.
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const check = (reference = 'att_1') => ({
  reference,
  givenName: 'Ada',
  familyName: 'Lovelace',
  birthDate: '1990-12-10',
  documentNumber: 'L01X00T47',
  callbackUrl,
});

describe('the identity vendor', () => {
  test('takes a check and later reports it verified by a signed webhook', async () => {
    const { status, body } = await call('POST', '/checks', check());
    expect(status).toBe(202);
    await vi.waitFor(() => expect(webhooks).toHaveLength(1));
    expect(webhooks[0]).toEqual({
      isSigned: true,
      body: {
        reference: 'att_1',
        vendorReference: body['vendorReference'],
        verdict: 'verified',
        evidenceId: expect.any(String) as string,
      },
    });
    const shown = await call('GET', '/checks/att_1');
    expect(shown.body).toEqual({ ...webhooks[0]?.body, status: 'done' });
  });

  test('answers a repeated check the same and reports it once', async () => {
    const first = await call('POST', '/checks', check());
    const again = await call('POST', '/checks', check());
    expect(again).toEqual(first);
    await call('POST', '/checks', check('att_2'));
    await vi.waitFor(() =>
      expect(webhooks.map(({ body }) => body['reference'])).toContain('att_2'),
    );
    expect(webhooks.filter(({ body }) => body['reference'] === 'att_1')).toHaveLength(1);
  });

  test('refuses a reference that was used for another person', async () => {
    await call('POST', '/checks', check());
    expect((await call('POST', '/checks', { ...check(), givenName: 'Eve' })).status).toBe(409);
  });

  test('reports a refusal with its reason when told to refuse', async () => {
    vendor.setBehaviour('refuses');
    await call('POST', '/checks', check());
    await vi.waitFor(() => expect(webhooks).toHaveLength(1));
    expect(webhooks[0]?.body).toMatchObject({
      verdict: 'refused',
      reason: 'document_not_accepted',
    });
  });

  test('told to be slow, it says nothing until it is released', async () => {
    vendor.setBehaviour('slow');
    await call('POST', '/checks', check());
    expect(vendor.waiting()).toEqual(['att_1']);
    expect((await call('GET', '/checks/att_1')).body['status']).toBe('pending');
    vendor.release();
    await vi.waitFor(() => expect(webhooks).toHaveLength(1));
    expect(webhooks[0]?.body['verdict']).toBe('verified');
    expect(vendor.waiting()).toEqual([]);
  });

  test('delivers again when the bank did not take the webhook', async () => {
    answers = [503];
    await call('POST', '/checks', check());
    await vi.waitFor(() => expect(webhooks).toHaveLength(2), { timeout: 10_000 });
    expect(webhooks[1]).toEqual(webhooks[0]);
  });

  test('refuses what is not signed with its secret, and what is not whole', async () => {
    expect((await call('POST', '/checks', check(), 'another')).status).toBe(401);
    expect((await call('POST', '/checks', { reference: 'att_1' })).status).toBe(400);
    expect((await call('GET', '/checks/att_unknown')).status).toBe(404);
  });
});
