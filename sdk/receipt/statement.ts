/** What a receipt says, as lines for people. It verifies nothing: show it only beside a verdict. */
import { isRecord } from '../members.ts';
import type {
  ReceiptFile,
  RecoveryRecordFile,
  RevocationReceiptFile,
  SignedFileOfBank,
} from './types.ts';

export type StatementLine = readonly [label: string, value: string];

export function statementOf(receipt: SignedFileOfBank): readonly StatementLine[] {
  switch (receipt.type) {
    case 'latchkey-receipt':
      return approvalLines(receipt);
    case 'latchkey-revocation-receipt':
      return cutOffLines(receipt);
    case 'latchkey-recovery-record':
      return recoveryLines(receipt);
  }
}

function approvalLines(receipt: ReceiptFile): readonly StatementLine[] {
  const { disclosures, times, requester, device, passkey, secondFactor } = receipt;
  const text = disclosures['display.text']?.value ?? textIn(disclosures['preimage']?.value);
  return [
    ['What was sent to be shown', typeof text === 'string' ? text : '(taken out of this copy)'],
    ...loosePieces(receipt),
    ['Asked for by', `${requester.name} (${requester.id})`],
    ['Bank', receipt.iss],
    ['Customer', receipt.customer],
    ['Requested', times.requestedAt],
    ['Passkey and approval key', times.provedAt],
    [
      'Second channel',
      secondFactor === null ? 'none needed' : `code by SMS, ${secondFactor.provedAt}`,
    ],
    ['Approved', `${times.approvedAt}, as ${receipt.acr}`],
    [
      'Device',
      `${device.platform}, attestation: ${device.attestationLevel}, known since ${device.addedAt}`,
    ],
    ['Passkey', passkey.backupEligible ? 'may be synced between devices' : 'bound to one device'],
    ['Reported by the app', contextOf(receipt)],
    ['Risk engine', receipt.risk],
    ['Policy', `version ${receipt.policy}`],
    ['Audit rows', [receipt.audit.keys, receipt.audit.code].filter((id) => id !== null).join(', ')],
    ['Receipt', `${receipt.receiptId}, signed ${times.sealedAt}`],
  ];
}

/** Without the whole text, the pieces that were left in. */
function loosePieces({ disclosures }: ReceiptFile): readonly StatementLine[] {
  if (Object.hasOwn(disclosures, 'preimage')) return [];
  return Object.entries(disclosures)
    .filter(([name]) => name.startsWith('action.'))
    .map(([name, { value }]) => [
      name.slice('action.'.length),
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
}

function textIn(preimage: unknown): unknown {
  if (typeof preimage !== 'string') return undefined;
  try {
    const read: unknown = JSON.parse(preimage);
    return isRecord(read) && isRecord(read['display']) ? read['display']['text'] : undefined;
  } catch {
    return undefined;
  }
}

function contextOf({ context, delaySeconds }: ReceiptFile): string {
  const flags = [
    ...(context.onCall ? ['on a call'] : []),
    ...(context.screenShared ? ['screen shared'] : []),
    ...(context.accessibilityService ? ['accessibility service active'] : []),
  ];
  const delay = delaySeconds === 0 ? '' : `; usable ${String(delaySeconds)} s later`;
  return `${flags.length === 0 ? 'nothing unusual' : flags.join(', ')}${delay}`;
}

function cutOffLines(receipt: RevocationReceiptFile): readonly StatementLine[] {
  const { stopped } = receipt;
  return [
    ['Cut off', receipt.customerId],
    ['Bank', receipt.iss],
    ['Why', receipt.reason],
    ['Asked for by', receipt.requestedBy],
    ['Effective', receipt.effectiveAt],
    ['Rows ended', receipt.rowsEndedAt],
    ['Second listing empty', receipt.secondListingEmptyAt],
    ['Last local token dies', receipt.lastTokenDiesAt],
    [
      'Stopped',
      `${String(stopped.sessions)} sessions, ${String(stopped.ceremonies)} ceremonies, ${String(stopped.devices)} devices, ${String(stopped.credentials)} passkeys`,
    ],
    ['Epoch', `${String(receipt.oldEpoch)} → ${String(receipt.newEpoch)}`],
    ['Receipt', receipt.revocationId],
  ];
}

function recoveryLines(record: RecoveryRecordFile): readonly StatementLine[] {
  const { times, evidence, decisions } = record;
  return [
    ['Recovery of', record.customer],
    ['Bank', record.iss],
    ['Report', record.report],
    ['Opened', `${times.openedAt}, by ${record.openedBy.kind} ${record.openedBy.id}`],
    ['Stands', record.outcome ?? record.state],
    ...evidence.map((one): StatementLine => [
      'Proof',
      `${one.method}, ${one.recordedAt}, by ${one.recordedBy.id}${one.isVoid ? ' (counts no more)' : ''}`,
    ]),
    ...decisions.map((one): StatementLine => [
      'Decision',
      `${one.kind}: ${one.reason}, ${one.decidedAt}, by ${one.employee}${one.voidedAt === null ? '' : ' (void)'}`,
    ]),
    ['Policy', `version ${record.policy}`],
    ['Kept until', times.keptUntil ?? 'not yet ended'],
    ['Record', `${record.recoveryId}, revision ${String(record.revision)}`],
  ];
}
