/** The receipt verifier's own reading of passkeys and their signatures, on the test vectors of WebAuthn Level 3; none of them is kept here. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeAttestationObject, parseAuthenticatorData } from '@simplewebauthn/server/helpers';
import { describe, expect, it } from 'vitest';
import { passkeyKey } from '../../sdk/receipt/keys.ts';
import { vectorsFolder } from './vectors-folder.ts';

interface Vector {
  readonly id: string;
  readonly registration: { readonly fields: { readonly attestationObject: string } };
  readonly authentication: {
    readonly fields: {
      readonly authenticatorData: string;
      readonly clientDataJSON: string;
      readonly signature: string;
    };
  };
}

const { vectors } = JSON.parse(
  readFileSync(join(vectorsFolder(), 'webauthn-l3', 'vectors.json'), 'utf8'),
  // As its README describes it.
) as { readonly vectors: readonly Vector[] };
/** Latchkey registers none of these (api/webauthn/registration.ts). */
const OTHERS = new Set(['packed-es384', 'packed-es512', 'packed-ed448']);
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

function keyOf({ registration }: Vector): Uint8Array<ArrayBuffer> {
  const decoded = decodeAttestationObject(bytes(registration.fields.attestationObject));
  const { credentialPublicKey } = parseAuthenticatorData(new Uint8Array(decoded.get('authData')));
  return new Uint8Array(credentialPublicKey ?? []);
}

describe('passkeys of the WebAuthn Level 3 vectors', () => {
  it.each(vectors.filter(({ id }) => !OTHERS.has(id)).map((vector) => [vector.id, vector]))(
    'verifies %s, and nothing with one bit changed',
    async (_id, vector) => {
      const { authenticatorData, clientDataJSON, signature } = vector.authentication.fields;
      const { verifies } = await passkeyKey(keyOf(vector));
      const hash = createHash('sha256').update(bytes(clientDataJSON)).digest();
      const message = new Uint8Array([...bytes(authenticatorData), ...hash]);
      expect(await verifies(bytes(signature), message)).toBe(true);
      for (const at of [0, 32, message.length - 1]) {
        const changed = Uint8Array.from(message);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(await verifies(bytes(signature), changed)).toBe(false);
      }
    },
  );

  it.each(vectors.filter(({ id }) => OTHERS.has(id)).map((vector) => [vector.id, vector]))(
    'takes no key of another kind: %s',
    async (_id, vector) => {
      await expect(passkeyKey(keyOf(vector))).rejects.toThrow(TypeError);
    },
  );
});
