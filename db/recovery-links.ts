/**
 * The links of a recovery's messages: a token that names a row under an HMAC whose key is outside the database. It is made again whenever its
 * message is, and stored nowhere. Whoever holds one has a mailbox or a number, no more: alone it proves nothing and never ends a case.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ID_PREFIXES, isId } from '../domain/ids.ts';
import type { KeyManagement } from '../domain/ports.ts';

export interface RecoveryLinks {
  /** 43 characters of base64url. @throws TypeError for an id of another kind */
  make(tenantId: string, id: string): string;
  /** The id; undefined: not one of ours, for this tenant. Its age is the row's to judge. */
  read(tenantId: string, token: string): string | undefined;
}

type LinkKeys = Pick<KeyManagement, 'secret'>;

/** Of a request: opens the page that asks for the number on the new phone. */
export const createRecoveryLinks = (kms: LinkKeys): RecoveryLinks =>
  createLinks(kms, 'recovery-link', 'recoveryRequest');

/** Of a case, in its notices: objects to it, which holds it. */
export const createObjectionLinks = (kms: LinkKeys): RecoveryLinks =>
  createLinks(kms, 'recovery-objection', 'ceremony');

const ID_BYTES = 16;
/** 128 bits: nobody guesses one, and an SMS has to carry it. */
const MAC_BYTES = 16;

function createLinks(
  kms: LinkKeys,
  secret: 'recovery-link' | 'recovery-objection',
  kind: 'recoveryRequest' | 'ceremony',
): RecoveryLinks {
  const prefix = ID_PREFIXES[kind];
  const macOf = (tenantId: string, id: Uint8Array) =>
    createHmac('sha256', kms.secret(secret).key)
      .update(`latchkey/${secret}/1\0${tenantId}\0`)
      .update(id)
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    make: (tenantId, id) => {
      if (!isId(kind, id)) throw new TypeError(`an id that begins with ${prefix}_ is needed`);
      const bytes = Buffer.from(id.slice(prefix.length + 1), 'hex');
      return Buffer.concat([bytes, macOf(tenantId, bytes)]).toString('base64url');
    },
    read: (tenantId, token) => {
      const bytes = Buffer.from(token, 'base64url');
      // One spelling of each token.
      if (bytes.length !== ID_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
        return undefined;
      const id = bytes.subarray(0, ID_BYTES);
      if (!timingSafeEqual(macOf(tenantId, id), bytes.subarray(ID_BYTES))) return undefined;
      return `${prefix}_${id.toString('hex')}`;
    },
  };
}
