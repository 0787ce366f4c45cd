/**
 * Recovery switched off, piece by piece: for each fault test the one change after which the same kill loses something or does it twice. Made and
 * checked by test/mutants.ts as its other mutants are.
 */
import type { Mutant } from './mutants.ts';
import { STACK_MUTANTS } from './stack-mutants.ts';

const MATRIX = 'test/faults/kill-matrix.test.ts';
const IN_ENROLLMENT = 'test/faults/worker-in-enrollment.test.ts';
const TEMPORAL_DOWN = 'test/faults/temporal-down.test.ts';
const POSTGRES_DOWN = 'test/faults/postgres-down.test.ts';
const UPDATES = 'test/faults/updates.test.ts';
const OUTBOX = 'test/faults/outbox.test.ts';

type Change = Pick<Mutant, 'file' | 'from' | 'to'>;

const notAnsweredAgain: Change = {
  file: 'api/idempotency.ts',
  from: "if (claim.kind === 'settled') return await replay(claim.reference);",
  to: "if (claim.kind === 'settled') throw new LatchkeyError('conflict');",
};
const judgementForgotten: Change = {
  file: 'db/enrollment-facts.ts',
  from: 'await finishSubmission(tx, tenantId, submissionId, formatOutcome(fact, attemptsLeft));',
  to: '',
};
const notDrivenOn: Change = {
  file: 'api/ceremonies/step.ts',
  from: "const isFollowed = outcome === 'accepted' || !step.states.includes(record.state);",
  to: 'const isFollowed = outcome.length > 0;',
};
const endlessLease: Change = {
  file: 'db/outbox.ts',
  from: 'and (o.leased_until is null or o.leased_until <= t.now)',
  to: 'and o.leased_until is null',
};
const unavailableIsDead: Change = {
  file: 'relay/relay.ts',
  from: 'await outbox.release(tenantId, outboxId);',
  to: "await outbox.failed(tenantId, outboxId, { errorCode: code, next: { kind: 'dead' } });",
};
const repeatedStartIsError: Change = {
  file: 'temporal/client.ts',
  from: "if (isAlreadyStarted(error)) return 'already_started';",
  to: '',
};
const countedFromNothing: Change = {
  file: 'db/revocation.ts',
  from: 'set sessions_ended = coalesce(sessions_ended, 0) + ${sessions.count},',
  to: 'set sessions_ended = ${sessions.count},',
};
const databaseNotLookedFor: Change = {
  file: 'db/connection.ts',
  from: 'backoff: () => 0.1,',
  to: 'backoff: () => 3_600,',
};
const lostConnectionEndsProcess: Change = {
  file: 'db/connection.ts',
  from: 'backoff: () => 0.1,',
  to: 'backoff: () => 0.1, onclose: () => process.exit(1),',
};
const undecidedForgotten = (code: string): Change => ({
  file: 'sdk/problem.ts',
  from: `  '${code}',\n`,
  to: '',
});
/** Whether the call fails at once or by its deadline depends on the moment of the death. */
const stepForgotten: Change = {
  file: 'sdk/problem.ts',
  from: "  'outcome_pending',\n  'idempotency_in_progress',\n  'temporal_unavailable',\n",
  to: '',
};

function fault(name: string, change: Change, test: Pick<Mutant, 'test' | 'only'>): Mutant {
  return { name: `fault: ${name}`, ...change, project: 'faults', ...test };
}

