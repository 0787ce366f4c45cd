/** `latchkey sessions`: a customer's sessions, and ending one. The customer is told, and the audit knows who ended it and why. */
import { parseArgs } from 'node:util';
import { sayList, staffClient } from './staff-client.ts';
import { say, UsageError } from './terminal.ts';

const MEMBERS = [
  'sessionId',
  'standing',
  'startedAt',
  'lastSeenAt',
  'acr',
  'platform',
  'deviceName',
];

const END_REASONS = ['customer_request', 'lost_device', 'suspicious_activity', 'other'];

export async function sessions(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { reason: { type: 'string' } },
  });
  const [action, id, ...rest] = positionals;
  if (id !== undefined && rest.length === 0) {
    if (action === 'list') return await list(id);
    if (action === 'end') return await end(id, values.reason);
  }
  throw new UsageError(
    'sessions knows two things: sessions list CUSTOMER, and sessions end SESSION --reason CODE',
  );
}

async function list(customerId: string): Promise<number> {
  const nothing = 'No session that has not been ended.';
  const path = `/staff/customers/${encodeURIComponent(customerId)}/sessions`;
  await sayList(path, { name: 'sessions', members: MEMBERS, nothing });
  return 0;
}

async function end(sessionId: string, reason: string | undefined): Promise<number> {
  if (reason === undefined || !END_REASONS.includes(reason))
    throw new UsageError(
      'say why: --reason customer_request, lost_device, suspicious_activity or other',
    );
  const client = await staffClient(process.env);
  const path = `/staff/sessions/${encodeURIComponent(sessionId)}/end`;
  const { endReason, endedAt } = await client.post(path, { reason });
  say(`${sessionId} ended at ${String(endedAt)}: ${String(endReason)}.`);
  return 0;
}
