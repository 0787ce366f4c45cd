/**
 * Recovery switched off, piece by piece: for each fault test the one change after which the same kill loses something or does it twice. Made and
 * checked by test/mutants.ts as its other mutants are.
 */
import type { Mutant } from './mutants.ts';

const IN_ENROLLMENT = 'test/faults/worker-in-enrollment.test.ts';
const AFTER_LOGIN = 'test/faults/worker-after-login.test.ts';
const TEMPORAL_DOWN = 'test/faults/temporal-down.test.ts';
const POSTGRES_DOWN = 'test/faults/postgres-down.test.ts';

export const FAULT_MUTANTS: readonly Mutant[] = [
  {
    name: 'fault: a step that was judged is not driven on by its repeat',
    file: 'api/enrollment-steps.ts',
    from: "const isFollowed = outcome === 'accepted' || record.state !== step.step;",
    to: 'const isFollowed = outcome.length > 0;',
    project: 'faults',
    test: IN_ENROLLMENT,
    only: 'before the move is committed',
  },
  {
    name: 'fault: what was judged is not remembered, so its step is not known to have been taken',
    file: 'db/enrollment-facts.ts',
    from: 'await finishSubmission(tx, tenantId, submissionId, formatOutcome(fact, attemptsLeft));',
    to: '',
    project: 'faults',
    test: IN_ENROLLMENT,
    only: 'after the move is committed',
  },
  {
    name: 'fault: what was judged is not remembered, so a wrong code counts again',
    file: 'db/enrollment-facts.ts',
    from: 'await finishSubmission(tx, tenantId, submissionId, formatOutcome(fact, attemptsLeft));',
    to: '',
    project: 'faults',
    test: IN_ENROLLMENT,
    only: 'after a wrong code was counted',
  },
  {
    name: 'fault: another code that was ordered is not remembered',
    file: 'db/enrollment-facts.ts',
    from: "await finishSubmission(tx, tenantId, submissionId, 'accepted');",
    to: '',
    project: 'faults',
    test: IN_ENROLLMENT,
    only: 'after another code was ordered',
  },
  {
    name: 'fault: a message goes out under a new reference each time',
    file: 'relay/messages.ts',
    from: 'text: text.sms, reference });',
    to: 'text: text.sms, reference: `${reference}-${String(performance.now())}` });',
    project: 'faults',
    test: IN_ENROLLMENT,
    only: 'after the supplier took a code',
  },
  {
    name: 'fault: a lease whose holder died never runs out',
    file: 'db/outbox.ts',
    from: 'and (o.leased_until is null or o.leased_until <= t.now)',
    to: 'and o.leased_until is null',
    project: 'faults',
    test: AFTER_LOGIN,
    only: 'before Temporal was called',
  },
  {
    name: 'fault: a session workflow that is there already is an error',
    file: 'temporal/client.ts',
    from: "if (isAlreadyStarted(error)) return 'already_started';",
    to: '',
    project: 'faults',
    test: AFTER_LOGIN,
    only: 'after Temporal was called',
  },
  {
    name: 'fault: the phone forgets the key of a start that Temporal did not take',
    file: 'sdk/problem.ts',
    from: "  'temporal_unavailable',\n",
    to: '',
    project: 'faults',
    test: TEMPORAL_DOWN,
    only: 'a start and a step of enrollment',
  },
  {
    name: 'fault: what Temporal could not take goes to the dead letters',
    file: 'relay/relay.ts',
    from: 'await outbox.release(tenantId, outboxId);',
    to: "await outbox.failed(tenantId, outboxId, { errorCode: code, next: { kind: 'dead' } });",
    project: 'faults',
    test: TEMPORAL_DOWN,
    only: 'login, refresh, gateway check and cut-off go on',
  },
  {
    name: 'fault: a pool does not look for a database that came back',
    file: 'db/connection.ts',
    from: 'backoff: () => 0.1,',
    to: 'backoff: () => 3_600,',
    project: 'faults',
    test: POSTGRES_DOWN,
    only: 'every operation answers 503',
  },
  {
    name: 'fault: the phone forgets the key of what the database did not answer',
    file: 'sdk/problem.ts',
    from: "  'database_unavailable',\n",
    to: '',
    project: 'faults',
    test: POSTGRES_DOWN,
    only: 'killed in the middle of transactions',
  },
  {
    name: 'fault: a login that was carried out is not answered again',
    file: 'api/idempotency.ts',
    from: "if (claim.kind === 'settled') return await replay(claim.reference);",
    to: "if (claim.kind === 'settled') throw new LatchkeyError('conflict');",
    project: 'faults',
    test: 'test/faults/api-after-commit.test.ts',
  },
  {
    name: 'fault: rows ended before the kill are left out of the receipt',
    file: 'db/revocation.ts',
    from: 'set sessions_ended = coalesce(sessions_ended, 0) + ${sessions.count},',
    to: 'set sessions_ended = ${sessions.count},',
    project: 'faults',
    test: 'test/faults/revocation.test.ts',
    only: 'killed after it ended the rows',
  },
];
