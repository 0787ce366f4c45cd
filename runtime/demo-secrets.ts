/**
 * The published secrets of the demo: the same in every checkout, so that a developer needs to make none, and worthless for that
 * reason. Key ids and secrets begin with `demo`, by which configuration/ refuses them in production; nothing else may use them.
 */

/** Seals personal data and the token-signing keys of the demo's database. */
export const DEMO_MASTER_KEYS = 'demo-master-1:K1mVBXCzPpET5GKe8lanr0YypD90DoPjRBecca0oa4o=';
/** Seals the payloads in the demo's Temporal. */
export const DEMO_PAYLOAD_KEYS = 'demo-payload-1:VUNEH+rXSYY2wUVy0OW2Dt++lUX9C9k5SHJfhOk5Z+E=';
export const DEMO_SMS_SECRET = 'demo-sms-secret-for-this-machine-only';
export const DEMO_IDENTITY_SECRET = 'demo-identity-secret-for-this-machine-only';
export const DEMO_LIVENESS_SECRET = 'demo-liveness-secret-for-this-machine-only';
export const DEMO_RISK_SECRET = 'demo-risk-secret-for-this-machine-only';
/** Latchkey's client secret at the demo's staff directory. */
export const DEMO_STAFF_SECRET = 'demo-staff-secret-for-this-machine-only';

/** A P-256 key as its JWK. */
export interface DemoPrivateKey {
  readonly kid: string;
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly alg: 'ES256';
  readonly x: string;
  readonly y: string;
  readonly d: string;
}

/** What the demo's fraud engine (client `demo-fraud`) signs its client assertions with. */
export const DEMO_FRAUD_KEY: DemoPrivateKey = {
  kid: 'demo-fraud-1',
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  x: 'X2-4VE5d-YIbTvbjqUQHsIDtRrWR1aiGQR0M5id_9r8',
  y: '50aYta0Vvky3cWSL6pbHGLeiFkLqV7ht_HluAA50ouA',
  d: 'cuTgByCQy659k43rU3MHnJfv8YQulqBd0c8ReV2xhEE',
};

/** What the demo bank's services (client `demo-bank`) sign theirs with. */
export const DEMO_BANK_KEY: DemoPrivateKey = {
  kid: 'demo-bank-1',
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  x: 'J77B4taTLXzx-jA_IDIytEeBLNGxtB1pcqF9IwXSxHk',
  y: '5cHJvMzEWrig9rW6GRwQeSxkdbYtdqArRBFg3fKBi2g',
  d: 'R3LRbhaQu1Up5V7S5mpoaZ1bnrofyGhSnNYgD_EX2ww',
};

/** What the demo bank's payments service (client `demo-payments`) signs its assertions and its Nexus requests with. */
export const DEMO_PAYMENTS_KEY: DemoPrivateKey = {
  kid: 'demo-payments-1',
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  x: 'k_xXb1VZ1kIaebntkv34I6Kee6nXPKgGcak9crNJ4Jo',
  y: 'nctHV8hWl8UjL8RJqSbT60Kq0DzKpi618YMgZZ2-Hk8',
  d: 'NJwCpbGgqajn-YFHo7brnc3ubpJncl8KQhThSCGfLFA',
};

/** The public half, as the client's registration holds it. */
export function demoFraudJwks() {
  return publicJwks(DEMO_FRAUD_KEY);
}

/** The same of the bank's services. */
export function demoBankJwks() {
  return publicJwks(DEMO_BANK_KEY);
}

/** The same of its payments service. */
export function demoPaymentsJwks() {
  return publicJwks(DEMO_PAYMENTS_KEY);
}

function publicJwks({ kid, kty, crv, alg, x, y }: DemoPrivateKey) {
  return { keys: [{ kid, kty, crv, alg, x, y, use: 'sig' }] };
}
