/** What the load's phones ask: refresh and gateway check, each request with a DPoP proof of its own, made ahead of what is measured. */
import { systemClock } from '../adapters/clock.ts';
import { createDpopNonces } from '../api/dpop-nonce.ts';
import { DEMO_APP_CLIENT } from '../db/bootstrap.ts';
import type { Bed } from './bed.ts';
import type { Operation, Shot } from './load.ts';
import type { Phone } from './people.ts';
import { makeProof } from './proofs.ts';

/** Gives one phone after the other, each again when all had their turn. */
function turns(phones: readonly Phone[]): () => Phone {
  let turn = 0;
  return () => {
    const phone = phones[turn];
    if (phone === undefined) throw new TypeError('a load needs phones');
    turn = (turn + 1) % phones.length;
    return phone;
  };
}

export interface Prepared {
  readonly phone: Phone;
  readonly proof: string;
}

/** Proofs in stock, in the order in which phones have their turn. What runs out is made on the spot, at the load's expense. */
export function stockOf(next: () => Phone, make: (phone: Phone) => string) {
  let stock: Prepared[] = [];
  let taken = 0;
  const one = (): Prepared => {
    const phone = next();
    return { phone, proof: make(phone) };
  };
  return {
    prepare: (count: number) => {
      // What is left may be too old by now, and its phones come again.
      stock = Array.from({ length: count }, one);
      taken = 0;
    },
    take: (): Prepared => stock[taken++] ?? one(),
  };
}

const REFRESH_TOKEN = /"refresh_token":"([^"]+)"/;
const ACCESS_TOKEN = /"access_token":"([^"]+)"/;

/** The ordinary refresh, with a request id, as the SDK sends it. */
export function refreshes(bed: Bed, phones: readonly Phone[]): Operation {
  const nonces = createDpopNonces(bed.kms, systemClock);
  const htu = `${bed.publicUrl}${bed.prefix}/oauth/token`;
  const stock = stockOf(turns(phones), ({ key }) =>
    makeProof(key, { htm: 'POST', htu, nonce: nonces.current() }),
  );
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
export function verifications(bed: Bed, phones: readonly Phone[]): Operation {
  const nonces = createDpopNonces(bed.kms, systemClock);
  const { id, origin, pathPrefix } = bed.gateway;
  const uri = `${pathPrefix}/accounts`;
  const stock = stockOf(turns(phones), ({ key, accessToken }) =>
    makeProof(key, { htm: 'GET', htu: `${origin}${uri}`, nonce: nonces.current(), accessToken }),
  );
  const head = `GET ${bed.prefix}/gateway/verify HTTP/1.1\r\nhost: localhost:${String(bed.port)}\r\nx-gateway-id: ${id}\r\nx-original-method: GET\r\nx-original-uri: ${uri}\r\n`;
  return {
    name: 'verify',
    prepare: stock.prepare,
    next: (): Shot => {
      const { phone, proof } = stock.take();
      return {
        request: `${head}authorization: DPoP ${phone.accessToken}\r\ndpop: ${proof}\r\n\r\n`,
        landed: ({ status }) => status === 200,
      };
    },
  };
}
