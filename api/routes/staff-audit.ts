/** The audit trail for auditors: searched page by page, and taken away as one signed file. Each search stands in the trail itself. It changes nothing. */
import { appendAudit } from '../../db/audit.ts';
import { searchAudit } from '../../db/audit-search.ts';
import type { Tx } from '../../db/connection.ts';
import { signStatement } from '../../db/receipt-signing.ts';
import type { TimelineEntry } from '../../db/timeline.ts';
import type { JsonValue } from '../../domain/canonical-json.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { pageOf, readPage } from '../page-cursor.ts';
import {
  AuditAnswer,
  AuditExportAnswer,
  AuditExportQuery,
  AuditQuery,
  MOST_EXPORTED,
} from '../schemas/staff-reading.ts';
import type { AuditEntry } from '../schemas/staff-reading.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['staff'];
const POSITION = /^[0-9]{1,15}$/;
const AUDIT_EXPORT_JWS_TYPE = 'latchkey-audit-export+jwt';

export function registerStaffAuditRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerSearch(app, services);
  registerExport(app, services);
}

function registerSearch(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'searchAudit' } as const;
  const schema = {
    summary: 'Search the audit trail',
    description: 'By customer, ceremony, member of staff, kind and time; the youngest first.',
    tags,
    querystring: AuditQuery,
    response: { 200: AuditAnswer },
  };
  app.get('/staff/audit', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { limit, cursor, ...asked } = request.query;
    const page = readPage(
      { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) },
      POSITION,
    );
    const rows = await database.tenant(tenantId, async (tx) => {
      const search = { tenantId, ...spanOf(asked), before: page.after, limit: page.readLimit };
      const found = await searchAudit(tx, search);
      await recordReading(tx, { tenantId, staffId, action: 'staff.audit_searched', asked });
      return found;
    });
    const { entries, next } = pageOf(rows, page, ({ position }) => String(position));
    return { entries: entries.map(entryView), next };
  });
}

function registerExport(app: LatchkeyApp, services: ApiServices): void {
  const { database, clock, receiptSigner } = services;
  const config = { operationId: 'exportAudit', problems: ['vendor_unavailable'] } as const;
  const schema = {
    summary: 'Take a part of the audit trail away',
    description: `One file that the bank’s receipt key signs, with ${String(MOST_EXPORTED)} entries at most: it says whether it is everything that was asked for.`,
    tags,
    querystring: AuditExportQuery,
    response: { 200: AuditExportAnswer },
  };
  app.get('/staff/audit/export', { config, schema }, async (request, reply) => {
    const { tenantId, issuer } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const asked = request.query;
    if (receiptSigner === undefined) throw new LatchkeyError('vendor_unavailable');
    const rows = await database.tenant(tenantId, async (tx) => {
      const search = { tenantId, ...spanOf(asked), limit: MOST_EXPORTED + 1 };
      const found = await searchAudit(tx, search);
      await recordReading(tx, { tenantId, staffId, action: 'staff.audit_exported', asked });
      return found;
    });
    const file = {
      iss: issuer,
      tenant: tenantId,
      exportedAt: isoTime(clock.nowMs()),
      exportedBy: staffId,
      query: {
        customerId: asked.customerId ?? null,
        ceremonyId: asked.ceremonyId ?? null,
        staffId: asked.staffId ?? null,
        action: asked.action ?? null,
        from: asked.from ?? null,
        to: asked.to ?? null,
      },
      isComplete: rows.length <= MOST_EXPORTED,
      entries: rows.slice(0, MOST_EXPORTED).map(entryView),
    } satisfies JsonValue;
    const { signature } = await signStatement(
      { database, signer: receiptSigner },
      { tenantId, typ: AUDIT_EXPORT_JWS_TYPE, iss: issuer, sub: staffId, claims: file },
    );
    return await reply
      .header('content-disposition', 'attachment; filename="audit.json"')
      .send({ ...file, signature });
  });
}

/** @throws LatchkeyError invalid_request for a span that ends before it begins. */
function spanOf({ from, to, ...filters }: AuditExportQuery) {
  const [fromMs, toMs] = [from, to].map((iso) => (iso === undefined ? undefined : Date.parse(iso)));
  // A leap second is a time by RFC 3339 and none here.
  if (Number.isNaN(fromMs)) throw new LatchkeyError('invalid_request', { detail: 'from' });
  if (Number.isNaN(toMs)) throw new LatchkeyError('invalid_request', { detail: 'to' });
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new LatchkeyError('invalid_request', { detail: 'to' });
  return { ...filters, fromMs, toMs };
}

async function recordReading(
  tx: Tx,
  look: {
    readonly tenantId: string;
    readonly staffId: string;
    readonly action: string;
    readonly asked: AuditExportQuery;
  },
): Promise<void> {
  const { tenantId, staffId, action, asked } = look;
  const { customerId, ceremonyId, ...others } = asked;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action,
    subject:
      customerId === undefined
        ? { kind: 'staff', id: staffId }
        : { kind: 'customer', id: customerId },
    customerId,
    ceremonyId,
    detail: { ...others },
  });
}

function entryView({ atMs, actorKind, actorId, subjectKind, subjectId, ...entry }: TimelineEntry) {
  return {
    action: entry.action,
    position: String(entry.position),
    at: isoTime(atMs),
    actor: { kind: actorKind, id: actorId },
    subject: { kind: subjectKind, id: subjectId },
    customerId: entry.customerId,
    ceremonyId: entry.ceremonyId,
    // appendAudit writes nothing else.
    detail: entry.detail as AuditEntry['detail'],
  };
}
