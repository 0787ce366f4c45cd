/**
 * A WebAuthn authenticator in software, with the browser around it: P-256, discoverable, no attestation. Right in everything that `spoil` does
 * not make wrong, so that a test can break one thing and leave the rest valid. For tests only: keys stay in memory.
 */
import {
  createHash,
  createPrivateKey,
  createSign,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';

export interface Spoil {
  readonly challenge?: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly userPresent?: boolean;
  readonly userVerified?: boolean;
  /** Members added to the client data, such as crossOrigin and topOrigin. */
  readonly clientData?: Readonly<Record<string, unknown>>;
  readonly format?: string;
  /** Signs with a key that is not the passkey's. */
  readonly wrongKey?: boolean;
  readonly userHandle?: string;
  readonly signCount?: number;
  /** A credential id that was used before. */
  readonly credentialId?: string;
}

interface Passkey {
  readonly id: Buffer;
  readonly rpId: string;
  readonly userHandle: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  signCount: number;
}

const FLAG = { present: 0x01, verified: 0x04, attested: 0x40 } as const;

export class SoftwareAuthenticator {
  readonly #origin: string;
  readonly #passkeys: Passkey[] = [];

  constructor(origin: string) {
    this.#origin = origin;
  }

  get credentialIds(): readonly string[] {
    return this.#passkeys.map(({ id }) => id.toString('base64url'));
  }

  register(
    options: PublicKeyCredentialCreationOptionsJSON,
    spoil: Spoil = {},
  ): RegistrationResponseJSON {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const passkey: Passkey = {
      id:
        spoil.credentialId === undefined
          ? randomBytes(32)
          : Buffer.from(spoil.credentialId, 'base64url'),
      rpId: options.rp.id ?? '',
      userHandle: options.user.id,
      privateKey: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
      publicKey,
      signCount: 0,
    };
    this.#passkeys.push(passkey);
    const authData = Buffer.concat([
      authenticatorData(passkey, spoil, FLAG.attested),
      // AAGUID: none.
      Buffer.alloc(16),
      uint16(passkey.id.length),
      passkey.id,
      coseKey(passkey.publicKey),
    ]);
    const attestation = cborMap([
      [cborText('fmt'), cborText(spoil.format ?? 'none')],
      [cborText('attStmt'), cborMap([])],
      [cborText('authData'), cborBytes(authData)],
    ]);
    const id = passkey.id.toString('base64url');
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: { credProps: { rk: true } },
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, spoil).toString(
          'base64url',
        ),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  /** With the newest passkey for the relying party. */
  authenticate(
    options: PublicKeyCredentialRequestOptionsJSON,
    spoil: Spoil = {},
  ): AuthenticationResponseJSON {
    const passkey = this.#passkeys.findLast(({ rpId }) => rpId === options.rpId);
    if (passkey === undefined) throw new Error('no passkey for that relying party');
    passkey.signCount += 1;
    const clientData = this.#clientData('webauthn.get', options.challenge, spoil);
    const authData = authenticatorData(passkey, spoil, 0);
    const signer = createSign('sha256')
      .update(authData)
      .update(createHash('sha256').update(clientData).digest());
    const key = spoil.wrongKey === true ? strangersKey() : passkey.privateKey;
    const id = passkey.id.toString('base64url');
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signer.sign(key).toString('base64url'),
        userHandle: spoil.userHandle ?? passkey.userHandle,
      },
    };
  }

  #clientData(type: string, challenge: string, spoil: Spoil): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: spoil.type ?? type,
        challenge: spoil.challenge ?? challenge,
        origin: spoil.origin ?? this.#origin,
        crossOrigin: false,
        ...spoil.clientData,
      }),
      'utf8',
    );
  }
}

function authenticatorData(passkey: Passkey, spoil: Spoil, extraFlags: number): Buffer {
  const present = spoil.userPresent === false ? 0 : FLAG.present;
  const verified = spoil.userVerified === false ? 0 : FLAG.verified;
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(spoil.signCount ?? passkey.signCount);
  return Buffer.concat([
    createHash('sha256')
      .update(spoil.rpId ?? passkey.rpId)
      .digest(),
    Buffer.of(present | verified | extraFlags),
    counter,
  ]);
}

/** RFC 9052: kty EC2, alg ES256, crv P-256, x, y. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return cborMap([
    [cborInteger(1), cborInteger(2)],
    [cborInteger(3), cborInteger(-7)],
    [cborInteger(-1), cborInteger(1)],
    [cborInteger(-2), cborBytes(Buffer.from(x, 'base64url'))],
    [cborInteger(-3), cborBytes(Buffer.from(y, 'base64url'))],
  ]);
}

function strangersKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

// The little of CBOR (RFC 8949) that attestation needs.

function cborHead(majorType: number, value: number): Buffer {
  const type = majorType << 5;
  if (value < 24) return Buffer.of(type | value);
  return value < 256 ? Buffer.of(type | 24, value) : Buffer.of(type | 25, value >> 8, value & 0xff);
}

function cborInteger(value: number): Buffer {
  return value >= 0 ? cborHead(0, value) : cborHead(1, -1 - value);
}

function cborBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes]);
}

function cborText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([cborHead(3, bytes.length), bytes]);
}

function cborMap(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flat()]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
