/**
 * Who of the staff read which workflow's payloads in Temporal's UI. A page asks for its payloads one by one, so one row a minute says it for a
 * session and a workflow; the number in it is that of its first request. It must never hold what was read.
 */
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';

export interface Decoding {
  readonly tenantId: string;
  readonly caller: { readonly staffId: string; readonly staffSessionId: string };
  /** How many payloads of each workflow, by its id. */
  readonly opened: ReadonlyMap<string, number>;
}

/** One index serves the look (migration 007). Two requests at the same moment may write two rows: more than needed, never fewer. */
export async function noteDecoding(tx: Tx, { tenantId, caller, opened }: Decoding): Promise<void> {
  const { staffId, staffSessionId } = caller;
  for (const [workflowId, payloads] of opened) {
    const [noted] = await tx<{ auditId: string }[]>`
      with t as materialized (select latchkey_now() - interval '1 minute' as since)
      select audit_id from audit, t
      where tenant_id = ${tenantId} and subject_kind = 'workflow' and subject_id = ${workflowId}
        and action = 'payloads.decoded' and detail->>'staffSessionId' = ${staffSessionId} and at > t.since
      limit 1`;
    if (noted !== undefined) continue;
    await appendAudit(tx, {
      tenantId,
      actor: { kind: 'staff', id: staffId },
      action: 'payloads.decoded',
      subject: { kind: 'workflow', id: workflowId },
      detail: { staffSessionId, payloads },
    });
  }
}
