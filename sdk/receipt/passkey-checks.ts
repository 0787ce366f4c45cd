/**
 * The passkey's signature as WebAuthn Level 3 section 7.2 verifies it, from the raw bytes: client data, authenticator data, signature, key. What the
 * receipt says of them beside is compared, never believed.
 */
import { fromBase64url, isSame, joined, sha256, textOf, utf8 } from './bytes.ts';
import { failed, passed } from './findings.ts';
import type { Finding, PlannedCheck } from './findings.ts';
import { membersIn } from './json.ts';
import { passkeyKey } from './keys.ts';
import type { ReceiptFile } from './types.ts';

type Passkey = ReceiptFile['passkey'];

/** WebAuthn Level 3 section 6.1. */
const FLAG = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extensions: 0x80,
} as const;
const DATA_BYTES = 37;

export function passkeyChecks({ passkey, challenge }: ReceiptFile): readonly PlannedCheck[] {
  return [
    {
      id: 'passkey_signature',
      question: 'Did the customer’s passkey sign it?',
      find: () => signatureFinding(passkey),
    },
    {
      id: 'passkey_challenge',
      question: 'Did the passkey sign this request, and no other?',
      find: () => challengeFinding(passkey, challenge),
    },
    {
      id: 'passkey_origin',
      question: 'Was it used in the bank’s own app or page?',
      find: () => originFinding(passkey),
    },
    {
      id: 'passkey_user',
      question: 'Was the customer there, and recognised by the device?',
      find: () => userFinding(passkey),
    },
  ];
}

async function signatureFinding(passkey: Passkey): Promise<Finding> {
  const { algorithm, verifies } = await passkeyKey(decoded(passkey.publicKey));
  const message = joined(
    decoded(passkey.authenticatorData),
    await sha256(decoded(passkey.clientDataJSON)),
  );
  return (await verifies(decoded(passkey.signature), message))
    ? passed(`The signature is by the passkey’s key (${algorithm}).`)
    : failed('The signature is not by the passkey that the receipt names.');
}

function challengeFinding(passkey: Passkey, challenge: string): Finding {
  const { type, challenge: signed } = clientDataOf(passkey);
  if (type !== 'webauthn.get') return failed('The passkey signed something else than a request.');
  return signed === challenge
    ? passed('The passkey’s signature names the challenge of this request.')
    : failed('The passkey signed another request.');
}

async function originFinding(passkey: Passkey): Promise<Finding> {
  const { origin, crossOrigin = false, topOrigin } = clientDataOf(passkey);
  if (origin !== passkey.origin) return failed('The receipt names another origin than was signed.');
  if (crossOrigin !== false || topOrigin !== undefined)
    return failed('The passkey was used inside somebody else’s page.');
  const rpIdHash = decoded(passkey.authenticatorData).subarray(0, 32);
  if (!isSame(rpIdHash, await sha256(utf8(passkey.rpId))))
    return failed('The passkey was made for another bank than the receipt names.');
  return isOriginOf(passkey.origin, passkey.rpId)
    ? passed(`It was used at ${passkey.origin}, with a passkey made for ${passkey.rpId}.`)
    : failed(`${passkey.origin} is no place of ${passkey.rpId}.`);
}

/** A page below the domain, or an app that its system vouches for (android:apk-key-hash:…, ios:…). */
function isOriginOf(origin: string, rpId: string): boolean {
  if (/^(android:apk-key-hash(-sha256)?|ios:bundle-id):[A-Za-z0-9._=-]+$/.test(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost');
  return isSafe && (hostname === rpId || hostname.endsWith(`.${rpId}`));
}

function userFinding(passkey: Passkey): Finding {
  const data = decoded(passkey.authenticatorData);
  const flags = data[32] ?? 0;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(FLAG.attested) || (!has(FLAG.extensions) && data.length !== DATA_BYTES))
    return failed('The authenticator’s data are not those of a signature.');
  if (!has(FLAG.userPresent) || !has(FLAG.userVerified))
    return failed('The device did not check who used the passkey.');
  const signCount = new DataView(data.buffer, data.byteOffset).getUint32(33);
  const isAgreed =
    passkey.userVerified &&
    passkey.backupEligible === has(FLAG.backupEligible) &&
    passkey.backedUp === has(FLAG.backedUp) &&
    passkey.signCount === signCount;
  if (!isAgreed) return failed('The receipt says otherwise than what the authenticator signed.');
  if (has(FLAG.backedUp) && !has(FLAG.backupEligible))
    return failed('The authenticator contradicts itself.');
  const kind = has(FLAG.backupEligible)
    ? 'may be synced between devices'
    : 'is bound to one device';
  return passed(`The device checked the person (fingerprint, face or code). This passkey ${kind}.`);
}

function clientDataOf({ clientDataJSON }: Passkey): Readonly<Record<string, unknown>> {
  return membersIn(textOf(decoded(clientDataJSON)) ?? '');
}

function decoded(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64url(text);
  if (bytes === undefined) throw new TypeError('base64url');
  return bytes;
}
