/** Roles: set by the bank's systems, carried by tokens from their next issue on, told by introspection at once. */
import { decodeJwt } from 'jose';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createBanker, logIn, refresh } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';
import type { Caller } from '../setup/callers.ts';

let api: TestApi;
let bank: Caller;
beforeAll(async () => {
  api = await startTestApi();
  bank = await createMachine(api, { client: 'demo-bank' });
});
afterAll(async () => {
  await api.close();
});

const setRoles = (customerId: string, roles: unknown, options = {}) =>
  bank.post(`/customers/${customerId}/roles`, { roles }, options);

const rolesIn = (token: unknown) => decodeJwt(String(token))['roles'];

describe('the roles of a customer', () => {
  it('stand in his tokens from the next login or refresh on, with where they are from', async () => {
    const banker = await createBanker(api);
    const before = await logIn(banker, banker.phone);
    expect(decodeJwt(String(before.body.access_token))).not.toHaveProperty('roles');
    expect(decodeJwt(String(before.body.access_token))).toMatchObject({
      device_status: 'trusted',
      device_attestation: 'software',
    });
    const answer = await setRoles(banker.customerId, ['business', 'joint-owner']);
    expect(answer).toMatchObject({ status: 200, body: { roles: ['business', 'joint-owner'] } });
    const after = await refresh(banker.phone, String(before.body.refresh_token));
    expect(rolesIn(after.body.access_token)).toEqual(['business', 'joint-owner']);
    const anew = await logIn(banker, banker.phone);
    expect(rolesIn(anew.body.access_token)).toEqual(['business', 'joint-owner']);
    await setRoles(banker.customerId, []);
    const last = await refresh(banker.phone, String(anew.body.refresh_token));
    expect(decodeJwt(String(last.body.access_token))).not.toHaveProperty('roles');
  });

  it('are set once under one key, and audited with who set them', async () => {
    const { customerId } = await createBanker(api);
    const options = { idempotencyKey: `roles-${customerId}` };
    const answers = [
      await setRoles(customerId, ['minor'], options),
      await setRoles(customerId, ['minor'], options),
    ];
    expect(answers.map(({ body }) => body)).toEqual([{ roles: ['minor'] }, { roles: ['minor'] }]);
    const audits = await api.inTenant(
      (tx) => tx`select actor_id, detail from audit
        where customer_id = ${customerId} and action = 'customer.roles_set'`,
    );
    expect([...audits]).toEqual([{ actorId: 'demo-bank', detail: { roles: 'minor' } }]);
  });

  it.each([
    ['a name that is none', ['Business owner']],
    ['one twice', ['business', 'business']],
    ['more than sixteen', Array.from({ length: 17 }, (_, index) => `r${String(index)}`)],
    ['no list', 'business'],
  ])('are refused with %s', async (_name, roles) => {
    const { customerId } = await createBanker(api);
    expect(await setRoles(customerId, roles)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  it('of nobody are not found', async () => {
    expect(await setRoles(`cus_${'0'.repeat(32)}`, [])).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});

describe('the roles of a machine', () => {
  it('stand in its token', async () => {
    const sql = postgres(api.testDatabase.superuserUrl, { max: 1 });
    await sql`update client set roles = '{batch}' where client_id = 'demo-bank'`;
    await sql.end();
    const again = await createMachine(api, { client: 'demo-bank' });
    expect(rolesIn(again.accessToken)).toEqual(['batch']);
  });
});
