/** A customer's own login history: what began, what was refused, what ended and why, the youngest first. */
import { readLoginHistory } from '../../db/login-history.ts';
import type { HistoryEntry } from '../../db/login-history.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { PageQuery, pageOf, readPage } from '../page-cursor.ts';
import { LoginHistoryAnswer } from '../schemas/login-history.ts';
import type { HistoryEntryView } from '../schemas/login-history.ts';
import { callerOf } from '../types.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import type { CustomerCaller, LatchkeyApp } from '../types.ts';

/** A position in the trail. */
const POSITION = /^[0-9]{1,15}$/;

export function registerLoginHistoryRoutes(
  app: LatchkeyApp,
  { database, personalData }: ApiServices,
): void {
  const config = { operationId: 'loginHistory' } as const;
  const schema = {
    summary: 'Read one’s login history',
    description: 'Logins, refusals, ends and what became of devices and passkeys.',
    tags: ['session'],
    querystring: PageQuery,
    response: { 200: LoginHistoryAnswer },
  };
  app.get('/auth/login-history', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const asked = readPage(request.query, POSITION);
    const before = asked.after === undefined ? undefined : Number(asked.after);
    const query = { tenantId, customerId, before, limit: asked.readLimit };
    const rows = await database.tenant(tenantId, (tx) => readLoginHistory(tx, personalData, query));
    const { entries, next } = pageOf(rows, asked, ({ position }) => String(position));
    return { entries: entries.map((entry) => entryView(entry, caller)), next };
  });
}

function entryView(
  { position, atMs, by, place, ...entry }: HistoryEntry,
  { acr, sessionId }: CustomerCaller,
): HistoryEntryView {
  return {
    ...entry,
    entryId: Buffer.from(String(position), 'utf8').toString('base64url'),
    at: isoTime(atMs),
    by: by === 'customer' ? 'you' : 'bank',
    current: entry.sessionId === sessionId,
    place: isReadOnly(acr) ? null : place,
  };
}
