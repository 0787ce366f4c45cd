/** What the load's phones ask, each request with a DPoP proof of its own, made ahead of what is measured. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../adapters/clock.ts';
import { issueChallenge } from '../api/proofs/challenges.ts';
import { createDpopNonces } from '../api/proofs/dpop-nonce.ts';
import { DEMO_APP_CLIENT } from '../db/bootstrap.ts';
import type { Bed } from './bed.ts';
import type { Operation, Shot } from './load.ts';
import type { Machine } from './machine.ts';
import { makeAssertion } from './people.ts';
import type { Phone } from './people.ts';
import { makeProof } from './proofs.ts';

/** The demo tenant's. */
const RELYING_PARTY = 'localhost';
/** As long as the policy lets it live. */
const CHALLENGE_SECONDS = 300;

/** What a phone needs to refresh and to pass a gateway. */
export type Holder = Pick<Phone, 'key' | 'refreshToken' | 'accessToken'>;

/** Gives one phone after the other, each again when all had their turn. */
export function turns<One>(phones: readonly One[]): () => One {
  let turn = 0;
  return () => {
    const phone = phones[turn];
    if (phone === undefined) throw new TypeError('a load needs phones');
    turn = (turn + 1) % phones.length;
    return phone;
  };
}

/** Requests in stock, in the order in which phones have their turn. What runs out is made on the spot, at the load's expense. */
function stockOf<Item>(make: () => Item) {
  let stock: Item[] = [];
  let taken = 0;
  return {
    prepare: (count: number) => {
      // What is left may be too old by now, and its phones come again.
      stock = Array.from({ length: count }, make);
      taken = 0;
    },
    take: (): Item => stock[taken++] ?? make(),
  };
}

const REFRESH_TOKEN = /"refresh_token":"([^"]+)"/;
const ACCESS_TOKEN = /"access_token":"([^"]+)"/;

/** The ordinary refresh, with a request id, as the SDK sends it. `next` gives whose turn it is. */
export function refreshes(bed: Bed, next: () => Holder): Operation {
  const nonces = createDpopNonces(bed.kms, systemClock);
  const htu = `${bed.publicUrl}${bed.prefix}/oauth/token`;
  const stock = stockOf(() => {
    const phone = next();
    return { phone, proof: makeProof(phone.key, { htm: 'POST', htu, nonce: nonces.current() }) };
  });
  const head = `POST ${bed.prefix}/oauth/token HTTP/1.1\r\nhost: localhost:${String(bed.port)}\r\ncontent-type: application/x-www-form-urlencoded\r\n`;
  let requests = 0;
  return {
    name: 'refresh',
    prepare: stock.prepare,
    next: (): Shot => {
      const { phone, proof } = stock.take();
      requests += 1;
      const body = `grant_type=refresh_token&client_id=${DEMO_APP_CLIENT}&refresh_token=${phone.refreshToken}&request_id=bench-${String(requests)}`;
      return {
        request: `${head}dpop: ${proof}\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
        landed: ({ status, body: answer }) => {
          phone.refreshToken = REFRESH_TOKEN.exec(answer)?.[1] ?? phone.refreshToken;
          phone.accessToken = ACCESS_TOKEN.exec(answer)?.[1] ?? phone.accessToken;
          return status === 200;
        },
      };
    },
  };
}

/** The gateway check, as nginx asks it about a request with the phone's own token and proof. Refresh the phones before: they need tokens. */
export function verifications(bed: Bed, next: () => Holder): Operation {
  const nonces = createDpopNonces(bed.kms, systemClock);
  const { id, origin, pathPrefix } = bed.gateway;
  const uri = `${pathPrefix}/accounts`;
  const stock = stockOf(() => {
    const { key, accessToken } = next();
    const claims = { htm: 'GET', htu: `${origin}${uri}`, nonce: nonces.current(), accessToken };
    return { accessToken, proof: makeProof(key, claims) };
  });
  const head = `GET ${bed.prefix}/gateway/verify HTTP/1.1\r\nhost: localhost:${String(bed.port)}\r\nx-gateway-id: ${id}\r\nx-original-method: GET\r\nx-original-uri: ${uri}\r\n`;
  return {
    name: 'verify',
    prepare: stock.prepare,
    next: (): Shot => {
      const { accessToken, proof } = stock.take();
      return {
        request: `${head}authorization: DPoP ${accessToken}\r\ndpop: ${proof}\r\n\r\n`,
        landed: ({ status }) => status === 200,
      };
    },
  };
}

/** A login with a passkey: the challenge is made here as the API makes it, so that only the login itself is measured. */
export function logins(bed: Bed, next: () => Phone): Operation {
  const { tenantId, prefix, publicUrl, kms } = bed;
  const nonces = createDpopNonces(kms, systemClock);
  const htu = `${publicUrl}${prefix}/auth/login`;
  const stock = stockOf(() => {
    const phone = next();
    const context = {
      purpose: 'login',
      tenantId,
      rpId: RELYING_PARTY,
      clientId: DEMO_APP_CLIENT,
      jkt: phone.key.jkt,
    } as const;
    const challenge = issueChallenge({ kms, clock: systemClock }, context, CHALLENGE_SECONDS);
    const credential = makeAssertion(phone, { challenge, origin: publicUrl, rpId: RELYING_PARTY });
    const proof = makeProof(phone.key, { htm: 'POST', htu, nonce: nonces.current() });
    return { phone, proof, body: JSON.stringify({ clientId: DEMO_APP_CLIENT, credential }) };
  });
  const head = jsonHead(bed, '/auth/login');
  return {
    name: 'login',
    prepare: stock.prepare,
    next: () => {
      const { phone, proof, body } = stock.take();
      return {
        request: `${head(body)}dpop: ${proof}\r\n\r\n${body}`,
        landed: ({ status, body: answer }) => {
          phone.refreshToken = REFRESH_TOKEN.exec(answer)?.[1] ?? phone.refreshToken;
          phone.accessToken = ACCESS_TOKEN.exec(answer)?.[1] ?? phone.accessToken;
          return status === 200;
        },
      };
    },
  };
}

/** A fraud engine's cut-offs, each of another customer. */
export function cutOffs(bed: Bed, machine: Machine, next: () => string): Operation {
  const nonces = createDpopNonces(bed.kms, systemClock);
  const htu = `${bed.publicUrl}${bed.prefix}/fraud/signals`;
  const { key, accessToken } = machine;
  const stock = stockOf(() => ({
    body: JSON.stringify({ customerId: next(), reason: 'account_takeover' }),
    proof: makeProof(key, { htm: 'POST', htu, nonce: nonces.current(), accessToken }),
  }));
  const head = jsonHead(bed, '/fraud/signals');
  return {
    name: 'revoke',
    prepare: stock.prepare,
    next: () => {
      const { body, proof } = stock.take();
      return {
        request: `${head(body)}authorization: DPoP ${accessToken}\r\ndpop: ${proof}\r\n\r\n${body}`,
        landed: ({ status }) => status === 202,
      };
    },
  };
}

/** The head of a POST that is done once, open for more headers. */
function jsonHead({ port, prefix }: Bed, path: string): (body: string) => string {
  const head = `POST ${prefix}${path} HTTP/1.1\r\nhost: localhost:${String(port)}\r\ncontent-type: application/json\r\n`;
  return (body) =>
    `${head}content-length: ${String(Buffer.byteLength(body))}\r\nidempotency-key: ${randomUUID()}\r\n`;
}
