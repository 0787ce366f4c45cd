/** One customer's recoveries as PostgreSQL holds them, by one statement of its own: what the specification judges, and nothing of the code under test. */
import type { Tx } from '../../../../db/connection.ts';

export interface CaseRow {
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly epoch: number;
  readonly jkt: string | null;
  readonly report: 'lost' | 'stolen' | 'broken' | 'replaced';
  readonly revision: number;
  readonly openedByKind: 'customer' | 'staff';
  readonly openedBy: string;
  readonly deviceId: string | null;
  readonly credentialId: string | null;
  /** When its step or the whole of it is over. */
  readonly overAtMs: number;
}

export interface FactorRow {
  readonly id: string;
  readonly caseId: string;
  readonly method: string;
  readonly handset: string | null;
  readonly epoch: number;
  readonly evidenceId: string;
  readonly recordedEmployee: string | null;
  readonly confirmedEmployee: string | null;
  readonly isVoid: boolean;
}

export interface DecisionRow {
  readonly caseId: string;
  readonly kind: string;
  readonly revision: number;
  readonly employee: string;
  readonly isVoid: boolean;
}

export interface DeviceRow {
  readonly id: string;
  readonly status: string;
  readonly jkt: string;
  readonly level: string;
  readonly isReported: boolean;
}

export interface CredentialRow {
  readonly id: string;
  readonly deviceId: string;
  readonly status: string;
}

export interface AttemptRow {
  readonly caseId: string;
  readonly verdict: string | null;
  readonly evidenceId: string | null;
  readonly jkt: string | null;
}

export interface RevocationRow {
  readonly reason: string;
  readonly requestedBy: string;
  readonly oldEpoch: number;
  readonly newEpoch: number;
}

export interface Facts {
  readonly epoch: number;
  readonly personId: string | null;
  readonly isHeld: boolean;
  /** In the order in which they were opened. */
  readonly cases: readonly CaseRow[];
  readonly factors: readonly FactorRow[];
  readonly decisions: readonly DecisionRow[];
  readonly devices: readonly DeviceRow[];
  readonly credentials: readonly CredentialRow[];
  readonly attempts: readonly AttemptRow[];
  readonly revocations: readonly RevocationRow[];
}

export async function readFacts(tx: Tx, customerId: string): Promise<Facts> {
  const [row] = await tx<Facts[]>`
    select c.security_epoch as epoch, c.person_id,
      exists (select from hold h where h.customer_id = c.customer_id and h.status = 'active') as is_held,
      (select coalesce(jsonb_agg(jsonb_build_object('id', r.recovery_id, 'state', k.state, 'outcome', k.outcome, 'reason', k.reason, 'epoch', k.epoch,
          'jkt', r.jkt, 'report', r.report, 'revision', r.revision, 'openedByKind', r.opened_by_kind, 'openedBy', r.opened_by,
          'deviceId', r.new_device_id, 'credentialId', r.new_credential_id,
          'overAtMs', extract(epoch from least(k.deadline, k.step_deadline)) * 1000) order by k.created_at, k.ended_at nulls last), '[]')
        from recovery r join ceremony k on k.ceremony_id = r.recovery_id where r.customer_id = c.customer_id) as cases,
      (select coalesce(jsonb_agg(jsonb_build_object('id', f.factor_id, 'caseId', f.recovery_id, 'method', f.method, 'handset', f.handset, 'epoch', f.epoch,
          'evidenceId', f.evidence_id, 'recordedEmployee', f.recorded_employee, 'confirmedEmployee', f.confirmed_employee,
          'isVoid', f.voided_at is not null)), '[]')
        from recovery_factor f where f.customer_id = c.customer_id) as factors,
      (select coalesce(jsonb_agg(jsonb_build_object('caseId', d.recovery_id, 'kind', d.kind, 'revision', d.revision, 'employee', d.employee,
          'isVoid', d.voided_at is not null)), '[]')
        from recovery_decision d join recovery r using (recovery_id) where r.customer_id = c.customer_id) as decisions,
      (select coalesce(jsonb_agg(jsonb_build_object('id', d.device_id, 'status', d.status, 'jkt', d.session_jkt, 'level', d.attestation_level,
          'isReported', d.reported_at is not null) order by d.device_id), '[]')
        from device d where d.customer_id = c.customer_id) as devices,
      (select coalesce(jsonb_agg(jsonb_build_object('id', p.credential_id, 'deviceId', p.device_id, 'status', p.status) order by p.credential_id), '[]')
        from credential p where p.customer_id = c.customer_id) as credentials,
      (select coalesce(jsonb_agg(jsonb_build_object('caseId', a.ceremony_id, 'verdict', a.verdict, 'evidenceId', a.evidence_id, 'jkt', a.jkt)), '[]')
        from step_attempt a join recovery r on r.recovery_id = a.ceremony_id where r.customer_id = c.customer_id) as attempts,
      (select coalesce(jsonb_agg(jsonb_build_object('reason', v.reason, 'requestedBy', v.requested_by, 'oldEpoch', v.old_epoch, 'newEpoch', v.new_epoch)), '[]')
        from revocation v where v.customer_id = c.customer_id) as revocations
    from customer c where c.customer_id = ${customerId}`;
  if (row === undefined) throw new TypeError('the customer is there');
  return row;
}