export const FAULT_MUTANTS: readonly Mutant[] = [
  fault('a step that was carried out is not answered again', notAnsweredAgain, {
    test: MATRIX,
    only: 'the API, before it answers the step',
  }),
  fault(
    'what was judged is not remembered, so its step is not known to have been taken',
    judgementForgotten,
    {
      test: MATRIX,
      only: 'the worker, after the move is committed',
    },
  ),
  fault('the phone forgets the key of a step that Temporal lost', stepForgotten, {
    test: MATRIX,
    only: 'Temporal, after the code is judged',
  }),
  fault('a lost connection ends the process, in mid-enrollment', lostConnectionEndsProcess, {
    test: MATRIX,
    only: 'PostgreSQL, before the move is made',
  }),
  fault('a login that was carried out is not answered again', notAnsweredAgain, {
    test: MATRIX,
    only: 'the API, before it answers the login',
  }),
  fault('a lease whose holder died never runs out', endlessLease, {
    test: MATRIX,
    only: 'the worker, before it calls Temporal',
  }),
  fault('a start that Temporal could not take goes to the dead letters', unavailableIsDead, {
    test: MATRIX,
    only: 'Temporal, before it is called',
  }),
  fault('a session workflow that is there already is an error', repeatedStartIsError, {
    test: MATRIX,
    only: 'PostgreSQL, after Temporal was called',
  }),
  fault('a cut-off that was carried out is not answered again', notAnsweredAgain, {
    test: MATRIX,
    only: 'the API, before it answers the signal',
  }),
  fault('rows ended before the worker died are left out of the receipt', countedFromNothing, {
    test: MATRIX,
    only: 'the worker, after it ended the rows',
  }),
  fault('rows ended before Temporal died are left out of the receipt', countedFromNothing, {
    test: MATRIX,
    only: 'Temporal, after the rows were ended',
  }),
  fault('a lost connection ends the process, in mid-revocation', lostConnectionEndsProcess, {
    test: MATRIX,
    only: 'PostgreSQL, before the rows are ended',
  }),
  fault('a step that was judged is not driven on by its repeat', notDrivenOn, {
    test: IN_ENROLLMENT,
    only: 'before the move is committed',
  }),
  fault('what was judged is not remembered, so a wrong code counts again', judgementForgotten, {
    test: IN_ENROLLMENT,
    only: 'after a wrong code was counted',
  }),
  fault(
    'another code that was ordered is not remembered',
    {
      file: 'db/enrollment-facts.ts',
      from: "await finishSubmission(tx, tenantId, submissionId, 'accepted');",
      to: '',
    },
    { test: IN_ENROLLMENT, only: 'after another code was ordered' },
  ),
  fault(
    'a message goes out under a new reference each time',
    {
      file: 'relay/messages.ts',
      from: 'text: text.sms, reference });',
      to: 'text: text.sms, reference: `${reference}-${String(performance.now())}` });',
    },
    { test: IN_ENROLLMENT, only: 'after the supplier took a code' },
  ),
  fault(
    'a repeated step is another update',
    {
      file: 'api/ceremonies/step.ts',
      from: 'name, submissionId, notAfterMs]',
      to: 'name, submissionId, performance.now()]',
    },
    { test: UPDATES, only: 'is pending; it runs when the worker returns' },
  ),
  fault(
    'a step is taken however late it runs',
    {
      file: 'db/step-submissions.ts',
      from: 'if (row.outcome === null && row.isLate)',
      to: 'if (row.outcome !== null && row.isLate)',
    },
    { test: UPDATES, only: 'is refused when it runs after its time' },
  ),
  fault('a step whose update was lost is not driven on by its repeat', notDrivenOn, {
    test: UPDATES,
    only: 'goes on from its row when its caller sends it again',
  }),
  fault(
    'a workflow that has closed is started again',
    {
      file: 'temporal/client.ts',
      from: "workflowIdReusePolicy: 'REJECT_DUPLICATE' as const",
      to: "workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const",
    },
    { test: OUTBOX, only: 'starts, ends, sends and changes nothing twice' },
  ),
  fault(
    'a row that nobody can deliver is tried for ever',
    {
      file: 'relay/relay.ts',
      from: '? attempts >= UNFORESEEN_ATTEMPTS',
      to: '? attempts >= UNFORESEEN_ATTEMPTS * 1_000',
    },
    { test: OUTBOX, only: 'go to the dead letters' },
  ),
  fault(
    'an open row whose workflow is missing gets no other',
    {
      file: 'relay/reconciler.ts',
      from: "if (status === 'running') return;",
      to: "if (status !== 'closed') return;",
    },
    { test: 'test/faults/temporal-lost.test.ts' },
  ),
  fault(
    'a restored database leaves the epochs where they were',
    {
      file: 'db/restored.ts',
      from: 'const EPOCHS_AHEAD = 1_000;',
      to: 'const EPOCHS_AHEAD = 0;',
    },
    { test: 'test/faults/restore.test.ts' },
  ),
  fault(
    'the phone forgets the key of a start that Temporal did not take',
    undecidedForgotten('temporal_unavailable'),
    { test: TEMPORAL_DOWN, only: 'a start and a step of enrollment' },
  ),
  fault('what Temporal could not take goes to the dead letters', unavailableIsDead, {
    test: TEMPORAL_DOWN,
    only: 'login, refresh, gateway check and cut-off go on',
  }),
  fault('a pool does not look for a database that came back', databaseNotLookedFor, {
    test: POSTGRES_DOWN,
    only: 'every operation answers 503',
  }),
  fault(
    'the phone forgets the key of what the database did not answer',
    undecidedForgotten('database_unavailable'),
    { test: POSTGRES_DOWN, only: 'killed in the middle of transactions' },
  ),
  fault(
    'a session that sleeps is not woken when its row has ended',
    {
      // Where both who wake it come by, the revocation and the reconciler: each makes up for the other.
      file: 'relay/kinds.ts',
      from: 'async wake(calls, subject, signalId) {',
      to: 'async wake(calls, subject, signalId) {\n      if (signalId.length > 0) return;',
    },
    { test: 'test/faults/revocation.test.ts' },
  ),
  ...STACK_MUTANTS,
];
