/**
 * An API over a database of its own, and callers that speak to it as real ones do: a phone that proves its key, an enrolled phone with a
 * session, a machine client with a token. Requests go through `inject`; a caller keeps the last nonce and answers a challenge once.
 */
import { createHash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { pino } from 'pino';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../adapters/kms/otp-codes.ts';
import { newId } from '../../adapters/random.ts';
import { createSignatureVerifier } from '../../adapters/signed-http.ts';
import { buildApp } from '../../api/app.ts';
import type { ApiConfiguration, AppDependencies, HttpLimits } from '../../api/dependencies.ts';
import { createTenantDirectory } from '../../api/tenancy.ts';
import { createAccessTokens } from '../../api/tokens/access-token.ts';
import type { AccessTokens } from '../../api/tokens/access-token.ts';
import { createTokenKeys } from '../../api/tokens/signing-keys.ts';
import type { EcPublicJwk, LatchkeyApp, RequestTenant } from '../../api/types.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database, Tx } from '../../db/connection.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { DEMO_FRAUD_KEY, DEMO_IDENTITY_SECRET } from '../../runtime/demo-secrets.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import { insertCustomer, insertLiveSession } from '../setup/customer.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { seedDemoTenant, TEST_PUBLIC_URL } from '../setup/demo-tenant.ts';

const SLUG = 'demo';

export interface TestClock extends Clock {
  /** Moves this API and its transactions; PostgreSQL follows through test-clock.sql. */
  advance(milliseconds: number): void;
}

export interface TestApi {
  readonly app: LatchkeyApp;
  readonly deps: AppDependencies;
  readonly testDatabase: TestDatabase;
  readonly database: Database;
  readonly clock: TestClock;
  readonly publicUrl: string;
  readonly slug: string;
  readonly tenantId: string;
  /** `/t/<slug>`: what comes before every path of a caller. */
  readonly prefix: string;
  readonly accessTokens: AccessTokens;
  /** As the frame sees it now. */
  tenant(slug?: string): Promise<RequestTenant>;
  /** A further tenant with the same clients; answers its id. */
  addTenant(slug: string): Promise<string>;
  inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** Default: a Temporal that is down. */
  readonly temporal?: TemporalGateway;
  readonly policy?: Policy;
  readonly limits?: HttpLimits;
  readonly tenantAtRoot?: string;
  readonly configuration?: Partial<ApiConfiguration>;
  /** The application's URL for the API alone, to put something between it and PostgreSQL. */
  readonly databaseUrl?: (url: string) => string;
  readonly dependencies?: Partial<AppDependencies>;
}

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const testDatabase = await createTestDatabase();
  const { policy } = options;
  const seedOptions = policy === undefined ? {} : { policy };
  const tenantId = await seedDemoTenant(testDatabase, seedOptions);
  const clock = createTestClock();
  const url = options.databaseUrl?.(testDatabase.applicationUrl) ?? testDatabase.applicationUrl;
  const database = connectDatabase({ url, maxConnections: 6, testNowMs: () => clock.nowMs() });
  const kms = createEmbeddedKms([{ kid: 'test-1', key: randomBytes(32) }]);
  const { tenantAtRoot } = options;
  const deps: AppDependencies = {
    configuration: {
      mode: 'development',
      http: {
        publicUrl: TEST_PUBLIC_URL,
        trustedProxies: [],
        ...(tenantAtRoot === undefined ? {} : { tenantAtRoot }),
      },
      gateways: {},
      ...options.configuration,
    },
    database,
    temporal: options.temporal ?? absentTemporal(),
    kms,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
    identitySignatures: createSignatureVerifier({ secret: DEMO_IDENTITY_SECRET, clock }),
    clock,
    newId,
    logger: pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...options.dependencies,
  };
  const app = await buildApp(deps);
  await app.ready();
  return {
    app,
    deps,
    testDatabase,
    database,
    clock,
    publicUrl: TEST_PUBLIC_URL,
    slug: SLUG,
    tenantId,
    prefix: `/t/${SLUG}`,
    accessTokens: createAccessTokens(createTokenKeys(deps), clock),
    tenant: (slug = SLUG) => createTenantDirectory(deps).bySlug(slug),
    addTenant: (slug) => seedDemoTenant(testDatabase, { ...seedOptions, slug, name: slug }),
    inTenant: (work) => database.tenant(tenantId, work),
    close: async () => {
      await app.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

function createTestClock(): TestClock {
  let aheadMs = 0;
  return {
    nowMs: () => Date.now() + aheadMs,
    advance: (milliseconds) => {
      aheadMs += milliseconds;
    },
  };
}

/** A Temporal that is down: every call is refused at once. */
export function absentTemporal(): TemporalGateway {
  const refuse = () => Promise.reject(new LatchkeyError('temporal_unavailable'));
  return {
    start: refuse,
    update: refuse,
    signal: refuse,
    signalWithStart: refuse,
    describe: refuse,
    healthy: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
}

// Callers

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** Parsed JSON, or the text. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
}

export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicJwk: EcPublicJwk;
  readonly jkt: string;
}

export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '' } = await exportJWK(publicKey);
  const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { privateKey, publicJwk, jkt: await calculateJwkThumbprint(publicJwk) };
}

