/** A customer with a phone, a software passkey and proved contacts, written straight into the tables; he logs in and refreshes through the real app. */
import { randomBytes } from 'node:crypto';
import { verifyRegistrationResponse } from '@simplewebauthn/server';
import { newId } from '../../adapters/random.ts';
import type { Tx } from '../../db/connection.ts';
import type { DeviceStatus } from '../../domain/auth-strength.ts';
import { createPhone } from './callers.ts';
import type { TestApi } from './api.ts';
import type { Answer, Caller, CallOptions, Phone } from './callers.ts';
import { SoftwareAuthenticator } from './authenticator.ts';
import type { Spoil } from './authenticator.ts';
import { insertCustomer, insertDevice } from './customer.ts';

export const APP = 'demo-app';

export interface Banker {
  readonly phone: Phone;
  readonly authenticator: SoftwareAuthenticator;
  readonly customerId: string;
  readonly deviceId: string;
  readonly credentialId: string;
}

/** Active, with a trusted device and one passkey. */
export async function createBanker(
  api: TestApi,
  {
    deviceStatus = 'trusted',
    number = '+447700900123',
  }: { readonly deviceStatus?: DeviceStatus; readonly number?: string } = {},
): Promise<Banker> {
  const phone = await createPhone(api);
  const customerId = newId('customer');
  const { authenticator, passkey } = await registerPasskey(api, customerId);
  const { deviceId, credentialId } = await api.inTenant(async (tx) => {
    const customer = await insertCustomer(tx, api.tenantId, {
      customerId,
      deviceStatus,
      deviceName: 'Ada’s phone',
      sessionKey: phone.key,
      approvalKey: phone.approvalKey,
      passkey,
    });
    await insertContacts(tx, api, { customerId, number });
    return customer;
  });
  return { phone, authenticator, customerId, deviceId, credentialId };
}

/** The same customer on a further trusted device, with a passkey of its own. */
export async function addDevice(
  api: TestApi,
  { customerId }: Pick<Banker, 'customerId'>,
): Promise<Banker> {
  const phone = await createPhone(api);
  const { authenticator, passkey } = await registerPasskey(api, customerId);
  const { deviceId, credentialId } = await api.inTenant((tx) =>
    insertDevice(tx, api.tenantId, {
      customerId,
      deviceName: 'Ada’s tablet',
      sessionKey: phone.key,
      approvalKey: phone.approvalKey,
      passkey,
    }),
  );
  return { phone, authenticator, customerId, deviceId, credentialId };
}

async function registerPasskey(api: TestApi, customerId: string) {
  const authenticator = new SoftwareAuthenticator(api.publicUrl);
  const challenge = randomBytes(32).toString('base64url');
  const response = authenticator.register({
    challenge,
    rp: { id: 'localhost', name: 'Demo Bank' },
    user: { id: Buffer.from(customerId).toString('base64url'), name: 'a', displayName: 'a' },
    pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
  });
  const { registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: api.publicUrl,
    expectedRPID: 'localhost',
  });
  if (registrationInfo === undefined) throw new Error('the passkey was made');
  const { id: webauthnId, publicKey } = registrationInfo.credential;
  return { authenticator, passkey: { webauthnId, publicKey } };
}

/** Sealed under his key, so that the API can show them. */
async function insertContacts(
  tx: Tx,
  api: TestApi,
  { customerId, number }: { readonly customerId: string; readonly number: string },
): Promise<void> {
  const { tenantId } = api;
  const { personalData } = api.deps;
  await personalData.createKey(tx, tenantId, customerId);
  for (const [kind, value] of [
    ['phone', number],
    ['email', 'ada@example.test'],
  ] as const) {
    const target = { tenantId, customerId, purpose: `contact.${kind}` };
    await tx`insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value, proved_at)
      values (${tenantId}, ${newId('contact')}, ${customerId}, ${kind}, 'proved', ${randomBytes(32)},
        ${await personalData.seal(tx, target, value)}, latchkey_now())`;
  }
}

/** What the phone sends to log in, right in everything that `spoil` does not make wrong. */
export async function loginBody(
  { authenticator }: Pick<Banker, 'authenticator'>,
  phone: Caller,
  spoil: Spoil = {},
): Promise<{ clientId: string; credential: ReturnType<SoftwareAuthenticator['authenticate']> }> {
  const { status, body } = await phone.post('/auth/login-options', { clientId: APP });
  if (status !== 200) throw new Error(`no login options: ${JSON.stringify(body)}`);
  return { clientId: APP, credential: authenticator.authenticate(body.options, spoil) };
}

/** The whole login; the phone keeps the access token. */
export async function logIn(
  banker: Pick<Banker, 'authenticator'>,
  phone: Caller,
  { spoil = {}, options = {} }: { readonly spoil?: Spoil; readonly options?: CallOptions } = {},
): Promise<Answer> {
  phone.accessToken = undefined;
  const answer = await phone.post('/auth/login', await loginBody(banker, phone, spoil), options);
  if (answer.status === 200) phone.accessToken = String(answer.body.access_token);
  return answer;
}

export async function refresh(
  phone: Caller,
  refreshToken: string,
  { requestId, clientId = APP }: { readonly requestId?: string; readonly clientId?: string } = {},
): Promise<Answer> {
  return await phone.postForm('/oauth/token', {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    ...(requestId === undefined ? {} : { request_id: requestId }),
  });
}
