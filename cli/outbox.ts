/**
 * `latchkey outbox`: what could not be delivered, and delivering it again. Shows ids, topics and error codes only; payloads stay where
 * they are.
 */
import { parseArgs } from 'node:util';
import { connectDatabase } from '../db/connection.ts';
import type { Database } from '../db/connection.ts';
import { listDead, retryDead } from '../db/outbox.ts';
import { loadPart } from '../configuration/configuration.ts';
import { readDatabase } from '../configuration/database.ts';
import { say, UsageError, warn } from './terminal.ts';

const PAGE = 200;

export async function outbox(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { tenant: { type: 'string' } },
  });
  const [action, ...ids] = positionals;
  if (action !== 'list' && (action !== 'retry' || ids.length === 0)) {
    throw new UsageError('outbox knows two things: outbox list, and outbox retry ID…');
  }
  const database = connectDatabase({
    url: loadPart(process.env, readDatabase).url,
    maxConnections: 1,
  });
  try {
    const tenantIds = await selectTenants(database, values.tenant);
    return action === 'list'
      ? await list(database, tenantIds)
      : await retry(database, tenantIds, ids);
  } finally {
    await database.close();
  }
}

async function selectTenants(
  database: Database,
  slug: string | undefined,
): Promise<readonly string[]> {
  const tenants = await database.tenants();
  const selected = slug === undefined ? tenants : tenants.filter((tenant) => tenant.slug === slug);
  if (selected.length === 0) throw new UsageError(`there is no tenant ${slug ?? 'at all'}`);
  return selected.map(({ tenantId }) => tenantId);
}

async function list(database: Database, tenantIds: readonly string[]): Promise<number> {
  let found = 0;
  for (const tenantId of tenantIds) {
    for (let after = 0, isMore = true; isMore;) {
      const rows = await database.tenant(tenantId, (tx) =>
        listDead(tx, { tenantId, limit: PAGE, after }),
      );
      for (const row of rows) {
        const at = new Date(row.createdAtMs).toISOString();
        const what = row.eventType ?? row.topic;
        const sinks = row.sinks.length === 0 ? '' : `  sinks ${row.sinks.join(',')}`;
        say(
          `${row.outboxId}  ${at}  ${what}  ${row.subject}  ${row.errorCode ?? '-'}  tries ${row.attempts}${sinks}`,
        );
      }
      found += rows.length;
      after = rows.at(-1)?.position ?? after;
      isMore = rows.length === PAGE;
    }
  }
  if (found === 0) say('Nothing is parked: everything was delivered or is still being tried.');
  return 0;
}

async function retry(
  database: Database,
  tenantIds: readonly string[],
  ids: readonly string[],
): Promise<number> {
  let missed = 0;
  for (const outboxId of ids) {
    let isRetried = false;
    for (const tenantId of tenantIds) {
      isRetried ||= await database.tenant(tenantId, (tx) => retryDead(tx, { tenantId, outboxId }));
    }
    if (isRetried) say(`${outboxId} is due again.`);
    else warn(`${outboxId} is not among what is parked.`);
    missed += isRetried ? 0 : 1;
  }
  return missed === 0 ? 0 : 1;
}