export interface ProofParts {
  readonly key: KeyPair;
  readonly method: string;
  readonly htu: string;
  readonly nowMs: number;
  readonly nonce?: string | undefined;
  readonly accessToken?: string | undefined;
  /** Spoils the proof: members of header and payload, `undefined` takes one away. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signWith?: CryptoKey;
}

/** A DPoP proof, right in everything that `header` and `claims` do not spoil. */
export async function makeProof(parts: ProofParts): Promise<string> {
  const { key, accessToken, nonce } = parts;
  const payload = {
    htm: parts.method,
    htu: parts.htu,
    iat: Math.floor(parts.nowMs / 1000),
    jti: randomBytes(16).toString('base64url'),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined
      ? {}
      : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
    ...parts.claims,
  };
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk, ...parts.header };
  return await new SignJWT(payload)
    .setProtectedHeader(header)
    .sign(parts.signWith ?? key.privateKey);
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
    readonly method: 'GET' | 'POST';
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
  const caller: Caller = {
    key,
    jkt: key.jkt,
    accessToken: undefined,
    get: (path, options = {}) =>
      send({ method: 'GET', path, headers: {}, accessToken: caller.accessToken, options }),
    post: (path, body, options = {}) =>
      send({
        method: 'POST',
        path,
        payload: JSON.stringify(body),
        headers: {
          'content-type': 'application/json',
          'idempotency-key': options.idempotencyKey ?? randomBytes(12).toString('hex'),
        },
        accessToken: caller.accessToken,
        options,
      }),
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

// Machines

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The demo fraud engine's client assertion, right in everything that `claims` and `header` do not spoil. */
export async function makeClientAssertion(
  api: TestApi,
  spoil: {
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly signWith?: CryptoKey;
    readonly issuer?: string;
  } = {},
): Promise<string> {
  const nowSeconds = Math.floor(api.clock.nowMs() / 1000);
  const signingKey = spoil.signWith ?? (await importJWK({ ...DEMO_FRAUD_KEY }, 'ES256'));
  return await new SignJWT({
    iss: 'demo-fraud',
    sub: 'demo-fraud',
    aud: spoil.issuer ?? `${api.publicUrl}${api.prefix}`,
    iat: nowSeconds,
    exp: nowSeconds + 60,
    jti: randomBytes(16).toString('base64url'),
    ...spoil.claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: DEMO_FRAUD_KEY.kid, ...spoil.header })
    .sign(signingKey);
}

/** The demo fraud engine with a token; `scope` narrows it, for instance `fraud:signal`. */
export async function createMachine(
  api: TestApi,
  options: { readonly scope?: string; readonly prefix?: string } = {},
): Promise<Caller> {
  const machine = await createCaller(api, options);
  const { prefix = api.prefix, scope } = options;
  const answer = await machine.postForm('/oauth/token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await makeClientAssertion(api, { issuer: `${api.publicUrl}${prefix}` }),
    ...(scope === undefined ? {} : { scope }),
  });
  if (answer.status !== 200) throw new Error(`no machine token: ${JSON.stringify(answer.body)}`);
  machine.accessToken = String(answer.body.access_token);
  return machine;
}

// Customers

export interface EnrolledPhone extends Phone {
  readonly customerId: string;
  readonly deviceId: string;
  readonly sessionId: string;
  readonly accessToken: string;
}

/** A phone whose customer, trusted device, passkey and live session were written straight into the tables, with an access token. */
export async function createEnrolledPhone(api: TestApi): Promise<EnrolledPhone> {
  const phone = await createPhone(api);
  const scopes = ['openid', 'accounts:read'];
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
