/**
 * Who calls in a life, all by the API: two services of the bank with tokens of their own, and the customer's phone. A round's waiting may outlive a
 * token, which is no matter of this model: each is renewed before a round begins.
 */
import { importJWK } from 'jose';
import type postgres from 'postgres';
import { demoPaymentsJwks, DEMO_PAYMENTS_KEY } from '../../../../runtime/demo-secrets.ts';
import type { TestApi } from '../../api.ts';
import { createCaller, createPhone } from '../../callers.ts';
import type { Caller, Phone } from '../../callers.ts';
import { insertCustomer, insertLiveSession, insertProvedPhone } from '../../customer.ts';
import { ASSERTION_TYPE, makeClientAssertion } from '../../machine.ts';
import { CARDS, PAYMENTS } from '../../step-ups.ts';
import type { StepUpCustomer } from '../../step-ups.ts';
import type { Requester } from './actions.ts';

export type Services = Readonly<Record<Requester, Caller>> & { renew(): Promise<void> };

/** Cards has the payments service's key: what tells them apart is the client. */
export async function openServices(api: TestApi, rows: postgres.Sql): Promise<Services> {
  await rows`
    insert into client (tenant_id, client_id, kind, name, scopes, jwks)
    values (${api.tenantId}, ${CARDS.id}, 'machine', 'Cards', ${['step-ups:payment']}, ${JSON.stringify(demoPaymentsJwks())}::text::jsonb)`;
  const services = { payments: await createCaller(api), cards: await createCaller(api) };
  const signWith = await importJWK({ ...DEMO_PAYMENTS_KEY }, 'ES256');
  if (signWith instanceof Uint8Array) throw new TypeError('an EC key is no bytes');
  const renewOne = async (caller: Caller, clientId: string): Promise<void> => {
    const { status, body } = await caller.postForm('/oauth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(api, {
        client: 'demo-payments',
        signWith,
        claims: { iss: clientId, sub: clientId },
      }),
    });
    if (status !== 200) throw new Error(`no token for ${clientId}: ${JSON.stringify(body)}`);
    caller.accessToken = String(body.access_token);
  };
  return {
    ...services,
    renew: async () => {
      await Promise.all([
        renewOne(services.payments, PAYMENTS.id),
        renewOne(services.cards, CARDS.id),
      ]);
    },
  };
}

export interface CustomersPhone {
  readonly phone: Phone;
  /** Of the session that it has now. */
  customer: StepUpCustomer;
  epoch: number;
}

export async function enrollCustomer(api: TestApi): Promise<CustomersPhone> {
  const phone = await createPhone(api);
  const customer = await api.inTenant(async (tx) => {
    const keys = { sessionKey: phone.key, approvalKey: phone.approvalKey };
    const seeded = await insertCustomer(tx, api.tenantId, keys);
    await api.deps.personalData.createKey(tx, api.tenantId, seeded.customerId);
    await insertProvedPhone(tx, seeded);
    return { ...seeded, sessionId: await insertLiveSession(tx, seeded) };
  });
  return { phone, customer, epoch: 1 };
}

/** The token of the session that the phone has, whether or not that is worth anything. */
export async function renewToken(api: TestApi, { phone, customer, epoch }: CustomersPhone) {
  const { customerId, deviceId, sessionId } = customer;
  const scopes = ['openid'];
  const { token } = await api.accessTokens.issueAccessToken({
    tenant: await api.tenant(),
    subject: {
      kind: 'customer',
      customerId,
      deviceId,
      sessionId,
      clientId: 'demo-app',
      acr: 'latchkey:2',
      amr: ['swk', 'user'],
      authTimeMs: api.clock.nowMs(),
      risk: 'not_evaluated',
      epoch,
    },
    jkt: phone.jkt,
    scopes,
  });
  phone.accessToken = token;
}
