/**
 * The link of a recovery's message: a token that names the request under an HMAC whose key is outside the database. It is made again whenever
 * the message is, and stored nowhere. It opens the page that asks for the number on the new phone; alone it proves nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ID_PREFIXES, isId } from '../domain/ids.ts';
import type { KeyManagement } from '../domain/ports.ts';

export interface RecoveryLinks {
  /** 43 characters of base64url. @throws TypeError for what is no id of a request */
  make(tenantId: string, requestId: string): string;
  /** The request's id; undefined: not one of ours, for this tenant. Its age is the row's to judge. */
  read(tenantId: string, token: string): string | undefined;
}

const ID_BYTES = 16;
/** 128 bits: nobody guesses one, and an SMS has to carry it. */
const MAC_BYTES = 16;

export function createRecoveryLinks(kms: Pick<KeyManagement, 'secret'>): RecoveryLinks {
  const macOf = (tenantId: string, id: Uint8Array) =>
    createHmac('sha256', kms.secret('recovery-link').key)
      .update(`latchkey/recovery-link/1\0${tenantId}\0`)
      .update(id)
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    make: (tenantId, requestId) => {
      if (!isId('recoveryRequest', requestId)) throw new TypeError('a request is needed');
      const id = Buffer.from(requestId.slice(ID_PREFIXES.recoveryRequest.length + 1), 'hex');
      return Buffer.concat([id, macOf(tenantId, id)]).toString('base64url');
    },
    read: (tenantId, token) => {
      const bytes = Buffer.from(token, 'base64url');
      // One spelling of each token.
      if (bytes.length !== ID_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
        return undefined;
      const id = bytes.subarray(0, ID_BYTES);
      if (!timingSafeEqual(macOf(tenantId, id), bytes.subarray(ID_BYTES))) return undefined;
      return `${ID_PREFIXES.recoveryRequest}_${id.toString('hex')}`;
    },
  };
}
