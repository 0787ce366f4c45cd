/**
 * What the random lives of sessions must find (test/api/session-model.test.ts and its honest half, test/faults/replicas.test.ts): one change each after
 * which answers have no order that sessions may have, or a phone is logged out. Made and checked by test/mutants.ts as its other mutants are.
 */
import type { Mutant } from './mutants.ts';

const LIVES = { project: 'api', test: 'test/api/session-model.test.ts' } as const;
const HONEST = { project: 'api', test: 'test/api/session-model-honest.test.ts' } as const;
const REPLICAS = { project: 'faults', test: 'test/faults/replicas.test.ts' } as const;

export const SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: 'sessions: one generation for two refreshes that overlap',
    file: 'db/refresh-statement.ts',
    from: "from session s where ${isBound} and ${isShown(sql, tenantId)} and s.status = 'live'",
    to: "from session s where ${isBound} and s.tenant_id = ${tenantId} and s.session_id = a.session and s.status = 'live'",
    ...LIVES,
  },
  {
    name: 'sessions: a token judged without the customer’s epoch',
    file: 'domain/session-standing.ts',
    from: 'if (facts.epoch !== facts.customerEpoch)',
    to: 'if (facts.epoch > facts.customerEpoch)',
    ...LIVES,
  },
  {
    name: 'sessions: a clone that is taken for a lost answer',
    file: 'db/refresh.ts',
    from: 'isSameRequest: isSame(session.requestHash, refresh.requestHash ?? null)',
    to: 'isSameRequest: true',
    ...LIVES,
  },
  {
    name: 'sessions: a proof that is good twice',
    file: 'db/refresh-statement.ts',
    from: 'jti: toHex(proof.jtiHash)',
    // Another each time, so that none is ever found again.
    to: 'jti: toHex(next.salt)',
    ...LIVES,
  },
  {
    name: 'sessions: a proof that is good twice where an answer is repeated',
    file: 'db/refresh.ts',
    from: 'if (!(await spendProof(tx, refresh.proof))) return replayed();\n      isProofSpent',
    to: 'isProofSpent',
    ...LIVES,
  },
  {
    name: 'sessions: another key that refreshes',
    file: 'api/tokens/refresh-token.ts',
    from: '[tenantId, jkt, token.family',
    to: '[tenantId, jkt.slice(0, 0), token.family',
    ...LIVES,
  },
  {
    name: 'sessions: an old token that ends nothing',
    file: 'db/refresh.ts',
    from: "if (decision === 'reused') {",
    to: "if (decision === 'unknown') {",
    ...LIVES,
  },
  {
    name: 'sessions: a gateway that remembers who was let in',
    file: 'api/callers/authentication.ts',
    from: 'const { isFresh, session } = await checks.check(tenant.tenantId, question);',
    to: 'const memory = (checks as unknown as { m?: Map<string, Awaited<ReturnType<typeof checks.check>>> }); memory.m ??= new Map(); const known = memory.m.get(token); const { isFresh, session } = known ?? await checks.check(tenant.tenantId, question); memory.m.set(token, { isFresh, session });',
    ...LIVES,
  },
  {
    name: 'sessions: a login with a challenge from before the cut-off',
    file: 'db/login.ts',
    from: '  refuseOldChallenge(customer,',
    to: '  if (version < 0) refuseOldChallenge(customer,',
    ...LIVES,
  },
  {
    name: 'sessions: a lost answer that is not given again',
    file: 'domain/refresh.ts',
    from: "return family.redeliveries < limits.maxRedeliveries ? 'redeliver' : 'redelivery_exhausted';",
    to: "return 'redelivery_exhausted';",
    ...HONEST,
  },
  {
    name: 'sessions: a lost answer that is not given again by the replica that is left',
    file: 'domain/refresh.ts',
    from: "return family.redeliveries < limits.maxRedeliveries ? 'redeliver' : 'redelivery_exhausted';",
    to: "return 'redelivery_exhausted';",
    only: 'an honest phone stays in its session',
    ...REPLICAS,
  },
  {
    name: 'sessions: a lost login that is not answered again',
    file: 'api/idempotency.ts',
    from: "if (claim.kind === 'settled') return await replay(claim.reference);",
    to: "if (claim.kind === 'settled') throw new LatchkeyError('challenge_spent');",
    ...HONEST,
  },
  {
    name: 'sessions: proofs that each replica remembers for itself',
    file: 'api/proofs/dpop.ts',
    from: 'JSON.stringify([jkt, jti, address])',
    to: 'JSON.stringify([jkt, jti, address, process.pid])',
    only: 'are linearizable',
    ...REPLICAS,
  },
];
