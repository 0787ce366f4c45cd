/**
 * `latchkey events`: how each sink stands, and letting one go on that said it was gone. With the database's address alone, like `latchkey
 * outbox`, which lists and replays what is parked.
 */
import { parseArgs } from 'node:util';
import { appendAudit } from '../db/audit.ts';
import { connectDatabase } from '../db/connection.ts';
import type { Database, TenantEntry } from '../db/connection.ts';
import { resumeSink, sinkStandings } from '../db/events.ts';
import { loadPart } from '../configuration/configuration.ts';
import { readDatabase } from '../configuration/database.ts';
import { say, UsageError, warn } from './terminal.ts';

export async function events(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const [action, sink, ...rest] = positionals;
  const isKnown =
    (action === 'sinks' && sink === undefined) || (action === 'resume' && sink !== undefined);
  if (!isKnown || rest.length > 0)
    throw new UsageError('events knows two things: events sinks, and events resume SINK');
  const { url } = loadPart(process.env, readDatabase);
  const database = connectDatabase({ url, maxConnections: 1 });
  try {
    const tenants = await database.tenants();
    return sink === undefined
      ? await list(database, tenants)
      : await resume(database, tenants, sink);
  } finally {
    await database.close();
  }
}

async function list(database: Database, tenants: readonly TenantEntry[]): Promise<number> {
  let found = 0;
  for (const { tenantId, slug } of tenants) {
    const standings = await database.tenant(tenantId, (tx) => sinkStandings(tx, tenantId));
    for (const { sink, waiting, parked, oldestSeconds, stopped, lastError } of standings) {
      const age = oldestSeconds === null ? '' : `  oldest ${String(Math.round(oldestSeconds))} s`;
      const stop = stopped === null ? '' : `  stopped: ${stopped}`;
      const error = lastError === null ? '' : `  last error: ${lastError}`;
      say(
        `${sink}  ${slug}  waiting ${String(waiting)}  parked ${String(parked)}${age}${stop}${error}`,
      );
    }
    found += standings.length;
  }
  if (found === 0) say('Every sink has every event.');
  return 0;
}

/** For every tenant that it is stopped for. */
async function resume(
  database: Database,
  tenants: readonly TenantEntry[],
  sink: string,
): Promise<number> {
  let isResumed = false;
  for (const { tenantId } of tenants) {
    const isStopped = await database.tenant(tenantId, async (tx) => {
      if (!(await resumeSink(tx, { tenantId, sink }))) return false;
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'operator', id: 'latchkey events' },
        action: 'events.sink_resumed',
        subject: { kind: 'event_sink', id: sink },
      });
      return true;
    });
    isResumed ||= isStopped;
  }
  if (isResumed) say(`${sink} goes on.`);
  else warn(`${sink} is not stopped.`);
  return isResumed ? 0 : 1;
}
