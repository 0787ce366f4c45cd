/**
 * The link of a recovery's notices that objects: a token that names the case under an HMAC whose key is outside the database. It is made again
 * whenever a notice is, and stored nowhere. Whoever holds it has a mailbox or a number, no more: alone it holds a case and never ends one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ID_PREFIXES, isId } from '../domain/ids.ts';
import type { KeyManagement } from '../domain/ports.ts';

export interface ObjectionLinks {
  /** 43 characters of base64url. @throws TypeError for what is no id of a case */
  make(tenantId: string, recoveryId: string): string;
  /** The case's id; undefined: not one of ours, for this tenant. */
  read(tenantId: string, token: string): string | undefined;
}

const ID_BYTES = 16;
/** 128 bits: nobody guesses one, and an SMS has to carry it. */
const MAC_BYTES = 16;

export function createObjectionLinks(kms: Pick<KeyManagement, 'secret'>): ObjectionLinks {
  const macOf = (tenantId: string, id: Uint8Array) =>
    createHmac('sha256', kms.secret('recovery-objection').key)
      .update(`latchkey/recovery-objection/1\0${tenantId}\0`)
      .update(id)
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    make: (tenantId, recoveryId) => {
      if (!isId('ceremony', recoveryId)) throw new TypeError('a case is needed');
      const id = Buffer.from(recoveryId.slice(ID_PREFIXES.ceremony.length + 1), 'hex');
      return Buffer.concat([id, macOf(tenantId, id)]).toString('base64url');
    },
    read: (tenantId, token) => {
      const bytes = Buffer.from(token, 'base64url');
      // One spelling of each token.
      if (bytes.length !== ID_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
        return undefined;
      const id = bytes.subarray(0, ID_BYTES);
      if (!timingSafeEqual(macOf(tenantId, id), bytes.subarray(ID_BYTES))) return undefined;
      return `${ID_PREFIXES.ceremony}_${id.toString('hex')}`;
    },
  };
}
