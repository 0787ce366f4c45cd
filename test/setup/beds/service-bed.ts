/**
 * A service of the bank that checks requests by itself, with the real verifier following the real feed of an API that listens, and customers
 * who call it. The line between the two can be cut.
 */
import { calculateJwkThumbprint, importJWK } from 'jose';
import { vi } from 'vitest';
import { DEMO_BANK_KEY } from '../../../runtime/demo-secrets.ts';
import { signRequest } from '../../../sdk/signed-request.ts';
import type { ServiceRequest } from '../../../sdk/verifier/request.ts';
import { createVerifier } from '../../../sdk/verifier/verifier.ts';
import type { Verifier, VerifierOptions } from '../../../sdk/verifier/verifier.ts';
import { startTestApi } from '../api.ts';
import type { TestApi } from '../api.ts';
import { logInSomebody } from './gateway-bed.ts';
import type { LoggedIn } from './gateway-bed.ts';
import { makeProof } from '../proof.ts';
import type { ProofParts } from '../proof.ts';

export const SERVICE = 'https://pay.bank.example';

export interface ServiceBed {
  readonly api: TestApi;
  readonly verifier: Verifier;
  /** Whether the verifier reaches Latchkey. */
  readonly line: { isCut: boolean };
  /** Why the feed was interrupted, so far. */
  readonly interruptions: readonly unknown[];
  somebody(): Promise<LoggedIn>;
  close(): Promise<void>;
}

export async function startServiceBed(options: Partial<VerifierOptions> = {}): Promise<ServiceBed> {
  const api = await startTestApi();
  const listening = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const line = { isCut: false };
  const interruptions: unknown[] = [];
  const open = new Set<AbortController>();
  const privateKey = await importJWK({ ...DEMO_BANK_KEY }, 'ES256');
  if (privateKey instanceof Uint8Array) throw new TypeError('an EC key is no bytes');
  const verifier = createVerifier({
    issuer: `${api.publicUrl}${api.prefix}`,
    origin: SERVICE,
    client: { clientId: 'demo-bank', privateKey, keyId: DEMO_BANK_KEY.kid },
    nowMs: () => api.clock.nowMs(),
    onInterruption: (error) => interruptions.push(error),
    fetch: async (input, init) => {
      if (line.isCut) throw new TypeError('the line is cut');
      const url = new Request(input, init).url.replace(api.publicUrl, listening);
      const cutter = new AbortController();
      open.add(cutter);
      const signal = AbortSignal.any([cutter.signal, ...(init?.signal ? [init.signal] : [])]);
      const answer = await fetch(url, { ...init, signal });
      // Node dates its answers by the machine's clock, which is not the one of this API.
      const headers = new Headers(answer.headers);
      headers.delete('date');
      return new Response(answer.body, { status: answer.status, headers });
    },
    ...options,
  });
  await vi.waitFor(() => {
    if (!verifier.isReady()) throw new Error('not ready');
  }, 10_000);
  // Proofs that could have been shown before the verifier began are refused.
  api.clock.advance(10_000);
  await vi.waitFor(() => {
    if (!verifier.isReady()) throw new Error('not ready');
  }, 10_000);
  return {
    api,
    verifier,
    line: {
      get isCut() {
        return line.isCut;
      },
      set isCut(wanted) {
        line.isCut = wanted;
        if (wanted) for (const cutter of open) cutter.abort();
      },
    },
    interruptions,
    somebody: () => logInSomebody(api),
    close: async () => {
      await verifier.close();
      await api.close();
    },
  };
}

export interface Sending {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
  readonly isSigned?: boolean;
  readonly proof?: Partial<ProofParts>;
}

/** What a customer's app sends, right in everything that is not spoiled. */
export async function requestOf(
  api: TestApi,
  { phone, token }: Pick<LoggedIn, 'phone' | 'token'>,
  sending: Sending = {},
): Promise<ServiceRequest & { readonly headers: Record<string, string[]> }> {
  const { method = 'POST', target = '/pay/transfers?dry=1', body = '{"amount":1}' } = sending;
  const dpop = await makeProof({
    key: phone.key,
    method,
    htu: `${SERVICE}${target.split('?', 1)[0] ?? ''}`,
    nowMs: api.clock.nowMs(),
    accessToken: token,
    ...sending.proof,
  });
  const authorization = `DPoP ${token}`;
  const jkt = await calculateJwkThumbprint(phone.key.publicJwk);
  const signature =
    sending.isSigned === true
      ? await signRequest(
          { privateKey: phone.key.privateKey, jkt },
          { method, url: `${SERVICE}${target}`, body, authorization, dpop },
          api.clock.nowMs(),
        )
      : {};
  const headers = { authorization, dpop, ...signature };
  return {
    method,
    target,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    body: new TextEncoder().encode(body),
  };
}
