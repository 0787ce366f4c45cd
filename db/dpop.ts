/**
 * The memory of DPoP proofs (RFC 9449 section 11.1): a proof is used by inserting its hash into a ring of unlogged partitions. The slot follows
 * from the proof's own time, so that the same proof always meets itself.
 */
import type postgres from 'postgres';
import type { Database, Sql, Tx } from './connection.ts';

export interface ProofMark {
  /** SHA-256 over thumbprint, jti and htu. */
  readonly jtiHash: Uint8Array;
  /** The proof's iat. */
  readonly issuedAtMs: number;
}

const SLOTS = 16;
const SLOT_MS = 60_000;

/** false: the proof was used before, or is older than this memory. A concurrent use is waited for. */
export async function spendProof(tx: Tx, proof: ProofMark): Promise<boolean> {
  const rows = await tx`${insertProof(tx, proof)}`;
  return rows.length === 1;
}

/** The same as a transaction of its own, in one round trip: a proof that was shown is spent whatever becomes of its call. */
export async function spendProofAlone(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  proof: ProofMark,
): Promise<boolean> {
  const rows = await database.statement({
    tenantId,
    build: ({ sql, bound, isBound }) =>
      sql`with ${bound}, proof as (${insertProof(sql, proof, isBound)}) select from proof`,
  });
  return rows.length === 1;
}

/** The same as a fragment, for statements that act only with a fresh proof: answers one row when it is. `onlyIf` names no column. */
export function insertProof(
  sql: Sql,
  { jtiHash, issuedAtMs }: ProofMark,
  onlyIf: postgres.Fragment = sql`true`,
) {
  return sql`
    insert into dpop_jti (tenant_id, slot, jti_hash, seen_at)
    select latchkey_tenant(), ${proofSlot(issuedAtMs)}, ${jtiHash}, latchkey_now()
    where ${onlyIf} and ${new Date(issuedAtMs)} >= latchkey_started_at()
    on conflict do nothing returning 1`;
}

/** Minute of the proof's iat modulo the ring, as latchkey_empty_dpop_slots() counts. */
export function proofSlot(issuedAtMs: number): number {
  return Math.floor(issuedAtMs / SLOT_MS) % SLOTS;
}
