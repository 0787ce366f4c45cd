/**
 * `latchkey dead-letters`: what could not be delivered, and delivering it again, by a person and through the operations door. `latchkey outbox` does the
 * same with the database's address alone, for when the API is down; nobody's name stands behind that.
 */
import { sayList, staffClient, StaffRefusal } from './staff-client.ts';
import { say, UsageError, warn } from './terminal.ts';

const MEMBERS = [
  'outboxId',
  'createdAt',
  'topic',
  'eventType',
  'sinks',
  'subject',
  'errorCode',
  'attempts',
];

export async function deadLetters([action, ...ids]: readonly string[]): Promise<number> {
  if (action === 'list' && ids.length === 0) return await list();
  if (action === 'retry' && ids.length > 0 && ids.every((id) => !id.startsWith('-')))
    return await retry(ids);
  throw new UsageError(
    'dead-letters knows two things: dead-letters list, and dead-letters retry ID…',
  );
}

async function list(): Promise<number> {
  const nothing = 'Nothing is parked: everything was delivered or is still being tried.';
  await sayList('/ops/dead-letters', { name: 'deadLetters', members: MEMBERS, nothing });
  return 0;
}

async function retry(ids: readonly string[]): Promise<number> {
  const client = await staffClient(process.env);
  let missed = 0;
  for (const id of ids) {
    try {
      await client.post(`/ops/dead-letters/${encodeURIComponent(id)}/retry`, {});
      say(`${id} is due again.`);
    } catch (error) {
      const isMissing =
        error instanceof StaffRefusal && ['not_found', 'invalid_request'].includes(error.code);
      if (!isMissing) throw error;
      warn(`${id} is not among what is parked.`);
      missed += 1;
    }
  }
  return missed === 0 ? 0 : 1;
}
