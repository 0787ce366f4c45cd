/** The device's half of an approval, and whether what the receipt says of times and strength holds together. */
import { textOf } from './bytes.ts';
import { failed, passed } from './findings.ts';
import type { Finding, PlannedCheck } from './findings.ts';
import { canonical, membersIn } from './json.ts';
import { es256Key, readJws } from './keys.ts';
import type { ReceiptFile } from './types.ts';

const APPROVAL_TYPE = 'latchkey-approval+jwt';

export function approvalChecks(receipt: ReceiptFile): readonly PlannedCheck[] {
  return [
    {
      id: 'approval_key',
      question: 'Did the approval key of the customer’s device sign the same request?',
      find: () => approvalKeyFinding(receipt),
    },
    {
      id: 'strength',
      question: 'Does what was proved give the strength that the receipt names?',
      find: () => strengthFinding(receipt),
    },
    {
      id: 'times',
      question: 'Did everything happen in order and in time?',
      find: () => timesFinding(receipt),
    },
  ];
}

async function approvalKeyFinding({
  approvalKey,
  challenge,
  iss,
  stepUpId,
}: ReceiptFile): Promise<Finding> {
  const jws = readJws(approvalKey.jws);
  if (jws === undefined) return failed('There is no readable signature of the device.');
  const header = membersIn(textOf(jws.header) ?? '');
  if (header['alg'] !== 'ES256' || header['typ'] !== APPROVAL_TYPE || 'crit' in header)
    return failed('The device signed something else than an approval.');
  if (textOf(jws.payload) !== canonical({ challenge, iss, stepUpId }))
    return failed('The device approved another request.');
  const verifies = await es256Key(approvalKey.jwk);
  return (await verifies(jws.signature, jws.signed))
    ? passed('A second key of the device, used for approvals only, signed the same challenge.')
    : failed('The signature is not by the device that the receipt names.');
}

function strengthFinding({ acr, secondFactor, audit }: ReceiptFile): Finding {
  const needsSecond = acr === 'latchkey:4';
  if (needsSecond !== (secondFactor !== null) || needsSecond !== (audit.code !== null))
    return failed('The strength and the factors that were proved do not fit.');
  return passed(
    needsSecond
      ? 'Passkey, approval key, and a code that was sent by text message.'
      : 'Passkey and approval key; no second channel was needed.',
  );
}

function timesFinding({ times, device, secondFactor, delaySeconds }: ReceiptFile): Finding {
  const { requestedAt, provedAt, approvedAt, approveBy, consumableAt, consumeBy, sealedAt } = times;
  // All in the one spelling of a time, which sorts as it counts.
  const isOrdered = (...list: readonly string[]): boolean =>
    list.every((time, index) => index === 0 || (list[index - 1] ?? '') <= time);
  if (!isOrdered(requestedAt, provedAt, approvedAt, sealedAt))
    return failed('The times are not in the order in which things happen.');
  if (approvedAt >= approveBy) return failed('It was approved after its time was over.');
  if ((secondFactor?.provedAt ?? provedAt) !== approvedAt)
    return failed('It was not approved when its last factor was proved.');
  if (Date.parse(consumableAt) !== Date.parse(approvedAt) + delaySeconds * 1000)
    return failed('The delay is not what the receipt says it was.');
  if (consumeBy <= consumableAt) return failed('It could never have been used.');
  if (device.addedAt > provedAt || (device.trustedAt ?? device.addedAt) > provedAt)
    return failed('The device was not known when it approved.');
  return passed('Requested, approved and signed by the bank in this order, before time ran out.');
}
