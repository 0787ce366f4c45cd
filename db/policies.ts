/** Policy documents, one row a version, never changed. Ceremonies pin the version they started under; the rest reads the latest. */
import type { Policy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';

export interface PolicyVersion {
  readonly version: number;
  readonly document: Policy;
}

/** The latest version. @throws TypeError for a tenant without any: the seed makes the first. */
export async function activePolicy(tx: Tx, tenantId: string): Promise<PolicyVersion> {
  const [policy] = await tx<PolicyVersion[]>`
    select version, document from policy where tenant_id = ${tenantId} order by version desc limit 1`;
  if (policy === undefined) throw new TypeError(`tenant ${tenantId} has no policy`);
  return policy;
}

/** @throws TypeError when there is no such version: rows refer to versions by foreign key. */
export async function policyAt(tx: Tx, tenantId: string, version: number): Promise<PolicyVersion> {
  const [policy] = await tx<PolicyVersion[]>`
    select version, document from policy where tenant_id = ${tenantId} and version = ${version}`;
  if (policy === undefined)
    throw new TypeError(`tenant ${tenantId} has no policy version ${String(version)}`);
  return policy;
}
