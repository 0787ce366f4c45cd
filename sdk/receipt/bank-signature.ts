/**
 * The bank's signature: a compact JWS whose payload names the receipt and the SHA-256 of its canonical form (RFC 8785). The key inside it only ties
 * the file together; that it is the bank's is said by a list of keys that came another way.
 */
import { sha256, textOf, toBase64url, utf8 } from './bytes.ts';
import { failed, notChecked, passed } from './findings.ts';
import type { Finding, PlannedCheck } from './findings.ts';
import { canonical, membersIn, readJson } from './json.ts';
import { es256Key, hasSmallS, readJws, thumbprint } from './keys.ts';
import { KEY_LIST } from './shape.ts';
import { membersOf } from '../members.ts';
import type { EcJwk, ReceiptKeys } from './types.ts';

export interface SignedFile {
  readonly typ: string;
  readonly iss: string;
  /** The receipt's id. */
  readonly sub: string;
  /** Everything that is signed. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signature: string;
  /** When it says it was signed. */
  readonly signedAt: string;
}

export function bankChecks(file: SignedFile, keys: string | undefined): readonly PlannedCheck[] {
  return [
    {
      id: 'bank_signature',
      question: 'Is it, to the last comma, what was signed?',
      find: () => signatureFinding(file),
    },
    {
      id: 'bank_key',
      question: 'Was it signed by a key of the bank, at a time when that key counted?',
      find: () => (keys === undefined ? NO_KEYS : keyFinding(file, keys)),
    },
  ];
}

const NO_KEYS = notChecked(
  'No list of the bank’s keys was given. The file fits together, but anybody could have made it: get the keys from the bank.',
);

async function signatureFinding(file: SignedFile): Promise<Finding> {
  const jws = readJws(file.signature);
  const jwk = signingKeyOf(file.signature);
  if (jws === undefined || jwk === undefined) return failed('There is no readable signature.');
  const header = canonical({ alg: 'ES256', jwk, kid: await thumbprint(jwk), typ: file.typ });
  if (textOf(jws.header) !== header)
    return failed('The signature’s own header is not that of a receipt.');
  const digest = toBase64url(await sha256(utf8(canonical(file.claims))));
  const { iss, sub } = file;
  if (textOf(jws.payload) !== canonical({ iss, sha256: digest, sub }))
    return failed('The file was changed after it was signed.');
  const verifies = await es256Key(jwk);
  if (!hasSmallS(jws.signature) || !(await verifies(jws.signature, jws.signed)))
    return failed('The signature is not by the key that it names.');
  return passed('Nothing was changed, added or left out since it was signed.');
}

/** As the header holds it; what else the header holds is compared as a whole. */
function signingKeyOf(signature: string): EcJwk | undefined {
  const header = membersIn(textOf(readJws(signature)?.header ?? new Uint8Array()) ?? '');
  const { x, y } = membersOf(header['jwk']);
  return typeof x === 'string' && typeof y === 'string'
    ? { kty: 'EC', crv: 'P-256', x, y }
    : undefined;
}

async function keyFinding(file: SignedFile, text: string): Promise<Finding> {
  const list = readKeyList(text);
  if (list === undefined) return failed('The list of keys that was given is none.');
  if (list.issuer !== file.iss)
    return failed(`The keys are those of ${list.issuer}, the receipt says it is from ${file.iss}.`);
  const jwk = signingKeyOf(file.signature);
  const kid = jwk === undefined ? undefined : await thumbprint(jwk);
  const key = list.keys.find((one) => one.kid === kid);
  if (jwk === undefined || key === undefined || key.x !== jwk.x || key.y !== jwk.y)
    return failed('The key that signed it is none of the bank’s.');
  const { validFrom, validUntil } = key;
  // All in the one spelling of a time, which sorts as it counts.
  if (file.signedAt < validFrom || (validUntil !== null && file.signedAt >= validUntil))
    return failed('The bank’s key did not count at the time of this receipt.');
  return passed(`Signed by ${file.iss}.`);
}

/** What `/.well-known/receipt-keys.json` answered; undefined for anything else. */
export function readKeyList(text: string): ReceiptKeys | undefined {
  const read = readJson(text);
  if (!('value' in read) || KEY_LIST(read.value, '') !== undefined) return undefined;
  // KEY_LIST has found every member that the type names.
  return read.value as ReceiptKeys;
}
