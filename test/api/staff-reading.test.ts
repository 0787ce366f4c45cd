/** What staff read: a contact in clear for a reason, what a customer has gone through, the trail for auditors and their file, and what works now. */
import { createHash } from 'node:crypto';
import { compactVerify, EmbeddedJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { JsonValue } from '../../domain/canonical-json.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { bankSigner } from '../setup/receipt.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

const REVEAL = { contact: 'phone', reason: 'call_back' };

let api: TestApi;
let banker: Banker;
let auditor: Staff;
beforeAll(async () => {
  api = await startTestApi({ dependencies: { receiptSigner: bankSigner } });
  banker = await createBanker(api);
  auditor = await createStaff(api, ['auditor']);
});
afterAll(async () => {
  await api?.close();
});

const revealPath = (customerId = banker.customerId) =>
  `/staff/customers/${customerId}/reveal-contact`;
const auditOf = (staffId: string, action: string) =>
  api.inTenant(
    (tx) => tx`select subject_id, customer_id, detail from audit
      where actor_kind = 'staff' and actor_id = ${staffId} and action = ${action} order by position`,
  );

describe('a contact in clear', () => {
  it('is shown for a picked reason, for a short time, and stands in the audit without the contact', async () => {
    const agent = await createStaff(api, ['agent']);
    const { status, body } = await agent.post(revealPath(), REVEAL);
    expect([status, body]).toEqual([
      200,
      { contact: 'phone', value: expect.stringMatching(/^\+[0-9]+$/), hideAfterSeconds: 30 },
    ]);
    const rows = await auditOf(agent.staffId, 'staff.contact_revealed');
    expect([...rows]).toEqual([
      { subjectId: banker.customerId, customerId: banker.customerId, detail: REVEAL },
    ]);
    expect(JSON.stringify(rows)).not.toContain(body.value);
  });

  it('is not shown without a reason of the list', async () => {
    const agent = await createStaff(api, ['agent']);
    for (const reason of [undefined, 'curious'])
      expect((await agent.post(revealPath(), { contact: 'phone', reason })).status).toBe(400);
    expect(await auditOf(agent.staffId, 'staff.contact_revealed')).toHaveLength(0);
  });

  it('of nobody is not found', async () => {
    const agent = await createStaff(api, ['agent']);
    expect(await agent.post(revealPath(newId('customer')), REVEAL)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('counts as a search of whoever looks, repeated under its key too', async () => {
    const agent = await createStaff(api, ['agent']);
    const { searchesAtOnce } = (await api.tenant()).policy.staffSearch;
    const look = () => agent.post(revealPath(), REVEAL, { idempotencyKey: 'again' });
    for (let count = 0; count < searchesAtOnce; count += 1) expect((await look()).status).toBe(200);
    expect(await look()).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(await auditOf(agent.staffId, 'staff.contact_revealed')).toHaveLength(searchesAtOnce);
  });
});

describe('what a customer has gone through', () => {
  it('is listed, and that it was looked at is written down', async () => {
    const agent = await createStaff(api, ['agent']);
    const answer = await agent.get(`/staff/customers/${banker.customerId}/ceremonies`);
    expect(answer).toMatchObject({ status: 200, body: { ceremonies: expect.any(Array) } });
    expect(await auditOf(agent.staffId, 'staff.ceremonies_viewed')).toHaveLength(1);
    const nobody = await agent.get(`/staff/customers/${newId('customer')}/ceremonies`);
    expect(nobody).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('an auditor', () => {
  it('finds what was done by customer, person, kind and time, in pages that leave nothing out', async () => {
    const mine = await createBanker(api);
    await logIn(mine, await createPhone(api));
    const agent = await createStaff(api, ['agent']);
    for (let count = 0; count < 3; count += 1)
      await agent.get(`/staff/customers/${mine.customerId}`);
    const seen: string[] = [];
    const base = `/staff/audit?staffId=${agent.staffId}&action=staff.customer_viewed`;
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await auditor.get(
        `${base}&limit=2${cursor === '' ? '' : `&cursor=${String(cursor)}`}`,
      );
      expect(page.status).toBe(200);
      for (const entry of page.body.entries) {
        expect(entry).toMatchObject({
          action: 'staff.customer_viewed',
          actor: { kind: 'staff', id: agent.staffId },
          customerId: mine.customerId,
        });
        seen.push(entry.position);
      }
      cursor = page.body.next;
    }
    expect(seen).toHaveLength(3);
    expect(seen.toSorted((a, b) => Number(b) - Number(a))).toEqual(seen);
    const ofCustomer = await auditor.get(`/staff/audit?customerId=${mine.customerId}&limit=100`);
    expect(ofCustomer.body.entries.map(({ action }: { action: string }) => action)).toContain(
      'session.created',
    );
    const before = `/staff/audit?customerId=${mine.customerId}&to=2020-01-01T00:00:00Z`;
    expect((await auditor.get(before)).body).toEqual({ entries: [], next: null });
    const after = `/staff/audit?customerId=${mine.customerId}&from=2020-01-01T00:00:00Z`;
    expect((await auditor.get(after)).body.entries.length).toBeGreaterThan(3);
    expect(await auditOf(auditor.staffId, 'staff.audit_searched')).not.toHaveLength(0);
  });

  it('is refused a span that ends before it begins, and a cursor of another list', async () => {
    const span = 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z';
    for (const query of [
      span,
      'from=2016-12-31T23:59:60Z',
      'to=2016-12-31T23:59:60Z',
      'cursor=YWJj',
      'limit=101',
      'action=%27',
      'phone=1',
    ])
      expect((await auditor.get(`/staff/audit?${query}`)).status).toBe(400);
  });

  it('sees nothing of another tenant’s trail', async () => {
    const { body } = await auditor.get(`/staff/audit?customerId=${newId('customer')}`);
    expect(body).toEqual({ entries: [], next: null });
  });

  it('takes it away as one signed file, which one changed letter breaks', async () => {
    const { status, body } = await auditor.get(
      `/staff/audit/export?customerId=${banker.customerId}`,
    );
    expect([status, body.isComplete]).toEqual([200, true]);
    expect(body.entries.length).toBeGreaterThan(0);
    const { signature, ...claims } = body;
    const { payload, protectedHeader } = await compactVerify(signature, EmbeddedJWK);
    expect(protectedHeader.typ).toBe('latchkey-audit-export+jwt');
    const digest = (of: JsonValue) =>
      createHash('sha256').update(canonicalJson(of)).digest('base64url');
    // What this file signed just above.
    const signed = JSON.parse(Buffer.from(payload).toString()) as { readonly sha256: string };
    expect(signed.sha256).toBe(digest(claims));
    expect(signed.sha256).not.toBe(digest({ ...claims, isComplete: false }));
    expect(await auditOf(auditor.staffId, 'staff.audit_exported')).toHaveLength(1);
  });
});

describe('what works now', () => {
  it('names each part, what waits for it and how long', async () => {
    const administrator = await createStaff(api, ['administrator']);
    const { status, body } = await administrator.get('/staff/works-now');
    expect(status).toBe(200);
    const names = body.parts.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['api', 'database', 'temporal', 'sms', 'email', 'push', 'events']),
    );
  });

  it('says that messages are late once one has waited for a minute', async () => {
    const customerId = newId('customer');
    const payload = { customerId, contactId: newId('contact'), template: 'x', locale: 'en' };
    await api.inTenant(
      (
        tx,
      ) => tx`insert into outbox (tenant_id, outbox_id, topic, subject, payload, attempts, created_at)
        values (${api.tenantId}, ${newId('outbox')}, 'message.sms', ${customerId}, ${tx.json(payload)}, 1, latchkey_now() - interval '90 seconds')`,
    );
    const { body } = await auditor.get('/staff/works-now');
    const sms = body.parts.find(({ name }: { name: string }) => name === 'sms');
    expect(sms).toMatchObject({ standing: 'slow' });
    expect(sms.waiting).toBeGreaterThan(0);
    expect(sms.oldestSeconds).toBeGreaterThanOrEqual(90);
  });
});
