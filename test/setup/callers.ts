/**
 * Callers that speak to a test API as real ones do: a phone that proves its key, and one that is enrolled already, with a live session.
 * A caller keeps the last nonce and answers a challenge for one once.
 */
import { randomBytes } from 'node:crypto';
import type { TestApi } from './api.ts';
import { insertCustomer, insertLiveSession } from './customer.ts';
import { createKeyPair, makeProof } from './proof.ts';
import type { KeyPair } from './proof.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** Parsed JSON, or the text. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: a new one for each POST. */
  readonly idempotencyKey?: string;
  /** Another tenant's prefix, or none. */
  readonly prefix?: string;
}

export interface Caller {
  readonly key: KeyPair;
  readonly jkt: string;
  /** What the next calls carry as `Authorization: DPoP …`. */
  accessToken: string | undefined;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  put(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  /** Without a body. */
  delete(path: string, options?: CallOptions): Promise<Answer>;
  /** The token endpoint: a form, no token, no Idempotency-Key. */
  postForm(
    path: string,
    form: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<Answer>;
}

export interface Phone extends Caller {
  /** Made on the phone beside the session key; the passkey binding proves it. */
  readonly approvalKey: KeyPair;
}

export async function createPhone(api: TestApi, options: { prefix?: string } = {}): Promise<Phone> {
  return Object.assign(await createCaller(api, options), { approvalKey: await createKeyPair() });
}

export async function createCaller(
  api: TestApi,
  { prefix = api.prefix, key: given }: { prefix?: string; key?: KeyPair } = {},
): Promise<Caller> {
  const key = given ?? (await createKeyPair());
  let nonce: string | undefined;
  interface Call {
    readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
    readonly path: string;
    readonly payload?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly accessToken: string | undefined;
    readonly options: CallOptions;
  }
  const once = async (call: Call): Promise<Answer> => {
    const url = `${call.options.prefix ?? prefix}${call.path}`;
    const proof = await makeProof({
      key,
      method: call.method,
      htu: `${api.publicUrl}${url.split('?', 1)[0] ?? ''}`,
      nowMs: api.clock.nowMs(),
      nonce,
      accessToken: call.accessToken,
    });
    const response = await api.app.inject({
      method: call.method,
      url,
      headers: {
        dpop: proof,
        ...(call.accessToken === undefined ? {} : { authorization: `DPoP ${call.accessToken}` }),
        ...call.headers,
        ...call.options.headers,
      },
      ...(call.payload === undefined ? {} : { payload: call.payload }),
    });
    const sent = response.headers['dpop-nonce'];
    if (typeof sent === 'string') nonce = sent;
    return { status: response.statusCode, headers: response.headers, body: parse(response.body) };
  };
  const send = async (call: Call): Promise<Answer> => {
    const answer = await once(call);
    const wantsNonce = answer.body?.code === 'dpop_nonce_required';
    return wantsNonce ? await once(call) : answer;
  };
  const change = (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: CallOptions,
    body?: unknown,
  ) =>
    send({
      method,
      path,
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        'idempotency-key': options.idempotencyKey ?? randomBytes(12).toString('hex'),
      },
      accessToken: caller.accessToken,
      options,
    });
  const caller: Caller = {
    key,
    jkt: key.jkt,
    accessToken: undefined,
    get: (path, options = {}) =>
      send({ method: 'GET', path, headers: {}, accessToken: caller.accessToken, options }),
    post: (path, body, options = {}) => change('POST', path, options, body),
    put: (path, body, options = {}) => change('PUT', path, options, body),
    delete: (path, options = {}) => change('DELETE', path, options),
    postForm: (path, form, options = {}) =>
      send({
        method: 'POST',
        path,
        payload: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        accessToken: undefined,
        options,
      }),
  };
  return caller;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export interface EnrolledPhone extends Phone {
  readonly customerId: string;
  readonly deviceId: string;
  readonly sessionId: string;
  readonly accessToken: string;
}

/** A phone whose customer, trusted device, passkey and live session were written straight into the tables, with an access token. */
export async function createEnrolledPhone(
  api: TestApi,
  { scopes = ['openid', 'accounts:read'] }: { readonly scopes?: readonly string[] } = {},
): Promise<EnrolledPhone> {
  const phone = await createPhone(api);
  const ids = await api.inTenant(async (tx) => {
    const keys = { sessionKey: phone.key, approvalKey: phone.approvalKey };
    const customer = await insertCustomer(tx, api.tenantId, keys);
    const sessionId = await insertLiveSession(tx, customer, { scopes });
    const { customerId, deviceId, credentialId } = customer;
    return { customerId, deviceId, credentialId, sessionId };
  });
  const { token } = await api.accessTokens.issueAccessToken({
    tenant: await api.tenant(),
    subject: {
      kind: 'customer',
      ...ids,
      clientId: 'demo-app',
      acr: 'latchkey:2',
      amr: ['swk', 'user'],
      authTimeMs: api.clock.nowMs(),
      risk: 'not_evaluated',
      epoch: 1,
    },
    jkt: phone.jkt,
    scopes,
  });
  // The methods of a caller read the token off the object they were made on.
  phone.accessToken = token;
  return Object.assign(phone, ids, { accessToken: token });
}
