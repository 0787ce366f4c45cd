/**
 * The link of a notice that freezes: a token that names customer, message and time under an HMAC whose key is outside the database. It is made
 * again whenever the message is, and stored nowhere; whoever holds it can freeze that customer once, and nothing else.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ID_PREFIXES, isId } from '../domain/ids.ts';
import type { KeyManagement } from '../domain/ports.ts';

export interface FreezeLinkFacts {
  readonly customerId: string;
  /** Of the outbox. */
  readonly messageId: string;
  readonly sentAtMs: number;
}

export interface FreezeLinks {
  /** 70 characters of base64url. @throws TypeError for what is no id */
  make(tenantId: string, facts: FreezeLinkFacts): string;
  /** undefined: not one of ours, for this tenant. Its age is for the caller to judge. */
  read(tenantId: string, token: string): FreezeLinkFacts | undefined;
}

const ID_BYTES = 16;
const TIME_BYTES = 4;
const BODY_BYTES = 2 * ID_BYTES + TIME_BYTES;
/** 128 bits: nobody guesses one, and an SMS has to carry it. */
const MAC_BYTES = 16;

export function createFreezeLinks(kms: Pick<KeyManagement, 'secret'>): FreezeLinks {
  const macOf = (tenantId: string, body: Uint8Array) =>
    createHmac('sha256', kms.secret('freeze-link').key)
      .update(`latchkey/freeze-link/1\0${tenantId}\0`)
      .update(body)
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    make: (tenantId, { customerId, messageId, sentAtMs }) => {
      const body = Buffer.alloc(BODY_BYTES);
      bytesOf('customer', customerId).copy(body, 0);
      bytesOf('outbox', messageId).copy(body, ID_BYTES);
      body.writeUInt32BE(Math.floor(sentAtMs / 1000), 2 * ID_BYTES);
      return Buffer.concat([body, macOf(tenantId, body)]).toString('base64url');
    },
    read: (tenantId, token) => {
      const bytes = Buffer.from(token, 'base64url');
      // One spelling of each token.
      if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
        return undefined;
      const body = bytes.subarray(0, BODY_BYTES);
      if (!timingSafeEqual(macOf(tenantId, body), bytes.subarray(BODY_BYTES))) return undefined;
      return {
        customerId: `${ID_PREFIXES.customer}_${body.subarray(0, ID_BYTES).toString('hex')}`,
        messageId: `${ID_PREFIXES.outbox}_${body.subarray(ID_BYTES, 2 * ID_BYTES).toString('hex')}`,
        sentAtMs: body.readUInt32BE(2 * ID_BYTES) * 1000,
      };
    },
  };
}

function bytesOf(kind: 'customer' | 'outbox', id: string): Buffer {
  if (!isId(kind, id)) throw new TypeError(`an id of ${kind} is needed`);
  return Buffer.from(id.slice(ID_PREFIXES[kind].length + 1), 'hex');
}
