/**
 * The verifier of receipts: one call with the file's text and the bank's published keys, no network, no clock, in Node and in browsers. Every check
 * is carried out and explained; a file is good only when none failed.
 */
import { approvalChecks } from './approval-checks.ts';
import { bankChecks } from './bank-signature.ts';
import { carriedOut } from './findings.ts';
import type { PlannedCheck } from './findings.ts';
import { readJson } from './json.ts';
import { passkeyChecks } from './passkey-checks.ts';
import { isRecord } from '../members.ts';
import { RECEIPT, RECOVERY_RECORD, REVOCATION_RECEIPT } from './shape.ts';
import { textChecks, withheldOf } from './text-checks.ts';
import type { Check, ReceiptFile, SignedFileOfBank, Verdict, Verification } from './types.ts';

export interface VerifyOptions {
  /** The text of the tenant's `/.well-known/receipt-keys.json`, however old it is. Without it nobody vouches for the signer. */
  readonly keys?: string;
}

/** `text`: the file's. Never throws for what it holds. */
export async function verifyReceipt(
  text: string,
  { keys }: VerifyOptions = {},
): Promise<Verification> {
  const read = readJson(text);
  if ('wrong' in read) return unreadable(read.wrong);
  const type = isRecord(read.value) ? read.value['type'] : undefined;
  const wrong = shapeOf(type)(read.value, '');
  if (wrong !== undefined)
    return unreadable(
      wrong === '' || wrong === 'type'
        ? 'It is no receipt of Latchkey.'
        : `“${wrong}” is missing, or does not belong there, or is not of its form.`,
    );
  // The shapes have found exactly the members that the types name.
  const receipt = read.value as SignedFileOfBank;
  const planned =
    receipt.type === 'latchkey-receipt' ? checksOf(receipt, keys) : statementChecks(receipt, keys);
  const checks = [
    passedForm(receipt),
    ...(await Promise.all(planned.map((check) => carriedOut(check)))),
  ];
  const verdict = verdictOf(checks, receipt);
  const says = WORDS[verdict];
  return verdict === 'refused' ? { verdict, says, checks } : { verdict, says, checks, receipt };
}

function checksOf(receipt: ReceiptFile, keys: string | undefined): readonly PlannedCheck[] {
  const { disclosures: _disclosures, signature, ...claims } = receipt;
  const { iss, receiptId: sub, times } = receipt;
  const typ = 'latchkey-receipt+jwt';
  return [
    ...bankChecks({ typ, iss, sub, claims, signature, signedAt: times.sealedAt }, keys),
    ...textChecks(receipt),
    ...passkeyChecks(receipt),
    ...approvalChecks(receipt),
  ];
}

function shapeOf(type: unknown) {
  if (type === 'latchkey-revocation-receipt') return REVOCATION_RECEIPT;
  return type === 'latchkey-recovery-record' ? RECOVERY_RECORD : RECEIPT;
}

function statementChecks(
  receipt: Exclude<SignedFileOfBank, ReceiptFile>,
  keys: string | undefined,
): readonly PlannedCheck[] {
  const { signature, ...claims } = receipt;
  const { iss, type } = receipt;
  const isRevocation = type === 'latchkey-revocation-receipt';
  const sub = isRevocation ? receipt.revocationId : receipt.recoveryId;
  const signedAt = isRevocation ? receipt.secondListingEmptyAt : receipt.times.sealedAt;
  return bankChecks({ typ: `${type}+jwt`, iss, sub, claims, signature, signedAt }, keys);
}

function verdictOf(checks: readonly Check[], receipt: SignedFileOfBank): Verdict {
  if (checks.some(({ result }) => result === 'failed')) return 'refused';
  if (checks.some(({ id, result }) => id === 'bank_key' && result !== 'passed'))
    return 'unconfirmed';
  const isWhole = receipt.type !== 'latchkey-receipt' || withheldOf(receipt).length === 0;
  return isWhole && checks.every(({ result }) => result === 'passed') ? 'genuine' : 'withheld';
}

const WORDS: Readonly<Record<Verdict, string>> = {
  genuine: 'This receipt is genuine.',
  withheld: 'This receipt is genuine, but personal text was taken out of this copy.',
  unconfirmed:
    'This file fits together, but without the bank’s keys nobody vouches that the bank signed it.',
  refused: 'This is not a genuine receipt.',
};

const FORM = {
  id: 'form',
  question: 'Has the file the form of a receipt, with nothing missing and nothing added?',
} as const;

function passedForm({ version }: { readonly version: number }): Check {
  return { ...FORM, result: 'passed', says: `A receipt of version ${String(version)}.` };
}

function unreadable(says: string): Verification {
  return { verdict: 'refused', says: WORDS.refused, checks: [{ ...FORM, result: 'failed', says }] };
}
