/**
 * The personal text of a receipt and what ties it in: salted digests signed by the bank, and the challenge, the hash of the very text that was sent
 * to be shown. What was taken out of a copy is said to be taken out, never assumed.
 */
import { sha256, toBase64url, utf8 } from './bytes.ts';
import { challengeOf } from './challenge.ts';
import { failed, notChecked, passed } from './findings.ts';
import type { Finding, PlannedCheck } from './findings.ts';
import { canonical, readJson } from './json.ts';
import { isRecord } from '../members.ts';
import type { ReceiptFile } from './types.ts';

export function textChecks(receipt: ReceiptFile): readonly PlannedCheck[] {
  return [
    {
      id: 'personal_text',
      question: 'Is the personal text in the file the text that the bank signed for?',
      find: () => disclosuresFinding(receipt),
    },
    {
      id: 'challenge',
      question: 'Does the text that was sent give the challenge that was signed?',
      find: () => challengeFinding(receipt),
    },
    {
      id: 'agreement',
      question: 'Does the text that was sent say the same as the receipt?',
      find: () => agreementFinding(receipt),
    },
  ];
}

/** Names of pieces that the receipt has a digest of and the file does not hold. */
export function withheldOf({ digests, disclosures }: ReceiptFile): readonly string[] {
  return Object.keys(digests).filter((name) => !Object.hasOwn(disclosures, name));
}

async function disclosuresFinding({ digests, disclosures }: ReceiptFile): Promise<Finding> {
  for (const [name, { salt, value }] of Object.entries(disclosures)) {
    const digest = toBase64url(await sha256(utf8(canonical([salt, name, value]))));
    if (!Object.hasOwn(digests, name) || digests[name] !== digest)
      return failed(`“${name}” is not the text that the bank signed for.`);
  }
  const shown = Object.keys(disclosures).length;
  const all = Object.keys(digests).length;
  if (shown === 0)
    return notChecked('All personal text was taken out of this copy. Whoever has it can add it.');
  return shown === all
    ? passed('Every piece has the digest that the bank signed.')
    : notChecked(
        `${String(shown)} of ${String(all)} pieces are here and right; the others were taken out.`,
      );
}

const TAKEN_OUT = notChecked('The text that was sent was taken out of this copy.');

async function challengeFinding(receipt: ReceiptFile): Promise<Finding> {
  const preimage = preimageOf(receipt);
  if (preimage === undefined) return TAKEN_OUT;
  return (await challengeOf(preimage)) === receipt.challenge
    ? passed('The challenge is the hash of exactly this text.')
    : failed('The text gives another challenge: it is not what the customer signed.');
}

function agreementFinding(receipt: ReceiptFile): Finding {
  const preimage = preimageOf(receipt);
  if (preimage === undefined) return TAKEN_OUT;
  const read = readJson(preimage);
  if (!('value' in read) || !isRecord(read.value)) return failed('The text cannot be read.');
  const sent = read.value;
  if (canonical(sent) !== preimage) return failed('The text is not in its canonical form.');
  const { action, display } = sent;
  if (!isRecord(action) || !isRecord(display)) return failed('The text names no action.');
  const { type, ...members } = action;
  const expected: readonly (readonly [string, unknown, unknown])[] = [
    ['alg', sent['alg'], 'SHA-256'],
    ['tenant', sent['tenant'], receipt.tenant],
    ['rpId', sent['rpId'], receipt.passkey.rpId],
    ['stepUpId', sent['stepUpId'], receipt.stepUpId],
    ['requester', sent['requester'], receipt.requester],
    ['customer', sent['customer'], receipt.customer],
    ['context', sent['context'], receipt.context],
    ['policy', sent['policy'], receipt.policy],
    ['epoch', sent['epoch'], receipt.epoch],
    ['exp', sent['exp'], secondsOf(receipt.times.approveBy)],
    ['action.type', type, receipt.actionType],
    ...pieces(receipt, 'display.text', display['text']),
    ...Object.entries(members).flatMap(([name, value]) => pieces(receipt, `action.${name}`, value)),
  ];
  const wrong = expected.find(([, one, other]) => !isEqual(one, other));
  if (wrong !== undefined) return failed(`The two say different things about “${wrong[0]}”.`);
  const names = [
    'preimage',
    'display.text',
    ...Object.keys(members).map((name) => `action.${name}`),
  ];
  if (!isEqual(names.toSorted(), Object.keys(receipt.digests).toSorted()))
    return failed('The receipt names other pieces of text than were sent.');
  const iat = sent['iat'];
  const isInTime =
    typeof iat === 'number' &&
    iat >= secondsOf(receipt.times.requestedAt) &&
    iat <= secondsOf(receipt.times.provedAt);
  return isInTime
    ? passed('Action, requester, customer, policy and times are the same in both.')
    : failed('The text was not sent between the request and its approval.');
}

/** A piece that the file also holds by itself must be the one in the text. */
function pieces(
  { disclosures }: ReceiptFile,
  name: string,
  sent: unknown,
): readonly (readonly [string, unknown, unknown])[] {
  const piece = Object.hasOwn(disclosures, name) ? disclosures[name] : undefined;
  return piece === undefined ? [] : [[name, sent, piece.value]];
}

function preimageOf({ disclosures }: ReceiptFile): string | undefined {
  if (!Object.hasOwn(disclosures, 'preimage')) return undefined;
  const value = disclosures['preimage']?.value;
  // Of another kind: no text has this hash.
  return typeof value === 'string' ? value : '';
}

function isEqual(one: unknown, other: unknown): boolean {
  return one !== undefined && other !== undefined && canonical(one) === canonical(other);
}

function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}
