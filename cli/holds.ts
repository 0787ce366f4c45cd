/** `latchkey holds`: customers on hold, and their release by two people. Whoever asks for a release cannot approve it. */
import { parseArgs } from 'node:util';
import { line, pagesOf, staffClient } from './staff-client.ts';
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
    if (action === 'list') return await list('/staff/holds', 'holds', HOLD_MEMBERS);
    if (action === 'approvals')
      return await list('/staff/approvals', 'approvals', APPROVAL_MEMBERS);
    throw new UsageError(USAGE);
  }
  if (action === 'release') return await release(id, values.reason);
  if (action === 'approve' || action === 'decline') return await decide(id, action);
  throw new UsageError(USAGE);
}

const HOLD_MEMBERS = ['holdId', 'placedAt', 'customerId', 'reason', 'placedBy', 'approvalId'];
const APPROVAL_MEMBERS = [
  'approvalId',
  'status',
  'holdId',
  'reason',
  'preparedByName',
  'expiresAt',
  'decidedByName',
];

async function list(path: string, member: string, members: readonly string[]): Promise<number> {
  const client = await staffClient(process.env);
  let found = 0;
  for await (const entry of pagesOf(client, path, member)) {
    say(line(entry, members));
    found += 1;
  }
  if (found === 0) say(member === 'holds' ? 'Nobody is on hold.' : 'Nothing was asked for.');
  return 0;
}

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
