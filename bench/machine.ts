/** The demo's fraud engine with an access token of its own, bound to a key whose proofs can be made ahead of time. */
import { createPrivateKey, randomUUID } from 'node:crypto';
import { systemClock } from '../adapters/clock.ts';
import { createDpopNonces } from '../api/proofs/dpop-nonce.ts';
import { DEMO_FRAUD_CLIENT } from '../db/bootstrap.ts';
import { DEMO_FRAUD_KEY } from '../runtime/demo-secrets.ts';
import type { Bed } from './bed.ts';
import { createKey, encoded, makeProof, signJws } from './proofs.ts';
import type { BenchKey } from './proofs.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface Machine {
  readonly key: BenchKey;
  readonly accessToken: string;
}

export async function createMachine({ kms, port, prefix, publicUrl }: Bed): Promise<Machine> {
  const key = createKey();
  const htu = `${publicUrl}${prefix}/oauth/token`;
  const nonce = createDpopNonces(kms, systemClock).current();
  const answer = await fetch(`http://127.0.0.1:${String(port)}${prefix}/oauth/token`, {
    method: 'POST',
    headers: { dpop: makeProof(key, { htm: 'POST', htu, nonce }) },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: makeAssertion(`${publicUrl}${prefix}`),
      scope: 'fraud:signal',
    }),
  });
  const text = await answer.text();
  const accessToken = /"access_token":"([^"]+)"/.exec(text)?.[1];
  if (accessToken === undefined) throw new Error(`the fraud engine got no token: ${text}`);
  return { key, accessToken };
}

/** RFC 7523 section 3. */
function makeAssertion(audience: string): string {
  const { kid, ...jwk } = DEMO_FRAUD_KEY;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: DEMO_FRAUD_CLIENT,
    sub: DEMO_FRAUD_CLIENT,
    aud: audience,
    iat: nowSeconds,
    exp: nowSeconds + 60,
    jti: randomUUID(),
  };
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  return signJws(privateKey, encoded({ alg: 'ES256', kid }), encoded(claims));
}
