/**
 * What each kind of caller must bring, for the signing proxy: proofs of a phone's key, a customer's token, a machine's, a supplier's
 * signature, a gateway's question. Every one is right in everything.
 */
import { randomBytes } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { ACCESS, accessOf, isOperationId } from '../../api/access.ts';
import type { AccessRow, CallerKind } from '../../api/access.ts';
import {
  DEMO_BANK_KEY,
  DEMO_FRAUD_KEY,
  DEMO_LIVENESS_SECRET,
  DEMO_PAYMENTS_KEY,
} from '../../runtime/demo-secrets.ts';
import type { DemoPrivateKey } from '../../runtime/demo-secrets.ts';
import { signBody } from '../../runtime/vendor-signature.ts';
import { createKeyPair, makeProof } from '../setup/proof.ts';
import type { KeyPair } from '../setup/proof.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import type { Signer } from './signing-proxy.ts';

type Request = Parameters<Signer['sign']>[0];
type Headers = Readonly<Record<string, string>>;

export interface SignerOptions {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly identitySecret: string;
  /** The demo bank's, as LATCHKEY_GATEWAYS has it. */
  readonly gateway: { readonly id: string; readonly origin: string; readonly path: string };
  /** Owns the enrollments that requests name. */
  readonly key: KeyPair;
  /** Logged in; and another one, which is logged out and frozen again and again. */
  readonly customer: SoftwarePhone;
  readonly leaving: SoftwarePhone;
}

/** What would take from every later request what it needs. */
const ENDS_MUCH: ReadonlySet<string> = new Set(['logout', 'freezeAccount']);

export function createSigner(options: SignerOptions): Signer {
  const state = { nonce: undefined as string | undefined };
  /** Whose session may have been ended by what was just tried. */
  const doubtful = new Set<SoftwarePhone>();
  const prove = async (
    request: Request,
    { key, token, htu, method }: { key: KeyPair; token?: string; htu?: string; method?: string },
  ): Promise<string> =>
    await makeProof({
      key,
      method: method ?? request.method,
      htu: htu ?? `${options.publicUrl}${request.path.split('?')[0] ?? ''}`,
      nowMs: Date.now(),
      nonce: state.nonce,
      accessToken: token,
    });
  const withToken = async (
    request: Request,
    phone: SoftwarePhone,
    more: { htu?: string; method?: string } = {},
  ): Promise<Headers> => {
    if (doubtful.delete(phone)) await reviveSession(phone);
    const token = await phone.latchkey.session.accessToken();
    const key = await keyOf(phone);
    return { authorization: `DPoP ${token}`, dpop: await prove(request, { key, token, ...more }) };
  };
  const heardNonce = (nonce: string) => {
    state.nonce = nonce;
  };
  const fraudEngine = createMachine(options, FRAUD_ENGINE, heardNonce);
  const bank = createMachine(options, BANK, heardNonce);
  const payments = createMachine(options, PAYMENTS, heardNonce);
  const asMachine = async (request: Request): Promise<Headers> => {
    const row: AccessRow | undefined = accessOf(request.operationId);
    const isBanks = BANK.scope.split(' ').includes(row?.scope ?? '');
    const ofOthers = isBanks ? bank : fraudEngine;
    const { key, token } = await (row?.scopeFamily === 'step-ups' ? payments : ofOthers)();
    return { authorization: `DPoP ${token}`, dpop: await prove(request, { key, token }) };
  };

  const byCaller: { readonly [Kind in CallerKind]: (request: Request) => Promise<Headers> } = {
    public: () => Promise.resolve({}),
    staff: () => Promise.resolve({}),
    key: async (request) => ({ dpop: await prove(request, { key: options.key }) }),
    client: async (request) => ({ dpop: await prove(request, { key: options.key }) }),
    customer: async (request) =>
      await withToken(
        request,
        ENDS_MUCH.has(request.operationId) ? options.leaving : options.customer,
      ),
    machine: asMachine,
    service: asMachine,
    vendor: ({ operationId, body }) => {
      const isLiveness = operationId === 'livenessResult';
      const secret = isLiveness ? DEMO_LIVENESS_SECRET : options.identitySecret;
      const signature = signBody({ secret, body: body.toString('utf8') }, Date.now());
      return Promise.resolve({ 'latchkey-signature': signature });
    },
    gateway: async (request) => ({
      'x-gateway-id': options.gateway.id,
      'x-original-method': 'GET',
      'x-original-uri': options.gateway.path,
      ...(await withToken(request, options.customer, {
        method: 'GET',
        htu: `${options.gateway.origin}${options.gateway.path}`,
      })),
    }),
  };
  return {
    sign: async (request) =>
      isOperationId(request.operationId)
        ? await byCaller[ACCESS[request.operationId].caller](request)
        : {},
    heard: ({ operationId, status, headers }) => {
      const nonce = headers['dpop-nonce'];
      if (typeof nonce === 'string') state.nonce = nonce;
      if (operationId === 'logout') doubtful.add(options.leaving);
      if (status === 401) doubtful.add(options.customer);
    },
  };
}

async function reviveSession({ latchkey }: SoftwarePhone): Promise<void> {
  const isAlive = await latchkey.me().then(
    () => true,
    () => false,
  );
  if (!isAlive) await latchkey.logIn();
}

async function keyOf({ latchkey }: SoftwarePhone): Promise<KeyPair> {
  const { privateKey, jwk, jkt } = await latchkey.sessionKey();
  return { privateKey, publicJwk: jwk, jkt };
}

interface Machine {
  readonly clientId: string;
  readonly key: DemoPrivateKey;
  readonly scope: string;
}

const FRAUD_ENGINE: Machine = {
  clientId: 'demo-fraud',
  key: DEMO_FRAUD_KEY,
  scope: 'fraud:signal fraud:release timeline:read',
};
const BANK: Machine = {
  clientId: 'demo-bank',
  key: DEMO_BANK_KEY,
  scope: 'tokens:introspect customers:roles cut-offs:read',
};

const PAYMENTS: Machine = {
  clientId: 'demo-payments',
  key: DEMO_PAYMENTS_KEY,
  scope: 'step-ups:payment step-ups:add-payee',
};

/** A machine of the demo, with every scope that it may have; its token is kept while it lives. */
function createMachine(
  { issuer }: SignerOptions,
  { clientId, key: clientKey, scope }: Machine,
  heardNonce: (nonce: string) => void,
): () => Promise<{ readonly key: KeyPair; readonly token: string }> {
  let held: { key: KeyPair; token: string; untilMs: number } | undefined;
  const assertion = async () =>
    await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: clientKey.kid })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setJti(randomBytes(16).toString('hex'))
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(await importJWK({ ...clientKey }, 'ES256'));
  const ask = async (key: KeyPair, nonce: string | undefined): Promise<Response> =>
    await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        dpop: await makeProof({
          key,
          method: 'POST',
          htu: `${issuer}/oauth/token`,
          nowMs: Date.now(),
          nonce,
        }),
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(),
        scope,
      }).toString(),
    });
  return async () => {
    if (held !== undefined && held.untilMs > Date.now()) return held;
    const key = await createKeyPair();
    const first = await ask(key, undefined);
    const nonce = first.headers.get('dpop-nonce') ?? undefined;
    if (nonce !== undefined) heardNonce(nonce);
    const answer = first.ok ? first : await ask(key, nonce);
    // RFC 6749 section 5.1.
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`${clientId} got no token`);
    held = { key, token, untilMs: Date.now() + 120_000 };
    return held;
  };
}
