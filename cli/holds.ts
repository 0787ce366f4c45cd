/** `latchkey holds`: customers on hold, and their release by two people. Whoever asks for a release cannot approve it. */
import { parseArgs } from 'node:util';
import { sayList, staffClient } from './staff-client.ts';
import { say, UsageError } from './terminal.ts';

const USAGE =
  'holds knows: holds list, holds approvals, holds release HOLD --reason CODE, holds approve APPROVAL, holds decline APPROVAL';

export async function holds(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { reason: { type: 'string' } },
  });
  const [action, id, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(USAGE);
  if (id === undefined) {
    if (action === 'list') await sayList('/staff/holds', HOLDS);
    else if (action === 'approvals') await sayList('/staff/approvals', APPROVALS);
    else throw new UsageError(USAGE);
    return 0;
  }
  if (action === 'release') return await release(id, values.reason);
  if (action === 'approve' || action === 'decline') return await decide(id, action);
  throw new UsageError(USAGE);
}

const HOLDS = {
  name: 'holds',
  members: ['holdId', 'placedAt', 'customerId', 'reason', 'placedBy', 'approvalId'],
  nothing: 'Nobody is on hold.',
};
const APPROVALS = {
  name: 'approvals',
  members: [
    'approvalId',
    'status',
    'holdId',
    'reason',
    'preparedByName',
    'expiresAt',
    'decidedByName',
  ],
  nothing: 'Nothing was asked for.',
};

async function release(holdId: string, reason: string | undefined): Promise<number> {
  if (reason !== 'false_alarm' && reason !== 'customer_verified')
    throw new UsageError('say why: --reason false_alarm or --reason customer_verified');
  const client = await staffClient(process.env);
  const path = `/staff/holds/${encodeURIComponent(holdId)}/release-requests`;
  const { approvalId, expiresAt } = await client.post(path, { reason });
  say(`Asked for. Somebody else approves it until ${String(expiresAt)}:`);
  say(`  latchkey holds approve ${String(approvalId)}`);
  return 0;
}

async function decide(approvalId: string, action: 'approve' | 'decline'): Promise<number> {
  const client = await staffClient(process.env);
  const path = `/staff/approvals/${encodeURIComponent(approvalId)}/${action}`;
  const answer = await client.post(path, {});
  say(
    action === 'approve'
      ? `Released ${String(answer['holdId'])}: devices back ${String(answer['devices'])}, passkeys back ${String(answer['credentials'])}.`
      : `Declined. ${String(answer['holdId'])} stays.`,
  );
  return 0;
}
